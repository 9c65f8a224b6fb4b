"""A weight per case and round, and what is summed by it.

`Weights` are (R, N): a row of ones for the plain figure, or a row per round of a bootstrap, all answered at once.
What is drawn is counted in whole numbers, but any weights that are not negative will do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
SideBySide = NDArray[np.float32] | NDArray[np.float64]
EXACT_IN_SINGLE = 2**24  # below it, single precision tells every whole number from the next


def one_hot(indices: NDArray[np.int64], kinds: int) -> NDArray[np.float64]:
    """Return (N, K) zeros with a one per row."""
    return np.eye(kinds)[indices]


def rounds_side_by_side(weights: Weights, *, times: int = 1) -> SideBySide:
    """Return weights (R, N) laid out so that all rounds of a case lie in one stretch of memory.

    They are in single precision, half as long to read, where that is exact: for whole numbers, as they are drawn, as
    long as the sum of all cases, each of them up to so many times, stays below 2²⁴.
    """
    most = times * weights.sum(axis=1).max(initial=0)
    is_exact = most < EXACT_IN_SINGLE and all((row == np.rint(row)).all() for row in weights)
    return weights.T.astype(np.float32, order="C").T if is_exact else weights.T.astype(np.float64, order="C").T


def weighted_mean(values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Return the mean (R,) of a value per case (N,)."""
    return ratio(weights @ values, weights.sum(axis=1))


def ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; where the whole is empty, NaN."""
    part, whole = np.broadcast_arrays(part, whole)
    quotient = np.full(part.shape, np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient
