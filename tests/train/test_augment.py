"""Changes that keep the diagnosis, keyed by seed, epoch and picture."""

from __future__ import annotations

import torch
from torch.nn import functional

from cutis.train.augment import apply_changes, draw_changes
from cutis.train.config import TrainConfig

STILL = TrainConfig(rotation_degrees=0, zoom=0, shift=0, light=0, white_balance=0)


def test_a_picture_is_changed_alike_wherever_it_stands_in_a_batch():
    """Draws belong to (seed, epoch, picture), not to the order of calls."""
    together = draw_changes(["one", "two"], 3, TrainConfig())
    alone = draw_changes(["two"], 3, TrainConfig())

    for part, single in zip(together, alone, strict=True):
        torch.testing.assert_close(part[1:], single)


def test_another_epoch_changes_a_picture_otherwise():
    """An epoch shows each picture anew."""
    assert not torch.equal(
        draw_changes(["one"], 0, TrainConfig()).placing, draw_changes(["one"], 1, TrainConfig()).placing
    )


def test_without_changes_a_picture_stays_or_is_mirrored():
    """With every knob at zero only the mirror is left, and pixels are kept exactly."""
    pictures = torch.rand(8, 3, 16, 16)

    changed = apply_changes(pictures, draw_changes([str(n) for n in range(8)], 0, STILL))

    for before, after in zip(pictures, changed, strict=True):
        same, mirrored = ((after - other).abs().max() for other in (before, before.flip(2)))
        assert min(same, mirrored) < 1e-5


def test_moving_samples_where_affine_grid_says():
    """Our faster grid places every pixel where torch's own does."""
    pictures = torch.rand(4, 3, 24, 24)
    changes = draw_changes(list("abcd"), 0, TrainConfig(light=0, white_balance=0))

    moved = apply_changes(pictures, changes)

    grid = functional.affine_grid(changes.placing, [4, 3, 24, 24], align_corners=False)
    expected = functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(moved, expected.clamp(0, 1), rtol=1e-4, atol=1e-4)


def test_the_picture_handed_in_is_not_changed():
    """Functions return new data."""
    pictures = torch.rand(2, 3, 16, 16)
    before = pictures.clone()

    apply_changes(pictures, draw_changes(["a", "b"], 0, TrainConfig()))

    torch.testing.assert_close(pictures, before)


def test_light_stays_within_what_a_picture_can_hold():
    """Values stay in 0..1 however strong the change."""
    strong = TrainConfig(light=0.9, white_balance=0.9)

    changed = apply_changes(torch.rand(16, 3, 16, 16), draw_changes([str(n) for n in range(16)], 0, strong))

    assert 0 <= changed.min() <= changed.max() <= 1
