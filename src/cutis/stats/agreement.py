"""How far raters agree beyond chance: pure functions of who said what, and a weight per case.

`weights` is (R, N): a row of ones for the plain figure, or a row per round of a bootstrap, all answered at once.
What cannot be computed (nobody rated twice, or everybody always said the same) is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cutis.stats.weights import Weights, one_hot


def cohen_kappa(
    first: NDArray[np.int64], second: NDArray[np.int64], *, kinds: int, weights: Weights
) -> NDArray[np.float64]:
    """Return Cohen's kappa (R,) of two raters who both rated the same N cases into `kinds` diagnoses.

    Cohen, Educational and Psychological Measurement 20:37 (1960).
    """
    total = weights.sum(axis=1)
    observed = weights @ (first == second) / total
    shares = [weights @ one_hot(said, kinds) / total[:, None] for said in (first, second)]
    return _beyond_chance(observed, (shares[0] * shares[1]).sum(axis=1))


def fleiss_kappa(counts: NDArray[np.int64], *, weights: Weights) -> NDArray[np.float64]:
    """Return Fleiss' kappa (R,) of `counts` (N, K): how many raters gave case n the diagnosis k.

    The number of raters may vary: a case counts for agreement from two raters on, for the shares of the diagnoses from
    one on. Fleiss, Psychological Bulletin 76:378 (1971), generalised by Gwet, Handbook of Inter-Rater Reliability
    (4th edition, 2014), chapter 2; with the same number everywhere it is Fleiss' own.
    """
    raters = counts.sum(axis=1)
    several, rated = weights * (raters > 1), weights * (raters > 0)
    pairs = np.maximum(raters * (raters - 1), 1)
    agreement = (counts * (counts - 1)).sum(axis=1) / pairs
    with np.errstate(invalid="ignore"):
        observed = several @ agreement / several.sum(axis=1)
        shares = rated @ (counts / np.maximum(raters, 1)[:, None]) / rated.sum(axis=1, keepdims=True)
    return _beyond_chance(observed, (shares**2).sum(axis=1))


def _beyond_chance(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    possible = 1 - expected
    kappa = np.full(observed.shape, np.nan)
    np.divide(observed - expected, possible, out=kappa, where=possible > np.finfo(float).eps)
    return kappa
