"""The fastest precision is measured, written down, and kept."""

from __future__ import annotations

import torch

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.train import precision
from cutis.train.config import TrainConfig
from cutis.train.precision import fastest_precision, settled_precision
from cutis.train.ranks import ALONE

CONFIG = TrainConfig(network="mobilenetv2_035", size=32, batch_size=8, precision="auto")


def _network():
    torch.manual_seed(0)
    return Classifier(backbone_of("mobilenetv2_035"), classes=2)


def test_what_is_fastest_is_learned_in_and_a_resumed_run_stays_with_it(tmp_path, monkeypatch):
    """Another measurement would change the weights."""
    seconds = {"fp32": 2.0, "bf16": 1.0}
    monkeypatch.setattr(precision, "seconds_of_a_step", lambda _network, each, **_size: seconds[each])

    first = settled_precision(tmp_path, _network(), CONFIG, ranks=ALONE)
    seconds["fp32"] = 0.5
    again = settled_precision(tmp_path, _network(), CONFIG, ranks=ALONE)

    assert (first, again) == ("bf16", "bf16")


def test_a_recipe_that_names_its_precision_is_not_measured(tmp_path):
    """And nothing is written."""
    config = CONFIG.model_copy(update={"precision": "fp16"})

    assert settled_precision(tmp_path, _network(), config, ranks=ALONE) == "fp16"
    assert not list(tmp_path.iterdir())


def test_measuring_leaves_weights_and_statistics_as_they_were():
    """The first step learns from where the seed began; each process measures its own part of a step."""
    network = _network()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}

    fastest, seconds = fastest_precision(network, CONFIG, processes=2)

    assert fastest in seconds
    assert set(seconds) == {"fp32", "bf16"}
    torch.testing.assert_close(dict(network.state_dict()), before)
    assert all(parameter.grad is None for parameter in network.parameters())
