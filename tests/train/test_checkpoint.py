"""A checkpoint brings a training back to where it was, and a torn one is no end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.train.batches import Batch, Step
from cutis.train.checkpoint import KEPT, Place, load_checkpoint, save_checkpoint
from cutis.train.config import TrainConfig
from cutis.train.loop import learn, new_learner
from cutis.train.loss import Teaching
from cutis.vocabulary.errors import UserError

CONFIG = TrainConfig(network="mobilenetv2_035", size=32, ema=0.9, learning_rate=1e-3)


def _learner(precision="fp32"):
    torch.manual_seed(0)
    network = Classifier(backbone_of("mobilenetv2_035"), classes=2)
    return new_learner(network, CONFIG, precision=precision)


def _step(learner, number=0):
    torch.manual_seed(7)
    batch = Batch(torch.randn(4, 3, 32, 32), torch.eye(2).repeat(2, 1), tuple("abcd"))
    step = Step((batch,), 4)
    teaching = Teaching(stage_weights=CONFIG.stage_weights)
    list(learn(learner, [step], CONFIG, teaching, epoch=1, start=number, steps_in_epoch=10))


def _state(learner):
    return learner.network.state_dict(), learner.averaged.state_dict(), learner.scaler.state_dict()


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_checkpoint_restores_all_that_changes_while_learning(tmp_path, precision):
    """After loading, the next step is bit-equal: weights, statistics, their average, optimiser and scale."""
    learner = _learner(precision)
    _step(learner)
    save_checkpoint(tmp_path / "checkpoints", Place(epoch=2, step=5, losses=(0.5,)), learner)
    other = _learner(precision)

    place = load_checkpoint(tmp_path / "checkpoints", other)
    for each in (learner, other):
        _step(each, 1)

    assert place == Place(epoch=2, step=5, losses=(0.5,))
    torch.testing.assert_close(_state(other), _state(learner), rtol=0, atol=0)


def test_without_a_checkpoint_a_training_begins_at_the_start(tmp_path):
    """An empty folder is the start."""
    assert load_checkpoint(tmp_path, _learner()) == Place()


def test_only_the_last_two_are_kept(tmp_path):
    """The disk does not fill with the past."""
    learner = _learner()
    for epoch in range(4):
        save_checkpoint(tmp_path, Place(epoch=epoch), learner)

    assert len(list(tmp_path.iterdir())) == KEPT


@pytest.mark.parametrize("cut", [0, 7, 100, 0.5, 0.99])
def test_a_torn_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path, capsys, cut):
    """A power failure costs minutes, not the training."""
    learner = _learner()
    for epoch in (1, 2):
        save_checkpoint(tmp_path, Place(epoch=epoch), learner)
    newest = max(tmp_path.iterdir())
    content = newest.read_bytes()
    newest.write_bytes(content[: int(cut * len(content)) if isinstance(cut, float) else cut])

    place = load_checkpoint(tmp_path, learner)

    assert place.epoch == 1
    assert "torn" in capsys.readouterr().err


def test_a_torn_checkpoint_does_not_count_among_the_last_two(tmp_path):
    """Going on from the one before, the next save removes what was torn, so that two whole ones are there again."""
    learner = _learner()
    for epoch in (1, 2):
        save_checkpoint(tmp_path, Place(epoch=epoch), learner)
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:100])

    place = load_checkpoint(tmp_path, learner)
    save_checkpoint(tmp_path, Place(epoch=place.epoch, step=7), learner)

    assert sorted(path.stem for path in tmp_path.iterdir()) == ["00001-0000000", "00001-0000007"]


@pytest.mark.slow
def test_two_hundred_torn_checkpoints_are_two_hundred_clear_errors(tmp_path):
    """Cut anywhere, a checkpoint is never loaded in part."""
    learner = _learner()
    save_checkpoint(tmp_path, Place(epoch=1), learner)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    lots = np.random.default_rng(0)

    for _ in range(200):
        path.write_bytes(content[: lots.integers(len(content))])
        with pytest.raises(UserError, match="none of the checkpoints"):
            load_checkpoint(tmp_path, learner)


def test_checkpoints_that_are_all_torn_are_one_clear_error(tmp_path):
    """Nothing starts over silently."""
    learner = _learner()
    save_checkpoint(tmp_path, Place(epoch=1), learner)
    for path in tmp_path.iterdir():
        path.write_bytes(b"torn")

    with pytest.raises(UserError, match="none of the checkpoints"):
        load_checkpoint(tmp_path, learner)
