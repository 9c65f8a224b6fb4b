"""How deep each parameter lies, and which layers keep statistics."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.network.layers import depth_of, normalisation_layers


def a_network(architecture, **options):
    """A classifier of three diagnoses that takes no memory."""
    with torch.device("meta"):
        return Classifier(backbone_of(architecture, **options), classes=3)


def test_seven_stages_have_ten_depths():
    """Stem 0, stages 1 to 7, neck 8, and every classifier 9, whatever stage it listens to."""
    depths = depth_of(a_network("mobilenetv2_035"))

    assert depths["stem.0.weight"] == 0
    assert {depths[name] for name in depths if name.startswith("stages.0.")} == {1}
    assert {depths[name] for name in depths if name.startswith("stages.6.")} == {7}
    assert depths["neck.0.weight"] == 8
    assert {depths[name] for name in depths if name.startswith(("heads.", "final."))} == {9}


def test_depths_are_the_same_without_auxiliary_classifiers():
    """The rates of two networks differ in nothing but the classifiers that one has more."""
    plain, listened = (depth_of(a_network("mobilenetv2_035", auxiliary=auxiliary)) for auxiliary in (False, True))

    assert plain == {name: depth for name, depth in listened.items() if not name.startswith("heads.")}


@pytest.mark.parametrize("architecture", ["resnet18", "vit_tiny_patch16_224", "densenet121", "vgg16_bn"])
def test_a_network_in_one_piece_has_timms_depths(architecture):
    """Every parameter has a depth, none is left out, and the classifier is deepest."""
    network = a_network(architecture, auxiliary=False)

    depths = depth_of(network)

    assert list(depths) == [name for name, _ in network.named_parameters()]
    assert set(depths.values()) == set(range(depths["final.linear.weight"] + 1))
    assert [name for name, depth in depths.items() if depth == max(depths.values())] == [
        "final.linear.weight",
        "final.linear.bias",
    ]


def test_resnet_is_as_deep_as_its_four_stages():
    """Stem, four stages, classifier."""
    depths = depth_of(a_network("resnet18", auxiliary=False))

    assert (depths["stem.conv1.weight"], depths["stem.layer1.0.conv1.weight"]) == (0, 1)
    assert (depths["stem.layer4.1.bn2.bias"], depths["final.linear.bias"]) == (4, 5)


@pytest.mark.parametrize("architecture", ["csatv2", "rdnet_tiny"])
def test_a_network_that_timm_does_not_group_is_of_one_depth(architecture):
    """Nothing is guessed from names."""
    depths = depth_of(a_network(architecture, auxiliary=False))

    assert depths.pop("final.linear.weight") == depths.pop("final.linear.bias") == 1
    assert set(depths.values()) == {0}


def test_every_batch_normalisation_is_found_and_no_other_layer():
    """ResNet-18 has twenty, MobileNetV2 has timm's own kind too, a ViT has none."""
    found = {
        name: normalisation_layers(a_network(name, auxiliary=False))
        for name in ("resnet18", "mobilenetv2_035", "vit_tiny_patch16_224")
    }

    assert [len(layers) for layers in found.values()] == [20, 52, 0]
    assert all(isinstance(layer, nn.BatchNorm2d) for layers in found.values() for layer in layers)


def test_in_evaluation_mode_their_statistics_stay():
    """What training freezes does not move."""
    network = Classifier(backbone_of("mobilenetv2_035"), classes=3).train()
    layers = normalisation_layers(network)
    for layer in layers:
        layer.eval()
    before = [layer.running_mean.clone() for layer in layers]

    network(torch.rand(2, 3, 32, 32))

    assert all(torch.equal(layer.running_mean, mean) for layer, mean in zip(layers, before, strict=True))
