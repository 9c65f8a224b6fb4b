"""How far a figure can be trusted: intervals by resampling patients, not pictures, as told in `resampling`.

Two kinds are read from the same rounds. *percentile*: the ends are the quantiles of the rounds at 2.5 and 97.5 % (Efron
and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). *bca*: the quantiles are moved, as told in `bca`.

A round that has no answer, as where nobody was flagged and a predictive value is asked, is left out, and the note
counts them; beyond `MOST_UNANSWERED` of the rounds there is no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.bca import accelerations, bca_levels
from cutis.stats.metrics import SHARES, Measure, Weights, measuring, weighted_mean
from cutis.stats.proportions import wilson
from cutis.stats.resampling import LEVEL, Clusters, Figures, clusters_in, clusters_of, gathered, quantiles, resample
from cutis.stats.support import (
    FEWEST_CLUSTERS,
    answering_clusters,
    joined,
    lacks_width,
    qualified,
    qualified_mean,
    questions_of,
)
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

__all__ = [
    "FEWEST_CLUSTERS",
    "LEVEL",
    "PAIRED",
    "ROUNDS",
    "Clusters",
    "Figures",
    "IntervalKind",
    "RoundsKind",
    "bootstrap",
    "clusters_in",
    "clusters_of",
    "estimate_mean",
    "estimate_metrics",
    "estimate_of_rounds",
    "figures_of",
    "known",
    "qualified",
    "quantiles",
    "resample",
    "with_width",
]

IntervalKind = Literal["percentile", "bca"]

ROUNDS = 2000
MOST_UNANSWERED = 0.05
NAMES: dict[IntervalKind, str] = {"percentile": "percentile", "bca": "BCa"}


class RoundsKind(NamedTuple):
    """How an interval is read from rounds."""

    interval: IntervalKind = "percentile"
    pull: float = 0.0  # the acceleration, for BCa, whose level is that of all intervals
    level: float = LEVEL
    paired: bool = False  # whether the figure is a difference within each round


PERCENTILE = RoundsKind()
PAIRED = RoundsKind(paired=True)


def estimate_metrics(
    predictions: Predictions,
    *,
    thresholds: NDArray[np.float64],
    generator: np.random.Generator,
    rounds: int = ROUNDS,
    interval: IntervalKind = "percentile",
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
) -> dict[str, Estimate]:
    """Return every figure of `cutis.stats.metrics.measures` with its interval, under its name such as ``auc/MN``.

    An estimate's `clusters` are those that the figure rests on; its note says where they are too few, by the limits of
    `cutis.stats.support`.

    Args:
        predictions: at least one case, with truth.
        thresholds: (K,) operating points for the one-vs-rest convention.
        generator: the chance that draws the rounds.
        rounds: how many rounds.
        interval: which kind.
        malignant: (K,) which diagnoses are; without it nothing is said of *malignant or not*.
        malignant_threshold: for *malignant or not* under one-vs-rest; without it not answered.

    Raises:
        ValueError: the predictions have no truth, or an unknown kind of interval.
    """
    clusters = clusters_in(predictions)
    figures = figures_of(
        predictions, thresholds=thresholds, malignant=malignant, malignant_threshold=malignant_threshold
    )
    questions = questions_of(
        predictions, thresholds=thresholds, malignant=malignant, malignant_threshold=malignant_threshold
    )
    estimates = bootstrap(figures, clusters, rounds=rounds, generator=generator, interval=interval)
    answering, found = answering_clusters(questions, clusters), {}
    for measure, estimate in estimates.items():
        resting = qualified(
            measure,
            estimate,
            clusters,
            predictions.codes,
            malignant=malignant,
            answering=answering,
            is_difference=False,
        )
        found[str(measure)] = with_width(resting, is_share=measure.what in SHARES)
    return found


def figures_of(
    predictions: Predictions,
    *,
    thresholds: NDArray[np.float64],
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
) -> Figures:
    """Return what answers weights (R, N) with every figure of `cutis.stats.metrics.measures`.

    Raises:
        ValueError: the predictions have no truth.
    """
    if predictions.truth is None:
        raise ValueError("figures need a truth")
    return measuring(
        predictions.probabilities,
        predictions.truth,
        codes=predictions.codes,
        thresholds=thresholds,
        malignant=malignant,
        malignant_threshold=malignant_threshold,
    )


def estimate_mean(
    values: NDArray[np.float64],
    cluster_ids: Sequence[str],
    *,
    cluster_kind: str,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
    interval: IntervalKind = "percentile",
) -> Estimate:
    """Return the mean of a value per case (N,), at least one, with its interval by resampling clusters."""
    clusters = clusters_of(cluster_ids, kind=cluster_kind)

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        return {Measure(None, "mean"): weighted_mean(values, weights)}

    (estimate,) = bootstrap(figures, clusters, rounds=rounds, generator=generator, interval=interval).values()
    is_share = bool(np.isin(values, (0, 1)).all())
    return with_width(qualified_mean(estimate, is_share=is_share), is_share=is_share)


def bootstrap(
    figures: Figures,
    clusters: Clusters,
    *,
    rounds: int,
    generator: np.random.Generator,
    interval: IntervalKind = "percentile",
) -> dict[Measure, Estimate]:
    """Return each figure with its interval from rounds of resampled clusters; see the top of this file.

    Raises:
        ValueError: an unknown kind of interval.
    """
    if interval not in NAMES:
        raise ValueError(f"the interval {interval!r} is none of {', '.join(NAMES)}")
    plain = figures(np.ones((1, len(clusters.of_case))))
    drawn = gathered(figures(weights) for weights in resample(clusters, rounds=rounds, generator=generator))
    pulls = accelerations(figures, clusters) if interval == "bca" else {}
    return {
        measure: estimate_of_rounds(
            float(value[0]),
            drawn[measure],
            clusters=len(clusters),
            cluster_kind=clusters.kind,
            kind=RoundsKind(interval, pulls.get(measure, 0.0)),
        )
        for measure, value in plain.items()
    }


def estimate_of_rounds(
    value: float,
    drawn: NDArray[np.float64],
    *,
    clusters: int,
    cluster_kind: str,
    kind: RoundsKind = PERCENTILE,
    note: str = "",
) -> Estimate:
    """Return a figure with its interval, read from what it was in each round (R,).

    Args:
        value: of the cases as they are; NaN where it cannot be computed.
        drawn: in each round; NaN where that round could not compute it.
        clusters: that the figure rests on.
        cluster_kind: "patient" or "lesion".
        kind: which interval.
        note: what must be said beside it.
    """
    there = drawn[~np.isnan(drawn)]
    unanswered = len(drawn) - len(there)
    silent = f"{unanswered} of {len(drawn)} rounds could not answer" if unanswered and not np.isnan(value) else ""
    note, levels = joined(note, silent), None
    if not np.isnan(value) and unanswered <= MOST_UNANSWERED * len(drawn):
        levels = _levels(value, there, kind)
        note = note if levels else joined(note, "all rounds lie on one side of the value")
    low, high = quantiles(there, levels).tolist() if levels else (None, None)
    return Estimate(
        value=known(np.float64(value)),
        low=low,
        high=high,
        level=kind.level,
        method=f"{'paired ' * kind.paired}cluster bootstrap, {NAMES[kind.interval]}, {len(drawn)} rounds",
        clusters=clusters,
        cluster_kind=cluster_kind,
        note=note,
    )


def with_width(estimate: Estimate, *, is_share: bool) -> Estimate:
    """Take back an interval without width: equal rounds, such as all right in every round, are no certainty.

    A share gets Wilson's interval, with clusters for trials; any other figure gets none, and a note.
    """
    if estimate.value is None or not lacks_width(estimate):
        return estimate
    if is_share:
        low, high = wilson(estimate.value * estimate.clusters, estimate.clusters)
        return replace(estimate, low=low, high=high, method="Wilson, clusters for trials (all rounds agree)")
    return replace(estimate, low=None, high=None, note=joined("all rounds of resampling agree", estimate.note))


def known(value: np.float64) -> float | None:
    """Return a number, or None for NaN: it cannot be computed."""
    return None if np.isnan(value) else float(value)


def _levels(value: float, drawn: NDArray[np.float64], kind: RoundsKind) -> tuple[float, float] | None:
    """Return at which quantiles of the rounds the ends lie."""
    if kind.interval == "bca":
        return bca_levels(value, drawn, acceleration=kind.pull)
    return (1 - kind.level) / 2, 1 - (1 - kind.level) / 2
