"""Means over readers with their variance where not every reader reads every case: Gallas' one-shot U-statistics.

A figure is a weighted mean of successes, one for each reader and each pair of a diseased and a healthy case (for an
area) or each case (for a share). The expectation of its square is a sum over pairs of successes, which are of the same
reader or not, of the same diseased case or not, of the same healthy case or not: eight moments, four of a share. Each
moment is estimated without bias by the mean over all such pairs that were read, and weighted as the design has it. The
last moment, of pairs that share nothing, estimates the squared figure, and is taken away. Nothing is assumed of the
design but that who read what says nothing of how hard it was.

Gallas, Academic Radiology 13:353 (2006); Gallas, Pennello and Myers, Journal of the Optical Society of America A
24:B70 (2007), of shares; Gallas and Brown, Neural Networks 21:387 (2008), of any design.

An unbiased variance may come out too small, or below 0. It is never taken to be less than what the spread of the
readers alone gives, as in Obuchowski and Rockette's test, whose degrees of freedom are used with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.contrasts import BOTH, Contrast, Random, degrees_of_freedom
from cutis.stats.mrmc.endpoints import AUC, Endpoint, worth

Weighting = Literal["readings", "readers"]  # what counts alike in a mean
Successes = Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]]  # of a reader: successes and read, both
# (T, P, Q), 0 where not read

SUCCESS, READ, WEIGHT = range(3)


class OneShot(NamedTuple):
    """Means of T treatments over readers, and how they vary together."""

    values: NDArray[np.float64]  # (T,)
    by_reader: NDArray[np.float64]  # (T, R); NaN where a reader has nothing to be judged by
    both: NDArray[np.float64]  # (T, T) covariance with readers and cases random
    cases: NDArray[np.float64]  # (T, T) with the readers fixed
    readers: NDArray[np.float64]  # (T, T) what the spread of the readers alone gives
    number_of_readers: int

    def contrast(self, weights: NDArray[np.float64], *, random: Random = BOTH, cases: float = math.inf) -> Contrast:
        """Return a sum of the means weighted by (T,); `cases` as of `degrees_of_freedom`."""
        both, fixed, readers = (np.asarray(weights @ part @ weights) for part in (self.both, self.cases, self.readers))
        difference, freedom = np.asarray(weights @ self.values), float(self.number_of_readers - 1)
        match random:
            case "readers":
                return Contrast(difference, np.sqrt(readers), np.asarray(freedom))
            case "cases":
                return Contrast(difference, np.sqrt(np.maximum(fixed, 0.0)), np.asarray(np.inf))
            case "readers and cases":
                variance = np.maximum(both, readers)
                degrees = degrees_of_freedom(readers, variance - readers, readers=freedom, cases=cases)
                return Contrast(difference, np.sqrt(variance), degrees)

    def remark(self, weights: NDArray[np.float64], *, random: Random = BOTH) -> str:
        """Say where the unbiased variance of that sum is not what was taken."""
        if random == "readers and cases" and weights @ self.both @ weights < weights @ self.readers @ weights:
            return "the unbiased variance is less than the readers' spread alone gives, which was taken"
        if random == "cases" and weights @ self.cases @ weights < 0:
            return "the unbiased variance came out below 0"
        return ""


def one_shot(
    scores: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    endpoint: Endpoint,
    weighting: Weighting = "readings",
    of_case: NDArray[np.int64] | None = None,
) -> OneShot:
    """Return the means over readers of T treatments with their covariance, whatever the design.

    Args:
        scores: (T, R, N), NaN where a reader did not read a case.
        truth: (N,) 0 or 1.
        endpoint: "auc", or a share of one stratum.
        weighting: whether every reading counts alike, or every reader.
        of_case: (N,) the cluster of each case, of shares alone.
    """
    readers = scores.shape[1]
    successes = _of_pairs(scores, truth > 0) if endpoint == AUC else _of_cases(scores, truth, endpoint, of_case)
    return _moments(successes, readers, weighting, pairs=endpoint == AUC)


def _of_pairs(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Successes:
    def of(reader: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        own = scores[:, reader]
        diseased, healthy = own[:, positive][:, :, None], own[:, ~positive][:, None, :]
        read = ~np.isnan(diseased) & ~np.isnan(healthy)
        return np.where(read, (diseased > healthy) + (diseased == healthy) / 2, 0.0), read.astype(np.float64)

    return of


def _of_cases(
    scores: NDArray[np.float64], truth: NDArray[np.int64], endpoint: Endpoint, of_case: NDArray[np.int64] | None
) -> Successes:
    """Shares have one stratum here; the cases of a cluster are summed, and stand for one case of their number."""
    counted = {"sensitivity": truth > 0, "specificity": truth <= 0}.get(endpoint, np.ones(len(truth), dtype=np.bool_))
    worths = worth(scores, truth, endpoint=endpoint)[..., counted]
    owner = np.arange(len(truth)) if of_case is None else of_case
    _, owner = np.unique(owner[counted], return_inverse=True)
    summed = np.eye(int(owner.max(initial=-1)) + 1)[owner]

    def of(reader: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        own = worths[:, reader]
        read = ~np.isnan(own)
        return (np.where(read, own, 0.0) @ summed)[..., None], (read.astype(np.float64) @ summed)[..., None]

    return of


def _moments(successes: Successes, readers: int, weighting: Weighting, *, pairs: bool) -> OneShot:
    """Return the means and covariances from the sums over pairs of successes."""
    counts = np.stack([successes(reader)[1].sum(axis=(1, 2)) for reader in range(readers)], axis=1)  # (T, R)
    weights = _weights(counts, weighting)
    treatments = len(counts)
    within = np.zeros((4, 3, treatments, treatments))  # same reader: inclusive sums by what else is the same
    totals = np.zeros((readers, 3, treatments))
    everyone = np.zeros(())
    for reader in range(readers):
        success, read = successes(reader)
        each = np.stack([success, read, read * weights[:, reader, None, None]])  # (3, T, P, Q)
        within += _inclusive(each)
        totals[reader] = each.sum(axis=(2, 3))
        everyone = everyone + each
    same = _exclusive(within)
    other = _exclusive(_inclusive(everyone)) - same
    with np.errstate(invalid="ignore", divide="ignore"):
        moments = [
            np.where(part[:, READ] > 0, part[:, SUCCESS] / part[:, READ], 0.0) for part in (same, other)
        ]  # (4, T, T) each
        by_reader = np.where(counts > 0, totals[:, SUCCESS].T / counts, np.nan)
        values = np.nansum(by_reader * totals[:, WEIGHT].T, axis=1)
    apart = 3 if pairs else 2  # the sums in which no case is the same
    squared = np.where(other[apart, READ] > 0, moments[1][apart], np.nan)
    summed = sum((part[:, WEIGHT] * moment).sum(axis=0) for part, moment in zip((same, other), moments, strict=True))
    shares = [part[:, WEIGHT].sum(axis=0) for part in (same, other)]
    fixed = summed - shares[0] * moments[0][apart] - shares[1] * moments[1][apart]
    active = int((counts > 0).any(axis=0).sum())
    lead = np.where(counts > 0, totals[:, WEIGHT].T * (np.nan_to_num(by_reader) - values[:, None]), 0.0)
    spread = lead @ lead.T * (active / (active - 1) if active > 1 else np.nan)
    return OneShot(values, by_reader, np.asarray(summed - squared), np.asarray(fixed), spread, active)


def _weights(counts: NDArray[np.float64], weighting: Weighting) -> NDArray[np.float64]:
    """Return the weight (T, R) of each success of a reader; all of a treatment sum to one."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if weighting == "readings":
            return np.where(counts > 0, 1 / counts.sum(axis=1, keepdims=True), 0.0)
        return np.where(counts > 0, 1 / (counts * (counts > 0).sum(axis=1, keepdims=True)), 0.0)


def _inclusive(each: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums (4, 3, T, T) of products, at least the same: both cases, the diseased, the healthy, none."""
    rows, columns = each.sum(axis=3), each.sum(axis=2)
    total = rows.sum(axis=2)
    flat = each.reshape(*each.shape[:2], -1)
    return np.stack([_products(flat), _products(rows), _products(columns), total[:, :, None] * total[:, None, :]])


def _products(each: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = each @ each.swapaxes(-1, -2)
    return product


def _exclusive(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums in which exactly so much is the same: both cases, the diseased alone, the healthy alone, none.

    A share has its cases for the diseased and one healthy case for all; the latter two of its sums are then those of
    one case, and of none that is the same.
    """
    both, diseased, healthy, none = sums
    return np.stack([both, diseased - both, healthy - both, none - diseased - healthy + both])
