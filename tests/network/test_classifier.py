"""Seven auxiliary classifiers and a final one, with maps that cost nothing."""

from __future__ import annotations

import pytest
import torch

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier


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
