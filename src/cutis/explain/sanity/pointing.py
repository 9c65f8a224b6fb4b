"""Whether a map shows what is known to be there: how much of it lies inside a mask, and where its greatest point is.

The share of a map's positive values inside a mask is the energy of Wang et al. (Score-CAM, CVPR workshop 2020), the hit
of the greatest point the pointing game of Zhang et al. (ECCV 2016). Both are easy where a mask is large or in the
middle, so each stands beside what an even map gives, and a blob in the middle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOB = 0.2  # standard deviation of the blob, of each side: more than half of it lies in the middle fifth of the area

Values = NDArray[np.floating[Any]]


class Pointed(NamedTuple):
    """What a map has inside a mask."""

    share: float  # of its positive values; 0 where it has none
    hit: float  # 1 where its greatest point is inside, 0 where not; several that are equal share it
    chance: float  # how much of what was seen the mask covers


def pointed(saliency: Values, mask: NDArray[np.bool_], *, seen: NDArray[np.bool_]) -> Pointed:
    """Hold a map (H, W) against a mask of the same picture.

    Args:
        saliency: over the original picture.
        mask: what is known to be there.
        seen: what the network saw of the picture; what it did not see counts neither way.
    """
    positive = np.where(seen, np.maximum(saliency, 0), 0)
    total, greatest = positive.sum(dtype=np.float64), saliency[seen].max()
    at_the_top = seen & (saliency == greatest)
    return Pointed(
        share=float(positive[mask].sum(dtype=np.float64) / total) if total > 0 else 0.0,
        hit=float(mask[at_the_top].mean()),
        chance=float(mask[seen].mean()),
    )


def blob(height: int, width: int) -> NDArray[np.float64]:
    """Return a map (H, W) that shows the middle of the picture, whatever is there: a normal density."""
    down, across = ((np.arange(side) + 0.5) / side - 0.5 for side in (height, width))
    density: NDArray[np.float64] = np.exp(-(down[:, None] ** 2 + across**2) / (2 * BLOB**2))
    return density
