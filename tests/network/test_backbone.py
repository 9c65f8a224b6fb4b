"""An EfficientNet in its parts, with weights from nothing, from the hub or from a file."""

from __future__ import annotations

import pytest
import timm
import torch
from safetensors.torch import save_file

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


def test_an_unknown_architecture_is_refused_with_names_that_are_known():
    """A typing error is mended by looking at the names in the message."""
    with pytest.raises(UserError, match="efficientnet_b0"):
        backbone_of("efficientnet_b99")


def test_a_network_without_seven_stages_is_refused():
    """ResNets come with the rivals; here they are refused rather than cut wrongly."""
    with pytest.raises(UserError, match="seven stages"):
        backbone_of("resnet18")


def test_weights_from_a_file_arrive_key_by_key(tmp_path):
    """Every tensor of the file is in the network, and the file's own classifier is left out."""
    donor = timm.create_model("mobilenetv2_050", pretrained=False)
    save_file(
        donor.state_dict(), tmp_path / "donor.safetensors", metadata={"mean": "0.5,0.5,0.5", "std": "0.4,0.4,0.4"}
    )

    backbone = backbone_of("mobilenetv2_050", weights=str(tmp_path / "donor.safetensors"))

    torch.testing.assert_close(backbone.stem[0].weight, donor.conv_stem.weight)
    torch.testing.assert_close(backbone.stages[6].state_dict(), donor.blocks[6].state_dict())
    torch.testing.assert_close(backbone.neck[0].weight, donor.conv_head.weight)
    assert backbone.mean == (0.5, 0.5, 0.5)
    assert backbone.std == (0.4, 0.4, 0.4)


def test_the_real_imagenet_weights_load(shared_weights):
    """The ImageNet weights of MobileNetV2 fit, with the preparation that they need."""
    path = shared_weights("mobilenetv2_100_imagenet.safetensors")

    backbone = backbone_of("mobilenetv2_100", weights=str(path))

    assert backbone.mean == backbone.std == (0.5, 0.5, 0.5)


def test_weights_of_another_architecture_are_refused_with_what_does_not_fit(tmp_path):
    """The message lists keys that are missing, unknown or of another shape."""
    donor = timm.create_model("mobilenetv2_050", pretrained=False)
    save_file(donor.state_dict(), tmp_path / "donor.safetensors")

    with pytest.raises(UserError, match=r"do not fit.*another shape"):
        backbone_of("mobilenetv2_100", weights=str(tmp_path / "donor.safetensors"))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    """A renamed pickle or text never gets as far as being loaded."""
    (tmp_path / "weights.safetensors").write_text("not weights")

    with pytest.raises(UserError, match="no safetensors file"):
        backbone_of("mobilenetv2_050", weights=str(tmp_path / "weights.safetensors"))


def test_a_missing_weights_file_is_refused(tmp_path):
    """A wrong path is one clear error."""
    with pytest.raises(UserError, match="no weights here"):
        backbone_of("mobilenetv2_050", weights=str(tmp_path / "nothing.safetensors"))


def test_no_connection_to_the_hub_says_how_to_give_a_file(monkeypatch, tmp_path):
    """A clinic without internet reads what to type instead."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    with pytest.raises(UserError, match=r"--set weights=FILE\.safetensors"):
        backbone_of("mobilenetv2_100", weights="imagenet")
