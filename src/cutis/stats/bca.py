"""Quantiles of a bootstrap that are moved for bias and skewness: bias-corrected and accelerated, BCa.

The ends of an interval are moved by how far the rounds lie to one side of the value, and by how the spread of a figure
changes with it (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 14; DiCiccio and Efron,
Statistical Science 11:189, 1996). The second is measured by leaving out one cluster at a time. Where clusters are drawn
within strata, they are also left out within strata, and each stratum adds what its own spread and skewness give
(chapter 15, equation 15.36, of two samples).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import Measure
from cutis.stats.resampling import LEVEL, Clusters, Figures, gathered, leave_out, parts_of

TIED = 1e-12  # rounds that differ from the value by rounding alone


def accelerations(figures: Figures, clusters: Clusters) -> dict[Measure, float]:
    """Return the acceleration of each figure, from leaving out one cluster at a time."""
    parts = parts_of(clusters)
    strata = np.zeros(int(parts.max()) + 1, dtype=np.int64)
    strata[parts[parts >= 0]] = clusters.strata[parts >= 0]
    left_out = gathered(figures(weights) for weights in leave_out(clusters, parts))
    return {measure: acceleration(figure, strata) for measure, figure in left_out.items()}


def acceleration(left_out: NDArray[np.float64], strata: NDArray[np.int64]) -> float:
    """Return how fast the standard error changes with a figure, in standard errors of a normal one.

    It is a sixth of the skewness of the influences. Within its stratum, the influence of one of n parts is (n − 1) ×
    (mean of the figures without one part − figure without this one); strata add up their influences / n, squared and
    cubed (Efron and Tibshirani, equations 14.15 and 15.36).

    Args:
        left_out: the figure (P,) without each part; one that cannot be computed, because a diagnosis is gone with that
            part, is NaN, and counts as if the part were not there.
        strata: (P,) which stratum each part is of.
    """
    there = ~np.isnan(left_out)
    figure, strata = left_out[there], strata[there]
    squares = cubes = 0.0
    for stratum in np.unique(strata):
        own = figure[strata == stratum]
        influence = (len(own) - 1) / len(own) * (own.mean() - own)
        squares += float(np.square(influence).sum())
        cubes += float((influence**3).sum())
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0


def bca_levels(
    value: float, drawn: NDArray[np.float64], *, acceleration: float, level: float = LEVEL
) -> tuple[float, float] | None:
    """Return at which quantiles of the rounds (R,) the ends of a BCa interval lie.

    The bias is read from the share of rounds below the value, those that equal it counted one half. None where all
    rounds lie on one side, so that resampling says nothing of the other.

    Efron and Tibshirani, equations 14.10 and 14.14.
    """
    normal = NormalDist()
    below = np.count_nonzero(drawn < value - TIED) + np.count_nonzero(np.abs(drawn - value) <= TIED) / 2
    if not 0 < below < len(drawn):
        return None
    bias = normal.inv_cdf(below / len(drawn))
    ends = (bias + normal.inv_cdf((1 - level) / 2), bias + normal.inv_cdf((1 + level) / 2))
    if max(acceleration * end for end in ends) >= 1:
        return None
    low, high = (normal.cdf(bias + end / (1 - acceleration * end)) for end in ends)
    return low, high
