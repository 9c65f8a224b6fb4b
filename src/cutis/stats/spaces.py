"""In which space two pictures are alike: what is done to their features before the cosine between them is taken.

    raw           nothing
    centred       less the mean of what was learned: what all pictures share tells nothing about any
    standardised  and each feature by its spread
    whitened      in the widest directions, each by its spread   (Jégou and Chum, ECCV 2012)
    within        the same of the spread within a diagnosis alone, so that what makes two cases of one diagnosis differ
                  counts for little                              (Shental et al., ECCV 2002, on relevant components)

From the simplest on. All are affine, fitted on the pictures that were learned from, and applied by numpy alone.
N pictures, F features, r directions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.distance import NARROWEST, fit_gaussian


class Space(NamedTuple):
    """A centre, and a scale for each feature or a basis of fewer directions."""

    kind: str
    centre: NDArray[np.float32]  # (F,)
    axes: NDArray[np.float32]  # (F,) factors, or (F, r) directions over their spread


Fit = Callable[[NDArray[np.float64], NDArray[np.int64]], Space]


def placed(features: NDArray[np.floating], space: Space) -> NDArray[np.float32]:
    """Return where features (N, F) lie in a space, on its unit sphere (N, r): a product of two places is their cosine.

    What lies in the very centre has no direction, and no likeness to anything.
    """
    moved = features.astype(np.float32) - space.centre
    there = moved @ space.axes if space.axes.ndim > 1 else moved * space.axes
    lengths = np.linalg.norm(there, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = there / np.maximum(lengths, np.float32(SHORTEST_SINGLE))
    return scaled


def fit_space(kind: str, features: NDArray[np.floating], diagnosis: NDArray[np.int64]) -> Space:
    """Fit a space of this kind to features (N, F) of pictures with a diagnosis (N,), 0 to K − 1, each of which occurs.

    Raises:
        ValueError: there is no such space.
    """
    if kind not in SPACES:
        raise ValueError(f"no such space: {kind!r}; known are {', '.join(SPACES)}")
    return SPACES[kind](features.astype(np.float64), diagnosis)


def _raw(features: NDArray[np.float64], _diagnosis: NDArray[np.int64]) -> Space:
    width = features.shape[1]
    return Space("raw", np.zeros(width, np.float32), np.ones(width, np.float32))


def _centred(features: NDArray[np.float64], _diagnosis: NDArray[np.int64]) -> Space:
    return Space("centred", _single(features.mean(axis=0)), np.ones(features.shape[1], np.float32))


def _standardised(features: NDArray[np.float64], _diagnosis: NDArray[np.int64]) -> Space:
    deviations = np.sqrt(features.var(axis=0) + NARROWEST)
    return Space("standardised", _single(features.mean(axis=0)), _single(1 / deviations))


def _whitened(features: NDArray[np.float64], _diagnosis: NDArray[np.int64]) -> Space:
    return _by_gaussian("whitened", features, np.zeros(len(features), np.int64))


def _within(features: NDArray[np.float64], diagnosis: NDArray[np.int64]) -> Space:
    return _by_gaussian("within", features, diagnosis)


def _by_gaussian(kind: str, features: NDArray[np.float64], groups: NDArray[np.int64]) -> Space:
    gaussian = fit_gaussian(features, groups, kinds=int(groups.max()) + 1)
    axes = gaussian.directions / np.maximum(gaussian.deviations, NARROWEST)
    return Space(kind, _single(features.mean(axis=0)), _single(axes))


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)


SHORTEST_SINGLE = np.finfo(np.float32).tiny
SPACES: dict[str, Fit] = {
    "raw": _raw,
    "centred": _centred,
    "standardised": _standardised,
    "whitened": _whitened,
    "within": _within,
}
