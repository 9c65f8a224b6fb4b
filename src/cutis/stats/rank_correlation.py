"""Whether two lists of values have the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Values = NDArray[np.floating[Any]]


def rank_correlations(one: Values, other: Values) -> NDArray[np.float64]:
    """Return Spearman's correlation (…) of two lists of values (…, P), tied values at the mean of their ranks.

    1 is the same order, −1 the opposite. Where all values of a list are the same it has no order, and agrees with
    nothing: 0.
    """
    first, second = _standardised_ranks(one), _standardised_ranks(other)
    correlations: NDArray[np.float64] = (first * second).sum(axis=-1)
    return correlations


def _standardised_ranks(values: Values) -> NDArray[np.float64]:
    """Return ranks (…, P) of mean 0 and of length 1, or all 0 where there is no order."""
    ranks = rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    length = np.sqrt((ranks**2).sum(axis=-1, keepdims=True))
    standardised: NDArray[np.float64] = ranks / np.where(length > 0, length, 1)
    return standardised
