"""How far raters agree beyond chance: pure functions of who said what, and a weight per case.

`weights` is (R, N): a row of ones for the plain figure, or a row per round of a bootstrap, all answered at once.
What cannot be computed (nobody rated twice, or everybody always said the same) is NaN. Intervals stand in
`rater_agreement`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cutis.stats.weights import Weights, one_hot

Scale = Literal["nominal", "ordinal", "interval", "ratio"]
Partial = Literal["nominal", "linear", "quadratic"]


def cohen_kappa(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    *,
    kinds: int,
    weights: Weights,
    partial: Partial = "nominal",
) -> NDArray[np.float64]:
    """Return Cohen's kappa (R,) of two raters of the same N cases into `kinds` diagnoses; −1 where one did not rate.

    Cohen, Educational and Psychological Measurement 20:37 (1960); weighted, Psychological Bulletin 70:213 (1968).

    Args:
        first: (N,) what the one said.
        second: (N,) what the other said.
        kinds: how many diagnoses, or grades, there are.
        weights: (R, N).
        partial: how much near misses count, for grades in order.
    """
    both = (first >= 0) & (second >= 0)
    first, second, weights = first[both], second[both], weights[:, both]
    total = weights.sum(axis=1)
    agreement = partial_agreement(kinds, partial)
    with np.errstate(invalid="ignore"):
        observed = weights @ agreement[first, second] / total
        shares = [weights @ one_hot(said, kinds) / total[:, None] for said in (first, second)]
    return _beyond_chance(observed, (shares[0] @ agreement * shares[1]).sum(axis=1))


def fleiss_kappa(counts: NDArray[np.int64], *, weights: Weights) -> NDArray[np.float64]:
    """Return Fleiss' kappa (R,) of `counts` (N, K): how many raters gave case n the diagnosis k.

    The number of raters may vary: a case counts for agreement from two raters on, for the shares of the diagnoses from
    one on. Fleiss, Psychological Bulletin 76:378 (1971), generalised by Gwet, Handbook of Inter-Rater Reliability
    (4th edition, 2014), chapter 2; with the same number everywhere it is Fleiss' own.
    """
    observed, shares = _observed_and_shares(counts, np.eye(counts.shape[1]), weights)
    return _beyond_chance(observed, (shares**2).sum(axis=1))


def gwet_coefficient(
    counts: NDArray[np.int64], *, weights: Weights, partial: Partial = "nominal"
) -> NDArray[np.float64]:
    """Return Gwet's AC1 (R,) of `counts` (N, K), or AC2 where near misses count: K grades, or diagnoses that exist.

    Where one diagnosis is rare, a kappa may be near 0 although nearly all agree; this one is not.
    Gwet, British Journal of Mathematical and Statistical Psychology 61:29 (2008); with gaps and partial agreement,
    Handbook of Inter-Rater Reliability (4th edition, 2014), chapters 2 to 4.
    """
    kinds = counts.shape[1]
    agreement = partial_agreement(kinds, partial)
    observed, shares = _observed_and_shares(counts, agreement, weights)
    expected = agreement.sum() * (shares * (1 - shares)).sum(axis=1) / max(kinds * (kinds - 1), 1)
    return _beyond_chance(observed, expected)


def krippendorff_alpha(
    counts: NDArray[np.int64],
    *,
    weights: Weights,
    scale: Scale = "nominal",
    values: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return Krippendorff's alpha (R,) of `counts` (N, K): how many raters gave case n the value k.

    Cases with fewer than two ratings are left out. Krippendorff, Content Analysis (4th edition, 2019), chapter 12;
    Hayes and Krippendorff, Communication Methods and Measures 1:77 (2007).

    Args:
        counts: (N, K); the order of the K values is theirs for "ordinal".
        weights: (R, N).
        scale: what a difference of two values is.
        values: (K,) the numbers themselves; 1 to K, if not given. "ratio" wants none below 0.
    """
    raters = counts.sum(axis=1)
    pairable = weights * (raters > 1)
    numbers = np.arange(1.0, counts.shape[1] + 1) if values is None else np.asarray(values, dtype=np.float64)
    totals = pairable @ counts  # (R, K)
    each = pairable / np.maximum(raters - 1, 1)
    observed, expected = APART[scale](counts.astype(np.float64), totals, each, numbers)
    total = totals.sum(axis=1)
    alpha = np.full(total.shape, np.nan)
    np.divide((total - 1) * observed, expected, out=alpha, where=expected > np.finfo(float).eps)
    return np.asarray(1 - alpha)


def share_of_agreement(
    counts: NDArray[np.int64], *, weights: Weights, partial: Partial = "nominal"
) -> NDArray[np.float64]:
    """Return how often (R,) two raters of a case say the same, chance and all."""
    return _observed_and_shares(counts, partial_agreement(counts.shape[1], partial), weights)[0]


def counts_of(labels: NDArray[np.int64], kinds: int) -> NDArray[np.int64]:
    """Return how many of the raters (M, N), −1 where one did not rate, gave each case each diagnosis (N, K)."""
    cases = labels.shape[1]
    at = np.where(labels >= 0, np.arange(cases) * kinds + labels, cases * kinds)
    return np.bincount(at.ravel(), minlength=cases * kinds + 1)[:-1].reshape(cases, kinds)


def partial_agreement(kinds: int, partial: Partial) -> NDArray[np.float64]:
    """Return how far (K, K) two grades agree: 1 the same, 0 the farthest apart."""
    if partial == "nominal" or kinds == 1:
        return np.eye(kinds)
    apart = np.abs(np.subtract.outer(np.arange(kinds), np.arange(kinds))) / (kinds - 1)
    return np.asarray(1 - apart ** (2 if partial == "quadratic" else 1))


def _observed_and_shares(
    counts: NDArray[np.int64], agreement: NDArray[np.float64], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how often (R,) two raters of a case agree, and the share (R, K) of each diagnosis."""
    raters = counts.sum(axis=1)
    several, rated = weights * (raters > 1), weights * (raters > 0)
    pairs = np.maximum(raters * (raters - 1), 1)
    agreed = (counts * (counts @ agreement - 1)).sum(axis=1) / pairs
    with np.errstate(invalid="ignore"):
        observed = several @ agreed / several.sum(axis=1)
        shares = rated @ (counts / np.maximum(raters, 1)[:, None]) / rated.sum(axis=1, keepdims=True)
    return observed, shares


Apart = Callable[
    [NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    tuple[NDArray[np.float64], NDArray[np.float64]],
]  # counts (N, K), totals (R, K), weights per pair (R, N), values (K,) → squared differences within and over all (R,)


def _by_matrix(squares: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Apart:
    """Differences that hang on the two values alone."""

    def apart(
        counts: NDArray[np.float64],
        totals: NDArray[np.float64],
        each: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        square = squares(values)
        return each @ (counts @ square * counts).sum(axis=1), (totals @ square * totals).sum(axis=1)

    return apart


def _by_rank(
    counts: NDArray[np.float64], totals: NDArray[np.float64], each: NDArray[np.float64], _: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences of the mean ranks of two values among all ratings, so that they change with the weights."""
    ranks = np.cumsum(totals, axis=1) - totals / 2
    middle, square = ranks @ counts.T, ranks**2 @ counts.T  # (R, N)
    within = (each * 2 * (counts.sum(axis=1) * square - middle**2)).sum(axis=1)
    all_ratings = 2 * (totals.sum(axis=1) * (totals * ranks**2).sum(axis=1) - (totals * ranks).sum(axis=1) ** 2)
    return within, all_ratings


def _ratios(values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.add.outer(values, values)
    return np.square(np.subtract.outer(values, values) / np.where(sums > 0, sums, 1.0))


APART: dict[Scale, Apart] = {
    "nominal": _by_matrix(lambda values: 1 - np.eye(len(values))),
    "ordinal": _by_rank,
    "interval": _by_matrix(lambda values: np.square(np.subtract.outer(values, values))),
    "ratio": _by_matrix(_ratios),
}


def _beyond_chance(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    possible = 1 - expected
    kappa = np.full(observed.shape, np.nan)
    np.divide(observed - expected, possible, out=kappa, where=possible > np.finfo(float).eps)
    return kappa
