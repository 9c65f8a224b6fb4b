"""Whether a map stays what it is under what changes nothing: a shift of a few pixels, and noise that nobody sees.

The order of a map's values before and after, by Spearman's correlation. A shifted map is moved back first, and what
left the picture is not compared. Maps of one network resemble each other even where the pictures have nothing in
common, so that what two pictures agree by stands beside.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.rank_correlation import rank_correlations

SHIFT = 0.03  # of the picture's side
NOISE = 2.0  # grey levels, standard deviation

Values = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]


class Shift(NamedTuple):
    """By how many pixels a picture is moved."""

    down: int
    across: int


def shifts_of(size: int) -> tuple[Shift, ...]:
    """Return two shifts along the diagonals, opposite to each other, for pictures of this side."""
    by = max(1, round(SHIFT * size))
    return Shift(by, by), Shift(-by, -by)


def shifted(pictures: Pixels, shift: Shift) -> Pixels:
    """Return pictures (N, S, S, 3) moved; what comes in repeats their edge."""
    size = pictures.shape[1]
    rows, columns = (np.clip(np.arange(size) - by, 0, size - 1) for by in shift)
    return pictures[:, rows[:, None], columns]


def noisy(pictures: Pixels, *, generator: np.random.Generator) -> Pixels:
    """Return pictures (N, S, S, 3) with a noise of `NOISE` grey levels."""
    grain = NOISE * generator.standard_normal(pictures.shape, dtype=np.float32)
    return np.clip(np.rint(pictures + grain), 0, 255).astype(np.uint8)


def kept_under(shift: Shift, before: Values, after: Values) -> NDArray[np.float64]:
    """Return how much of the order of maps (N, S, S) is kept by those of the shifted pictures, moved back; (N,)."""
    size = before.shape[-1]
    rows, columns = (slice(max(0, -by), size - max(0, by)) for by in shift)
    moved_rows, moved_columns = (slice(max(0, by), size - max(0, -by)) for by in shift)
    return agreement(before[:, rows, columns], after[:, moved_rows, moved_columns])


def agreement(one: Values, other: Values) -> NDArray[np.float64]:
    """Return Spearman's correlation (N,) of maps (N, h, w), pair by pair."""
    return rank_correlations(one.reshape(len(one), -1), other.reshape(len(other), -1))
