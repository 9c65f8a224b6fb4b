"""Do two thumbnails show the same photograph? Laid over each other, their fine detail agrees or it does not.

Two lesions may have the same colours and outline; they never have the same pores, hairs and pigment in the same places.
Everything here works on many pairs at once: P pairs of grey thumbnails of S × S pixels, (P, S, S) float32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEPS = ((16, 4), (32, 3), (64, 1))  # from coarse to fine: pixels a side, steps of Gauss and Newton
LARGEST_CHANGE = 0.1  # of scale, and of place in half widths: room for a crop of 5 % and a little more
BLOCK = 8  # pixels a side of the blocks in which detail is compared
DETAIL_RADIUS = 2  # what differs from the mean of 5 × 5 pixels is detail
FLAT = 0.25  # grey levels: a block with less detail than this in both thumbnails says nothing
LEAST_COVERED = 0.5  # of a block, by both thumbnails
SHARE_BELOW = 1 / 3  # of the blocks: two thirds must agree as well as is said, or better
FEWEST_BLOCKS = 8  # with fewer blocks to compare there is no agreement
DAMPING = 1e-4  # of the least squares
SMALLEST = np.float32(1e-6)  # keeps a flat block, and an unknown that nothing depends on, from dividing by 0


def agreement(still: Floats, moving: Floats) -> Floats:
    """Return (P,) in −1..1: how well the detail of two aligned thumbnails correlates in two thirds of their blocks.

    A quantile over blocks is not moved by what two different pictures share (the dark frame of a dermatoscope, a
    ruler, an outline), nor by what two copies do not (a label, a reflection); a correlation is not moved by light and
    contrast.
    """
    laid, seen = _laid_over(_detail_of(moving), align(still, moving))
    ours, theirs, counts = (_blocks(values) for values in (_detail_of(still), laid, seen.astype(np.float32)))
    ours, theirs = ours * counts, theirs * counts
    our_energy, their_energy = np.square(ours).sum(axis=2), np.square(theirs).sum(axis=2)
    correlations = (ours * theirs).sum(axis=2) / np.sqrt(our_energy * their_energy + SMALLEST)
    telling = np.maximum(our_energy, their_energy) > FLAT**2 * BLOCK**2
    telling &= counts.mean(axis=2) > LEAST_COVERED
    correlations[~telling] = np.nan
    correlations[telling.sum(axis=1) < FEWEST_BLOCKS] = 0
    return np.asarray(np.nanquantile(correlations, SHARE_BELOW, axis=1), np.float32)


def align(still: Floats, moving: Floats) -> Floats:
    """Return (P, 4): by which scale and shift, down and across, the moving thumbnails are laid over the still ones.

    A place u in −1..1 of the still thumbnail lies at ``scale * u + shift`` of the moving one. Least squares over these
    four, with gain and offset of the light, from coarse to fine (Lucas and Kanade 1981).
    """
    placement = np.tile(np.array([1, 0, 1, 0], np.float32), (len(still), 1))
    for side, steps in STEPS:
        coarse_still, coarse_moving = (_standardised(_shrunk(thumbnails, side)) for thumbnails in (still, moving))
        for _ in range(steps):
            placement = _one_step(coarse_still, coarse_moving, placement)
    return placement


def _one_step(still: Floats, moving: Floats, placement: Floats) -> Floats:
    laid, seen = _laid_over(moving, placement)
    side = still.shape[1]
    places = _places(side)
    down, across = (np.gradient(laid, axis=axis) * (side / 2) for axis in (1, 2))
    changes = (down * places[:, None], down, across * places, across, laid, np.ones_like(laid))
    design = np.stack([change * seen for change in changes], axis=1).reshape(len(still), len(changes), -1)
    wanted = ((still - laid) * seen).reshape(len(still), -1, 1)
    normal = design @ design.transpose(0, 2, 1)
    damping = np.einsum("pii->pi", normal) * DAMPING + SMALLEST  # as Marquardt: each unknown by its own measure
    fitted = np.linalg.solve(normal + damping[:, :, None] * np.eye(len(changes)), design @ wanted)[..., 0]
    gain = np.maximum(1 + fitted[:, 4:5], 0.2)  # a negative is no copy; the bound keeps the step finite
    middle = np.array([1, 0, 1, 0], np.float32)
    moved = placement + fitted[:, :4] / gain
    return np.asarray(np.clip(moved, middle - LARGEST_CHANGE, middle + LARGEST_CHANGE), np.float32)


class _Laid(NamedTuple):
    thumbnails: Floats
    seen: NDArray[np.bool_]  # (P, S, S): where the moving thumbnail covers the still one


def _laid_over(moving: Floats, placement: Floats) -> _Laid:
    """Resample bilinearly; since only scale and shift change, rows and columns are two matrix products."""
    side = moving.shape[1]
    rows, columns = _interpolation(placement[:, :2], side), _interpolation(placement[:, 2:], side)
    inside_rows, inside_columns = (weights.sum(axis=2) > 1 - 1e-3 for weights in (rows, columns))
    seen = inside_rows[:, :, None] & inside_columns[:, None, :]
    return _Laid(np.asarray(rows @ moving @ columns.transpose(0, 2, 1), np.float32), seen)


def _interpolation(scale_and_shift: Floats, side: int) -> Floats:
    at = scale_and_shift[:, :1] * _places(side) + scale_and_shift[:, 1:]
    pixels = (at + 1) * (side / 2) - 1 / 2
    distance = np.abs(pixels[..., None] - np.arange(side, dtype=np.float32))
    return np.asarray(np.maximum(1 - distance, 0), np.float32)


def _places(side: int) -> Floats:
    """Return the middle of each pixel, from −1 to 1."""
    return (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / side) - np.float32(1)


def _shrunk(thumbnails: Floats, side: int) -> Floats:
    count, full = thumbnails.shape[:2]
    shrunk = thumbnails.reshape(count, side, full // side, side, full // side).mean(axis=(2, 4))
    return np.asarray(shrunk, np.float32)


def _standardised(thumbnails: Floats) -> Floats:
    """Return them with mean 0 and standard deviation 1, so that gain and offset start near their end."""
    mean, deviation = (measure(axis=(1, 2), keepdims=True) for measure in (thumbnails.mean, thumbnails.std))
    return np.asarray((thumbnails - mean) / np.maximum(deviation, SMALLEST), np.float32)


def _detail_of(thumbnails: Floats) -> Floats:
    """Return what differs from the mean of its neighbourhood."""
    side = thumbnails.shape[1]
    near = np.clip(np.arange(side)[:, None] + np.arange(-DETAIL_RADIUS, DETAIL_RADIUS + 1), 0, side - 1)
    mean = np.eye(side, dtype=np.float32)[near].mean(axis=1)
    return np.asarray(thumbnails - mean @ thumbnails @ mean.T, np.float32)


def _blocks(thumbnails: Floats) -> Floats:
    """Return (P, blocks, pixels of a block)."""
    count, side = thumbnails.shape[:2]
    across = side // BLOCK
    cut = thumbnails.reshape(count, across, BLOCK, across, BLOCK).transpose(0, 1, 3, 2, 4)
    return cut.reshape(count, across * across, BLOCK * BLOCK)
