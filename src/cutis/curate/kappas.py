"""How far the clinic's raters agree, for the card: kappas with intervals by resampling clusters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.stats.agreement import cohen_kappa, fleiss_kappa
from cutis.stats.intervals import LEVEL, Clusters, clusters_of, quantiles, resample
from cutis.stats.metrics import Weights
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate

ROUNDS = 1000
NO_VOTE = -1

Kappa = Callable[[Weights], NDArray[np.float64]]


def agreement(manifest: Manifest) -> dict[str, Any]:
    """Return Fleiss' kappa over all votes and Cohen's of each two raters, each with its number of cases."""
    raters = sorted({vote.rater for case in manifest.cases for vote in case.votes}, key=lambda name: (len(name), name))
    labels = _labels(manifest, raters)
    kinds = len(manifest.taxonomy)
    counts = (labels[:, :, None] == np.arange(kinds)).sum(axis=1)
    rated, several = counts.sum(axis=1) > 0, int((counts.sum(axis=1) > 1).sum())
    pairs = [_pair(manifest, labels, raters, pair) for pair in combinations(range(len(raters)), 2)]
    return {
        "raters": len(raters),
        "fleiss": _told(
            manifest, rated, lambda weights: fleiss_kappa(counts[rated], weights=weights), compared=several
        ),
        "cohen": [pair for pair in pairs if pair["cases"]],
    }


def _pair(manifest: Manifest, labels: NDArray[np.int64], raters: list[str], pair: tuple[int, int]) -> dict[str, Any]:
    first, second = labels[:, pair].T
    both = (first != NO_VOTE) & (second != NO_VOTE)
    kinds = len(manifest.taxonomy)

    def kappa(weights: Weights) -> NDArray[np.float64]:
        return cohen_kappa(first[both], second[both], kinds=kinds, weights=weights)

    return {"raters": [raters[index] for index in pair]} | _told(manifest, both, kappa, compared=int(both.sum()))


def _labels(manifest: Manifest, raters: list[str]) -> NDArray[np.int64]:
    """Return the vote (N, R) of each rater on each case as an index of the taxonomy, or `NO_VOTE`."""
    labels = np.full((len(manifest), len(raters)), NO_VOTE, dtype=np.int64)
    for number, case in enumerate(manifest.cases):
        for vote in case.votes:
            labels[number, raters.index(vote.rater)] = manifest.taxonomy.codes.index(vote.code)
    return labels


def _told(manifest: Manifest, counted: NDArray[np.bool_], kappa: Kappa, *, compared: int) -> dict[str, Any]:
    """Return a kappa of the cases that count for it, with a percentile interval over resampled clusters.

    `compared` is the number of cases on which two raters or more have voted: a single vote tells, by Gwet's rule, how
    frequent a diagnosis is, and nothing of agreement.
    """
    clusters = clusters_of(
        [case.cluster_id for case, counts in zip(manifest.cases, counted, strict=True) if counts],
        kind=manifest.cluster_kind,
    )
    value = float(kappa(np.ones((1, int(counted.sum()))))[0]) if compared else np.nan
    known = bool(np.isfinite(value))
    low, high = _interval(kappa, clusters) if known and len(clusters) > 1 else (None, None)
    estimate = Estimate(
        value=value if known else None,
        low=low,
        high=high,
        level=LEVEL,
        method=f"cluster bootstrap, percentile, {ROUNDS} rounds",
        clusters=len(clusters),
        cluster_kind=manifest.cluster_kind,
        note=_note(compared, known=known, clusters=len(clusters)),
    )
    return {"cases": compared, "kappa": estimate.to_dict()}


def _interval(kappa: Kappa, clusters: Clusters) -> tuple[float, float]:
    generator = chance(0, "curate", "kappa")
    drawn = np.concatenate([kappa(weights) for weights in resample(clusters, rounds=ROUNDS, generator=generator)])
    low, high = quantiles(drawn[~np.isnan(drawn)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _note(cases: int, *, known: bool, clusters: int) -> str:
    if not known:
        return "all votes are the same" if cases else "no case has two votes"
    return "" if clusters > 1 else "one cluster"
