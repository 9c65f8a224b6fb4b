"""Which weights learn how fast, and when."""

from __future__ import annotations

import pytest
import torch

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.train.config import TrainConfig
from cutis.train.optimise import learning_rate_at, new_optimizer, set_rates

CONFIG = TrainConfig(network="mobilenetv2_050", learning_rate=3e-3, epochs=10, warmup_epochs=1)


def _network():
    torch.manual_seed(0)
    return Classifier(backbone_of("mobilenetv2_050"), classes=2)


def test_the_learning_rate_warms_up_and_falls_to_zero():
    """Up in a line, down in a cosine."""
    assert learning_rate_at(0.5, CONFIG) == pytest.approx(CONFIG.learning_rate / 2)
    assert learning_rate_at(1.0, CONFIG) == pytest.approx(CONFIG.learning_rate)
    assert learning_rate_at(5.5, CONFIG) == pytest.approx(CONFIG.learning_rate / 2)
    assert learning_rate_at(10.0, CONFIG) == pytest.approx(0.0)


def test_single_vectors_do_not_decay():
    """Biases and normalisation stay out of weight decay."""
    for group in new_optimizer(_network(), CONFIG).param_groups:
        vectors = {parameter.ndim == 1 for parameter in group["params"]}
        assert vectors == {group["weight_decay"] == 0}


def test_every_parameter_learns_exactly_once():
    """No group forgets a parameter, and none is in two."""
    network = _network()

    grouped = [each for group in new_optimizer(network, CONFIG).param_groups for each in group["params"]]

    assert sorted(map(id, grouped)) == sorted(map(id, network.parameters()))


def test_deep_layers_learn_faster_than_shallow_ones():
    """With a layer decay of 0.5 each depth halves the rate of the one above; the classifiers have it whole."""
    network = _network()
    optimizer = new_optimizer(network, CONFIG.model_copy(update={"layer_decay": 0.5}))

    set_rates(optimizer, 1.0, CONFIG)

    rate = {id(each): group["lr"] for group in optimizer.param_groups for each in group["params"]}
    assert rate[id(network.final.linear.weight)] == pytest.approx(CONFIG.learning_rate)
    assert rate[id(network.heads[0].linear.weight)] == pytest.approx(CONFIG.learning_rate)
    first, second = (rate[id(next(network.stages[at].parameters()))] for at in (0, 1))
    assert rate[id(network.stem[0].weight)] == pytest.approx(first / 2)
    assert first == pytest.approx(second / 2)
