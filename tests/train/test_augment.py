"""Changes that keep the diagnosis, keyed by seed, epoch and picture."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from cutis.train.augment import apply_changes, draw_changes, mix
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


def test_right_angles_alone_move_pixels_and_change_none():
    """A quarter turn is exact: the same pixels in another order."""
    pictures = torch.rand(16, 3, 16, 16)
    config = STILL.model_copy(update={"right_angles": True})

    changed = apply_changes(pictures, draw_changes([str(n) for n in range(16)], 0, config))

    turned = set()
    for before, after in zip(pictures, changed, strict=True):
        ways = {(k, m): torch.rot90(before.flip(2) if m else before, k, (1, 2)) for k in range(4) for m in (0, 1)}
        matching = [way for way, other in ways.items() if (after - other).abs().max() < 1e-5]
        assert len(matching) == 1
        turned.add(matching[0])
    assert len(turned) > 4


@pytest.mark.parametrize(("knob", "alike"), [({"mixup": 0.4}, "mixup"), ({"cutmix": 1.0}, "cutmix")])
def test_mixing_blends_what_is_taught_as_it_blends_pictures(knob, alike):
    """The share of a neighbour's pixels is the share of its diagnosis."""
    images = torch.stack([torch.full((3, 32, 32), float(n)) for n in range(4)])
    target = torch.eye(4)

    mixed, taught = mix(images, target, TrainConfig(**knob), seed=5)

    assert taught.sum(dim=1).tolist() == pytest.approx([1.0] * 4)
    shown = mixed.mean(dim=(1, 2, 3))
    expected = taught @ torch.arange(4.0)
    torch.testing.assert_close(shown, expected, rtol=1e-3, atol=1e-3)
    assert alike in knob


def test_mixing_belongs_to_the_step():
    """The same seed mixes alike, whatever was drawn before."""
    images, target = torch.rand(6, 3, 16, 16), torch.eye(6)
    config = TrainConfig(mixup=0.4, cutmix=1.0)

    first = mix(images, target, config, seed=11)
    torch.rand(5)
    second = mix(images, target, config, seed=11)

    torch.testing.assert_close(first, second)


def test_without_a_knob_nothing_is_mixed():
    """The very same tensors come back."""
    images, target = torch.rand(2, 3, 8, 8), torch.eye(2)

    assert mix(images, target, TrainConfig(), seed=1) == (images, target)
