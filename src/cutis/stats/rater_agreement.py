"""How far readers agree, with intervals that know both: other readers, and other cases.

One reader after another is left out, and one cluster of cases after another; the two variances of the jackknife are
added, which counts what readers and cases do together twice, and so errs on the safe side (Gwet, Handbook of
Inter-Rater Reliability, 4th edition, 2014, chapter 5, adds the two sources as well). A bootstrap of readers would not
do: whoever is drawn twice agrees with himself. Student's t with Satterthwaite's degrees of freedom, cut off at −1
and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial as given
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.agreement import (
    Partial,
    cohen_kappa,
    counts_of,
    fleiss_kappa,
    gwet_coefficient,
    krippendorff_alpha,
    share_of_agreement,
)
from cutis.stats.resampling import LEVEL, ROUNDS_AT_ONCE, Clusters
from cutis.stats.weights import Weights, ratio
from cutis.vocabulary.estimate import Estimate

Coefficient = Callable[..., NDArray[np.float64]]  # counts (N, K), weights=(R, N) → (R,)

FEWEST_TO_LEAVE_OUT = 3  # two must be left to agree
COEFFICIENTS: dict[str, Coefficient] = {
    "agreement": share_of_agreement,
    "fleiss_kappa": fleiss_kappa,
    "gwet_ac1": gwet_coefficient,
    "gwet_ac2_linear": given(gwet_coefficient, partial="linear"),
    "gwet_ac2_quadratic": given(gwet_coefficient, partial="quadratic"),
    "krippendorff_nominal": krippendorff_alpha,
    "krippendorff_ordinal": given(krippendorff_alpha, scale="ordinal"),
    "krippendorff_interval": given(krippendorff_alpha, scale="interval"),
    "krippendorff_ratio": given(krippendorff_alpha, scale="ratio"),
}


class _Spread(NamedTuple):
    """A variance from leaving out one of several."""

    variance: float
    degrees: int


def estimate_agreement(
    labels: NDArray[np.int64],
    clusters: Clusters,
    *,
    kinds: int,
    coefficient: str = "fleiss_kappa",
    readers_are_random: bool = True,
    level: float = LEVEL,
) -> Estimate:
    """Return how far M readers agree on N cases, each by any number of them.

    Args:
        labels: (M, N) index of what each said, −1 where not read.
        clusters: which of the N cases belong together.
        kinds: how many diagnoses, or grades in order, there are to choose from.
        coefficient: one of `COEFFICIENTS`.
        readers_are_random: whether the result is about other readers too, or about these alone.
        level: of the interval.

    Raises:
        ValueError: an unknown coefficient.
    """
    if coefficient not in COEFFICIENTS:
        raise ValueError(f"the coefficient {coefficient!r} is none of {', '.join(COEFFICIENTS)}")
    measure, counts = COEFFICIENTS[coefficient], counts_of(labels, kinds)
    once = np.ones((1, labels.shape[1]))
    value = float(measure(counts, weights=once)[0])
    parts = [_of_cases(lambda weights: measure(counts, weights=weights), clusters)]
    note, reading = "", int((labels >= 0).any(axis=1).sum())
    if readers_are_random and reading < FEWEST_TO_LEAVE_OUT:
        note = f"{reading} readers: the interval is over cases alone"
    elif readers_are_random:
        without = [
            measure(counts - counts_of(each[None], kinds), weights=once)[0] for each in labels if (each >= 0).any()
        ]
        parts.append(_jackknifed(np.array(without)))
    return _estimate(value, parts, clusters, what=f"{coefficient}, {reading} readers", level=level, note=note)


def estimate_mean_kappa(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    clusters: Clusters,
    *,
    kinds: int,
    partial: Partial = "nominal",
    readers_are_random: bool = True,
    level: float = LEVEL,
) -> Estimate:
    """Return the mean over M pairs of Cohen's kappa: a reader's two occasions, or the network and each reader.

    Args:
        first: (M, N), or (N,) for the network beside each reader; −1 where not read.
        second: (M, N).
        clusters: which of the N cases belong together.
        kinds: how many diagnoses there are to choose from.
        partial: as of `cohen_kappa`.
        readers_are_random: whether the result is about other readers too.
        level: of the interval.
    """
    first = np.broadcast_to(first, second.shape)

    def of(weights: Weights) -> NDArray[np.float64]:
        pairs = zip(first, second, strict=True)
        return np.stack([cohen_kappa(*pair, kinds=kinds, weights=weights, partial=partial) for pair in pairs])

    by_reader = of(np.ones((1, second.shape[1])))[:, 0]
    has = ~np.isnan(by_reader)
    parts = [_of_cases(lambda weights: _mean_of_known(of(weights)[has]), clusters)] if has.any() else []
    several = int(has.sum())
    note = "" if has.all() else f"{int((~has).sum())} readers have no kappa: one answer in all, or nothing to compare"
    if readers_are_random and several > 1:
        parts.append(_Spread(float(np.var(by_reader[has], ddof=1)) / several, several - 1))
    elif readers_are_random:
        note = "; ".join(filter(None, (note, "one reader: the interval is over cases alone")))
    value = float(by_reader[has].mean()) if has.any() else math.nan
    what = f"Cohen's kappa{'' if partial == 'nominal' else f', {partial}'}, mean of {several} readers"
    return _estimate(value, parts, clusters, what=what, level=level, note=note)


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (R,) over pairs (M, R) that have a kappa; NaN where none has."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def _of_cases(figure: Callable[[Weights], NDArray[np.float64]], clusters: Clusters) -> _Spread:
    """Leave out one cluster after another."""
    return _jackknifed(np.concatenate([figure(weights) for weights in _without_one(clusters)]))


def _without_one(clusters: Clusters) -> Iterator[Weights]:
    for start in range(0, len(clusters), ROUNDS_AT_ONCE):
        block = np.arange(start, min(start + ROUNDS_AT_ONCE, len(clusters)))
        yield (clusters.of_case != block[:, None]).astype(np.float64)


def _jackknifed(without: NDArray[np.float64]) -> _Spread:
    """Return (n − 1) / n times the sum of squares (Efron and Stein, Annals of Statistics 9:586, 1981)."""
    there = without[~np.isnan(without)]
    count = len(there)
    if count <= 1:
        return _Spread(math.nan, 0)
    return _Spread(float((count - 1) / count * np.square(there - there.mean()).sum()), count - 1)


def _estimate(
    value: float, parts: list[_Spread], clusters: Clusters, *, what: str, level: float, note: str
) -> Estimate:
    from scipy.stats import t as student

    variance = sum(part.variance for part in parts)
    half = None
    if variance > 0 and not math.isnan(value):
        doubt = sum(part.variance**2 / part.degrees for part in parts)
        half = float(student.ppf((1 + level) / 2, variance**2 / doubt)) * math.sqrt(variance)
    known = not math.isnan(value)
    lacking = "" if half is not None else "leaving out changes nothing" if known else "chance explains everything"
    return Estimate(
        value=value if known else None,
        low=None if half is None else max(-1.0, value - half),
        high=None if half is None else min(1.0, value + half),
        level=level,
        method=f"{what}, jackknife over {'readers and ' if len(parts) > 1 else ''}{clusters.kind}s",
        clusters=len(clusters),
        cluster_kind=clusters.kind,
        note="; ".join(filter(None, (note, lacking))),
    )
