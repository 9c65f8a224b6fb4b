"""Seven auxiliary classifiers and a final one, or a final one alone, with maps that cost nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import torch

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Classifier(backbone_of("mobilenetv2_050"), classes=5, dropout=0.5)


def test_every_depth_answers_for_every_diagnosis(network):
    """Logits of the final and of seven auxiliary classifiers, and the last hidden layer."""
    outputs = network.eval()(torch.rand(2, 3, 64, 64))

    assert outputs.logits.shape == (2, 5)
    assert [logits.shape for logits in outputs.auxiliary_logits] == [(2, 5)] * 7
    assert outputs.features.shape == (2, 1280)


def test_the_mean_of_each_map_is_its_logit(network):
    """A class activation map distributes the logit over the picture, exactly."""
    with torch.inference_mode():
        outputs = network.eval()(torch.rand(2, 3, 64, 64))

    for logits, map_ in zip((*outputs.auxiliary_logits, outputs.logits), outputs.maps, strict=True):
        torch.testing.assert_close(map_.mean(dim=(2, 3)), logits, rtol=1e-4, atol=1e-5)


def test_the_first_maps_are_finer_than_the_last(network):
    """Each depth has its own resolution."""
    with torch.inference_mode():
        maps = network.eval()(torch.rand(1, 3, 64, 64)).maps

    assert [each.shape[-1] for each in maps] == [32, 16, 8, 4, 4, 2, 2, 2]


def test_no_maps_are_made_while_training(network):
    """Training pays for no picture that nobody looks at."""
    assert network.train()(torch.rand(2, 3, 64, 64)).maps is None


def test_every_head_teaches_its_own_stage(network):
    """The first auxiliary classifier alone sends a gradient to the stem and none beyond its stage."""
    network.train()(torch.rand(2, 3, 64, 64)).auxiliary_logits[0].sum().backward()

    assert network.stem[0].weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.stages[1].parameters())


def test_a_network_without_auxiliary_classifiers_has_nothing_of_them(network):
    """No parameters, no outputs, one map; all the rest has the same names and shapes."""
    plain = Classifier(backbone_of("mobilenetv2_050", auxiliary=False), classes=5)

    with torch.inference_mode():
        outputs = plain.eval()(torch.rand(2, 3, 64, 64))

    assert outputs.auxiliary_logits == ()
    assert [each.shape for each in outputs.maps] == [(2, 5, 2, 2)]
    assert plain.state_dict().keys() == {key for key in network.state_dict() if not key.startswith("heads.")}


@pytest.mark.parametrize(
    ("architecture", "size"), [("resnet18", 32), ("vit_tiny_patch16_224", 32), ("vit_tiny_patch16_224", 64)]
)
def test_the_mean_of_a_rivals_map_is_its_logit(architecture, size):
    """Rivals say where they look by the same rule, with channels last as without."""
    torch.manual_seed(0)
    rival = Classifier(backbone_of(architecture, auxiliary=False, size=size), classes=5, dropout=0.5).eval()
    images = torch.rand(2, 3, size, size)

    with torch.inference_mode():
        outputs = rival(images)
        fast = rival.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))

    torch.testing.assert_close(outputs.maps[0].mean(dim=(2, 3)), outputs.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fast.logits, outputs.logits, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("recipe", ["zhu2021", "plain-b4", "resnet50", "densenet121", "vgg16"])
def test_every_preset_answers_at_its_size(recipe):
    """The network of each shipped recipe of the paper and its rivals gives logits and the maps that belong to them."""
    preset = tomllib.loads((RECIPES / f"{recipe}.toml").read_text())
    auxiliary, size = preset["auxiliary_weight"] > 0, preset["size"]

    with torch.device("meta"):
        depth = preset.get("stochastic_depth", 0.0)
        backbone = backbone_of(preset["network"], stochastic_depth=depth, auxiliary=auxiliary, size=size)
        outputs = Classifier(backbone, classes=14).eval()(torch.empty(2, 3, size, size))

    assert outputs.logits.shape == (2, 14)
    assert outputs.features.shape == (2, backbone.features)
    assert len(outputs.maps) == len(outputs.auxiliary_logits) + 1 == (8 if auxiliary else 1)
    assert outputs.maps[-1].shape[:2] == (2, 14)


def test_rivals_have_the_settings_of_the_paper():
    """Only the network, its auxiliary classifiers and a stochastic depth it may lack differ."""
    read = {path.stem: tomllib.loads(path.read_text()) for path in RECIPES.glob("*.toml")}
    own = ("network", "auxiliary_weight", "stochastic_depth")
    shared = [
        {key: value for key, value in read[name].items() if key not in own}
        for name in ("zhu2021", "plain-b4", "resnet50", "densenet121", "vgg16")
    ]

    assert all(settings == shared[0] for settings in shared)
