"""The best weights lie aside for as long as a checkpoint may name them."""

from __future__ import annotations

from torch import nn

from cutis.train.finish import best_weights, forget_others, keep_best


def test_the_best_before_the_best_stays(tmp_path):
    """The checkpoint before the last may name it; what is older, or was set aside after a place gone back to, goes."""
    for epoch in (1, 4, 6, 9):
        keep_best(tmp_path, nn.Linear(1, 1), epoch)

    forget_others(tmp_path, 6)

    assert sorted(tmp_path.glob("best-*")) == [best_weights(tmp_path, epoch) for epoch in (4, 6)]
