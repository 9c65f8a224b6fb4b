"""What raters are judged by, and how that varies with the cases, the raters given: by jackknife or DeLong's formula.

Every function takes any number of studies at once: scores (…, M, N) of M raters and N cases. NaN stands where a rater
did not read a case (then one study at a time). Two raters vary together only through cases that both have read.

A share is a mean over cases, and its jackknife gives the same covariance as the usual formula. It runs over the cases
that the share is of: a sensitivity over the diseased alone. An area is a mean over pairs of a diseased and a healthy
case. DeLong, DeLong and Clarke-Pearson (Biometrics 44:837, 1988) give its covariance from what each case has won; where
a cluster has several cases, Obuchowski (Biometrics 53:567, 1997). The jackknife leaves out one case, or one cluster,
after another (Efron and Stein, Annals of Statistics 9:586, 1981).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.areas import won

Endpoint = Literal["auc", "accuracy", "sensitivity", "specificity", "balanced_accuracy", "right", "balanced_right"]
CovarianceMethod = Literal["jackknife", "delong"]

AUC: Endpoint = "auc"
ENDPOINTS: tuple[Endpoint, ...] = (
    "auc",  # of ratings, the higher the more positive
    "accuracy",  # of answers of yes (1) or no (0) to one question
    "sensitivity",
    "specificity",
    "balanced_accuracy",  # mean of the two
    "right",  # share of right answers (1), whatever the diagnosis
    "balanced_right",  # the same, each diagnosis of the truth counting alike
)


class Measured(NamedTuple):
    """The figure of each of M raters, and how they vary together with the cases, the raters given."""

    values: NDArray[np.float64]  # (…, M); NaN where a rater has no case to be judged by
    covariance: NDArray[np.float64]  # (…, M, M)


def measure_raters(
    scores: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    endpoint: Endpoint,
    covariance: CovarianceMethod = "jackknife",
    of_case: NDArray[np.int64] | None = None,
) -> Measured:
    """Return the figure of each rater with its covariance.

    Args:
        scores: (…, M, N) ratings, or 0 and 1, as `ENDPOINTS` says.
        truth: (N,) 0 or 1; of "right" ignored; of "balanced_right" any number of diagnoses.
        endpoint: which figure.
        covariance: how it varies; of a share both methods are the same.
        of_case: (N,) the cluster of each case, 0 to C − 1; if not given, each case is its own.
    """
    owner = np.arange(len(truth)) if of_case is None else of_case
    if endpoint == AUC:
        return _areas(scores, truth > 0, owner, covariance)
    return _shares(worth(scores, truth, endpoint=endpoint), strata_of(truth, endpoint=endpoint), owner)


def worth(scores: NDArray[np.float64], truth: NDArray[np.int64], *, endpoint: Endpoint) -> NDArray[np.float64]:
    """Return what each answer (…, N) is worth, 0 to 1: a share is its mean over the cases of each stratum."""
    return scores if endpoint in {"right", "balanced_right"} else np.where(truth > 0, scores, 1 - scores)


def strata_of(truth: NDArray[np.int64], *, endpoint: Endpoint) -> NDArray[np.int64]:
    """Return the stratum (N,) of each case, every one counting alike; −1 for cases that a share is not of."""
    return STRATA[endpoint](truth)


STRATA: dict[Endpoint, Callable[[NDArray[np.int64]], NDArray[np.int64]]] = {
    "accuracy": np.zeros_like,
    "right": np.zeros_like,
    "sensitivity": lambda truth: np.where(truth > 0, 0, -1),
    "specificity": lambda truth: np.where(truth > 0, -1, 0),
    "balanced_accuracy": lambda truth: (truth > 0).astype(np.int64),
    "balanced_right": lambda truth: np.unique(truth, return_inverse=True)[1].astype(np.int64),
}


def cases_of(truth: NDArray[np.int64], *, endpoint: Endpoint) -> tuple[int, ...]:
    """Return how many cases each part of a figure rests on: the diseased of a sensitivity, both sides of an area."""
    two_sided = endpoint in {AUC, "balanced_accuracy"}
    strata = (truth > 0).astype(np.int64) if two_sided else strata_of(truth, endpoint=endpoint)
    return tuple(np.bincount(strata[strata >= 0], minlength=2 if two_sided else 1).tolist())


def _shares(worths: NDArray[np.float64], strata: NDArray[np.int64], owner: NDArray[np.int64]) -> Measured:
    """Return the mean over strata of the mean over their cases."""
    kinds = np.unique(strata[strata >= 0])
    read = ~np.isnan(worths)
    values = np.zeros(worths.shape[:-1])
    apart = np.zeros(worths.shape)
    single = len(np.unique(owner[strata >= 0])) == np.count_nonzero(strata >= 0)
    covariance = np.zeros((*worths.shape[:-1], worths.shape[-2]))
    for kind in kinds:
        there = read & (strata == kind)
        count = there.sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(there, worths, 0.0).sum(axis=-1) / count
            own = np.where(there, worths - mean[..., None], 0.0) / count[..., None]
        values += mean / len(kinds)
        if single:
            covariance += _together(own, own, _unbiased(there)) / len(kinds) ** 2
        apart += own / len(kinds)
    if not single:
        sums, there = _by_owner(apart, owner), _by_owner((read & (strata >= 0)).astype(np.float64), owner) > 0
        covariance = _together(sums, sums, _unbiased(there))
    return Measured(values, covariance)


def _areas(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], owner: NDArray[np.int64], method: CovarianceMethod
) -> Measured:
    """Return the areas with their covariance."""
    wins, read = _wins(scores, positive), ~np.isnan(scores)
    sides = read & positive, read & ~positive
    counts = [side.sum(axis=-1) for side in sides]
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(sides[0], wins, 0.0).sum(axis=-1) / counts[0]
        values = np.where(counts[1] > 0, values, np.nan)
    if method == "jackknife":
        return Measured(values, _jackknife(scores, wins, values, sides, positive, owner))
    parts, there = [], []
    for side, count in zip(sides, counts, strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.where(side, wins - values[..., None], 0.0) / count[..., None]
        parts.append(_by_owner(apart, owner))
        there.append(_by_owner(side.astype(np.float64), owner) > 0)
    covariance = sum(_together(part, part, _unbiased(on)) for part, on in zip(parts, there, strict=True))
    if len(np.unique(owner)) < len(owner):
        mixed = parts[0] @ parts[1].swapaxes(-1, -2)
        covariance = covariance + (mixed + mixed.swapaxes(-1, -2)) * _unbiased(there[0] | there[1])
    return Measured(values, np.asarray(covariance))


def _jackknife(
    scores: NDArray[np.float64],
    wins: NDArray[np.float64],
    values: NDArray[np.float64],
    sides: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    positive: NDArray[np.bool_],
    owner: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the covariance (…, M, M) of areas, from leaving out one cluster after another.

    What is won without a cluster is all that was won, less the pairs with one of its cases; pairs within it would be
    taken away twice.
    """
    lost = [_by_owner(np.where(side, wins, 0.0), owner) for side in sides]
    gone = [_by_owner(side.astype(np.float64), owner) for side in sides]
    had = [side.sum(axis=-1)[..., None] for side in sides]
    pairs = had[0] * had[1] * values[..., None] - had[1] * lost[0] - had[0] * lost[1]
    for cluster in _mixed(positive, owner):
        own = [scores[..., (owner == cluster) & side] for side in (positive, ~positive)]
        above = own[0][..., :, None] - own[1][..., None, :]
        pairs[..., cluster] += ((above > 0) + (above == 0) / 2).sum(axis=(-1, -2))
    left = (had[0] - gone[0]) * (had[1] - gone[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        without = np.where(left > 0, pairs / left, np.nan)
    clusters = without.shape[-1]
    apart = without - without.mean(axis=-1, keepdims=True)
    covariance: NDArray[np.float64] = (clusters - 1) / clusters * (apart @ apart.swapaxes(-1, -2))
    return covariance


def _mixed(positive: NDArray[np.bool_], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the clusters that have cases of both sides."""
    return np.intersect1d(owner[positive], owner[~positive])


def _wins(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share (…, N) of pairs with the other side that each case is on the right side of; NaN if not read."""
    from scipy.stats import rankdata

    if np.isnan(scores).any():
        found = np.full(scores.shape, np.nan)
        for at in np.ndindex(scores.shape[:-1]):
            read = ~np.isnan(scores[at])
            found[at][read] = won(scores[at][read], positive[read])
        return found
    ranks = rankdata(scores, axis=-1)
    found = np.empty(scores.shape)
    for side, sign in ((positive, 1), (~positive, -1)):
        others = max(np.count_nonzero(~side), 1)
        beneath = (ranks[..., side] - rankdata(scores[..., side], axis=-1)) / others
        found[..., side] = beneath if sign > 0 else 1 - beneath
    return found


def _by_owner(values: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sums (…, C) over the cases of each cluster."""
    clusters = int(owner.max(initial=-1)) + 1
    if clusters == len(owner) and (owner == np.arange(clusters)).all():
        return values
    sums: NDArray[np.float64] = values @ np.eye(clusters)[owner]
    return sums


def _together(
    first: NDArray[np.float64], second: NDArray[np.float64], unbiased: NDArray[np.float64]
) -> NDArray[np.float64]:
    summed: NDArray[np.float64] = (first @ second.swapaxes(-1, -2)) * unbiased
    return summed


def _unbiased(there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what makes a sum of products over the clusters that two raters share (…, M, M) unbiased.

    Raters without a cluster in common do not vary together; one with a single cluster shows no spread: NaN.
    """
    by_rater = there.reshape(-1, there.shape[-1])
    if (by_rater == by_rater[:1]).all():  # all have read the same
        clusters = int(by_rater[0].sum())
        return np.full((1, 1), clusters / (clusters - 1) if clusters > 1 else np.nan)
    shared = there.astype(np.float64) @ there.astype(np.float64).swapaxes(-1, -2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(shared > 1, shared / (shared - 1), np.where(shared == 0, 0.0, np.nan))
