"""Networks of timm without their classifiers: cut into seven stages, or in one piece."""

from __future__ import annotations

import pytest
import timm
import torch

from cutis.network.backbone import backbone_of
from cutis.vocabulary.errors import UserError


@pytest.mark.parametrize("architecture", [f"efficientnet_b{n}" for n in range(8)] + ["mobilenetv2_100"])
def test_every_architecture_of_the_family_has_seven_stages(architecture):
    """The cut works for b0 to b7 and MobileNetV2, and each stage says how many channels it hands on."""
    with torch.device("meta"):
        backbone = backbone_of(architecture)

    assert len(backbone.stages) == len(backbone.stage_channels) == 7


def test_b4_hands_on_the_channels_that_timm_documents():
    """EfficientNet-b4: 24, 32, 56, 112, 160, 272, 448 channels, last hidden layer 1,792."""
    with torch.device("meta"):
        backbone = backbone_of("efficientnet_b4")

    assert backbone.stage_channels == (24, 32, 56, 112, 160, 272, 448)
    assert backbone.features == 1792


def test_the_parts_together_are_timms_network():
    """Nothing is lost by the cut: stem, stages and neck give what timm's own forward gives."""
    torch.manual_seed(0)
    whole = timm.create_model("efficientnet_b0", pretrained=False).eval()
    torch.manual_seed(0)
    parts = backbone_of("efficientnet_b0")
    images = torch.rand(2, 3, 64, 64)

    feature_map = parts.stem.eval()(images)
    for stage in parts.stages:
        feature_map = stage.eval()(feature_map)
    feature_map = parts.neck.eval()(feature_map)

    torch.testing.assert_close(feature_map, whole.forward_features(images))


def test_seven_stages_are_cut_alike_without_auxiliary_classifiers():
    """Only the channels that would be listened to are missing, so that both can be compared layer by layer."""
    with torch.device("meta"):
        listened, plain = (backbone_of("mobilenetv2_035", auxiliary=auxiliary) for auxiliary in (True, False))

    assert plain.stage_channels == ()
    assert [list(each.state_dict()) for each in (plain.stem, *plain.stages, plain.neck)] == [
        list(each.state_dict()) for each in (listened.stem, *listened.stages, listened.neck)
    ]


def test_a_network_in_one_piece_is_timms_network():
    """ResNet-18: the map is timm's own, and its average is what timm's classifier would hear."""
    torch.manual_seed(0)
    whole = timm.create_model("resnet18", pretrained=False).eval()
    torch.manual_seed(0)
    backbone = backbone_of("resnet18", auxiliary=False, size=64)
    images = torch.rand(2, 3, 64, 64)

    feature_map = backbone.neck(backbone.stem.eval()(images))

    torch.testing.assert_close(feature_map, whole.forward_features(images))
    torch.testing.assert_close(
        feature_map.mean(dim=(2, 3)), whole.forward_head(whole.forward_features(images), pre_logits=True)
    )
    assert (backbone.features, backbone.stages, backbone.stage_channels) == (512, (), ())


def test_the_twin_takes_nothing_from_chance():
    """Looking at a network beforehand changes no initial weight."""
    torch.manual_seed(0)
    expected = timm.create_model("resnet18", pretrained=False).conv1.weight
    torch.manual_seed(0)

    backbone = backbone_of("resnet18", auxiliary=False, size=64)

    torch.testing.assert_close(backbone.stem.conv1.weight, expected, rtol=0, atol=0)


def test_an_unknown_architecture_is_refused_with_names_that_are_known():
    """A typing error is mended by looking at the names in the message."""
    with pytest.raises(UserError, match="efficientnet_b0"):
        backbone_of("efficientnet_b99")


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenetv3_large_100"])
def test_a_network_without_seven_stages_is_refused_with_both_ways_out(architecture):
    """The message names what has seven stages, and how to train without; no weights are fetched for it."""
    with pytest.raises(UserError, match=r"seven stages\n(.*\n)*.*efficientnet_b0.*auxiliary_weight=0"):
        backbone_of(architecture, weights="imagenet")


def test_no_connection_to_the_hub_says_how_to_give_a_file(monkeypatch, tmp_path):
    """A clinic without internet reads what to type instead."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(UserError, match=r"--set weights=FILE\.safetensors"):
        backbone_of("mobilenetv2_100", weights="imagenet")


def test_stochastic_depth_reaches_the_network():
    """The deepest block of ResNet-18 is skipped as often as asked."""
    with torch.device("meta"):
        backbone = backbone_of("resnet18", auxiliary=False, stochastic_depth=0.25)

    assert backbone.stem.layer4[-1].drop_path.drop_prob == pytest.approx(0.25)


@pytest.mark.parametrize("architecture", ["vgg16_bn", "densenet121"])
def test_stochastic_depth_is_refused_where_a_network_has_none(architecture):
    """Nothing is left out in silence: VGG and DenseNet have no blocks to skip."""
    with pytest.raises(UserError, match=f"{architecture} has no stochastic depth"):
        backbone_of(architecture, auxiliary=False, stochastic_depth=0.1)
