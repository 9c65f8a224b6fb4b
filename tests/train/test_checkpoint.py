"""A checkpoint brings a training back to where it was, and a torn one is no end."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cutis.train.checkpoint import KEPT, Place, load_checkpoint, save_checkpoint
from cutis.vocabulary.errors import UserError


def _learner():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    return network, optimizer


def _step(network, optimizer):
    torch.manual_seed(7)
    optimizer.zero_grad()
    network(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()


def test_a_checkpoint_restores_weights_statistics_and_optimiser(tmp_path):
    """After loading, the next step is bit-equal to the undisturbed one."""
    network, optimizer = _learner()
    _step(network, optimizer)
    save_checkpoint(tmp_path / "checkpoints", Place(epoch=2, step=5, losses=(0.5,)), network, optimizer)
    other, its_optimizer = _learner()

    place = load_checkpoint(tmp_path / "checkpoints", other, its_optimizer)
    _step(network, optimizer)
    _step(other, its_optimizer)

    assert place == Place(epoch=2, step=5, losses=(0.5,))
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[key])


def test_without_a_checkpoint_a_training_begins_at_the_start(tmp_path):
    """An empty folder is the start."""
    assert load_checkpoint(tmp_path, *_learner()) == Place()


def test_only_the_last_two_are_kept(tmp_path):
    """The disk does not fill with the past."""
    network, optimizer = _learner()
    for epoch in range(4):
        save_checkpoint(tmp_path, Place(epoch=epoch), network, optimizer)

    assert len(list(tmp_path.iterdir())) == KEPT


@pytest.mark.parametrize("cut", [0, 7, 100, 0.5, 0.99])
def test_a_torn_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path, capsys, cut):
    """A power failure costs minutes, not the training."""
    network, optimizer = _learner()
    _step(network, optimizer)
    for epoch in (1, 2):
        save_checkpoint(tmp_path, Place(epoch=epoch), network, optimizer)
    newest = max(tmp_path.iterdir())
    content = newest.read_bytes()
    newest.write_bytes(content[: int(cut * len(content)) if isinstance(cut, float) else cut])

    place = load_checkpoint(tmp_path, network, optimizer)

    assert place.epoch == 1
    assert "torn" in capsys.readouterr().err


def test_checkpoints_that_are_all_torn_are_one_clear_error(tmp_path):
    """Nothing starts over silently."""
    network, optimizer = _learner()
    save_checkpoint(tmp_path, Place(epoch=1), network, optimizer)
    for path in tmp_path.iterdir():
        path.write_bytes(b"torn")

    with pytest.raises(UserError, match="none of the checkpoints"):
        load_checkpoint(tmp_path, network, optimizer)
