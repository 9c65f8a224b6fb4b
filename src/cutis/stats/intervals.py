"""How far a figure can be trusted: intervals by resampling patients, not pictures.

The cluster (a patient, or a lesion where no patient is known) is drawn with replacement, with all its cases.
Clusters are drawn within strata, so that every round keeps about the mix of the test: a cluster belongs to the
stratum of the rarest diagnosis that any of its cases has (rarity counted in clusters, ties by the taxonomy's order),
and each stratum gives as many draws as it has clusters. A round in which a diagnosis of the test is still lacking is
drawn again. That happens seldom: a diagnosis with m clusters, all of them in rarer strata, is lacking with a
probability of at most exp(−m).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import Measure, Weights, measures, weighted_mean
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

Figures = Callable[[Weights], Mapping[Measure, NDArray[np.float64]]]  # weights (R, N) → every figure (R,)

ROUNDS = 2000
LEVEL = 0.95
SHARES = {"accuracy", "sensitivity", "specificity"}
RESTS_ON = {"sensitivity": ("with",), "specificity": ("without",)}  # clusters with or without it; else both
FEWEST_CLUSTERS = 10  # below this, with or without a diagnosis, an interval is shown with a warning
NO_WIDTH = 1e-12
ROUNDS_AT_ONCE = 100  # 100 rounds × 2,000 cases fit a processor's cache, and 10⁵ cases still fit in memory


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Which cases belong together, and which diagnoses each cluster contains."""

    kind: str  # "patient" or "lesion"
    of_case: NDArray[np.int64]  # (N,) index of the cluster
    presence: NDArray[np.bool_]  # (C, K); one column of True where no truth is known

    def __len__(self) -> int:
        return len(self.presence)

    @property
    def having(self) -> NDArray[np.int64]:
        """How many clusters (K,) have a case of each diagnosis."""
        counts: NDArray[np.int64] = np.count_nonzero(self.presence, axis=0)
        return counts

    @property
    def lacking(self) -> NDArray[np.int64]:
        """How many clusters (K,) have a case of anything else."""
        mixed = np.count_nonzero(self.presence, axis=1, keepdims=True) > 1
        counts: NDArray[np.int64] = np.count_nonzero(mixed | ~self.presence, axis=0)
        return counts

    @property
    def strata(self) -> NDArray[np.int64]:
        """The rarest diagnosis (C,) in each cluster."""
        rarest: NDArray[np.int64] = np.where(self.presence, self.having, len(self) + 1).argmin(axis=1)
        return rarest


def clusters_of(
    cluster_ids: Sequence[str], truth: NDArray[np.int64] | None = None, *, kind: str, diagnoses: int = 1
) -> Clusters:
    """Group N cases by their cluster; without a truth every cluster is in one stratum."""
    names, of_case = np.unique(np.asarray(cluster_ids, dtype=np.str_), return_inverse=True)
    presence = np.zeros((len(names), diagnoses), dtype=np.bool_)
    presence[of_case, 0 if truth is None else truth] = True
    return Clusters(kind=kind, of_case=of_case, presence=presence)


def clusters_in(predictions: Predictions) -> Clusters:
    """Group the cases of predictions with truth, each cluster with the diagnoses that it contains."""
    kinds = len(predictions.codes)
    return clusters_of(predictions.cluster_ids, predictions.truth, kind=predictions.cluster_kind, diagnoses=kinds)


def resample(clusters: Clusters, *, rounds: int, generator: np.random.Generator) -> Iterator[Weights]:
    """Yield how often each case was drawn, in blocks (R, N) of rounds, by the rule at the top of this file."""
    for start in range(0, rounds, ROUNDS_AT_ONCE):
        drawn = _draw(clusters, min(ROUNDS_AT_ONCE, rounds - start), generator)
        yield drawn[:, clusters.of_case]


def estimate_metrics(
    predictions: Predictions,
    *,
    thresholds: NDArray[np.float64],
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> dict[str, Estimate]:
    """Return every figure of `cutis.stats.metrics.measures` with its interval, under its name such as ``auc/MN``.

    An estimate's `clusters` are those that the figure rests on: with the diagnosis for a sensitivity, without it for
    a specificity, all of them otherwise. Fewer than `FEWEST_CLUSTERS` are named in its note.

    Args:
        predictions: at least one case, with truth.
        thresholds: (K,) operating points for the one-vs-rest convention.
        generator: the chance that draws the rounds.
        rounds: how many rounds.

    Raises:
        ValueError: the predictions have no truth.
    """
    figures, clusters = figures_of(predictions, thresholds=thresholds), clusters_in(predictions)
    estimates = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    return {
        str(measure): with_width(
            qualified(measure, estimate, clusters, predictions.codes), is_share=measure.what in SHARES
        )
        for measure, estimate in estimates.items()
    }


def figures_of(predictions: Predictions, *, thresholds: NDArray[np.float64]) -> Figures:
    """Return what answers weights (R, N) with every figure of `cutis.stats.metrics.measures`.

    Raises:
        ValueError: the predictions have no truth.
    """
    truth = predictions.truth
    if truth is None:
        raise ValueError("figures need a truth")

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        codes = predictions.codes
        return measures(predictions.probabilities, truth, codes=codes, thresholds=thresholds, weights=weights)

    return figures


def estimate_mean(
    values: NDArray[np.float64],
    cluster_ids: Sequence[str],
    *,
    cluster_kind: str,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> Estimate:
    """Return the mean of a value per case (N,), at least one, with its interval by resampling clusters."""
    clusters = clusters_of(cluster_ids, kind=cluster_kind)

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        return {Measure(None, "mean"): weighted_mean(values, weights)}

    (estimate,) = bootstrap(figures, clusters, rounds=rounds, generator=generator).values()
    note = _few(len(clusters), f"{cluster_kind}s") if len(clusters) < FEWEST_CLUSTERS else ""
    return with_width(replace(estimate, note=note), is_share=bool(np.isin(values, (0, 1)).all()))


def wilson(successes: float, trials: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of a share (Wilson, Journal of the American Statistical Association 22:209, 1927)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / trials
    middle = share + z**2 / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    # The share lies within; said again, since rounding may push an end past it, or past 0 and 1.
    return max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale))


def _draw(clusters: Clusters, rounds: int, generator: np.random.Generator) -> Weights:
    """Return how often each cluster is drawn (R, C)."""
    strata, presence = clusters.strata, clusters.presence[:, clusters.presence.any(axis=0)]
    drawn = np.zeros((rounds, len(clusters)))
    undrawn = np.arange(rounds)
    while len(undrawn):
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            evenly = np.full(len(members), 1 / len(members))
            drawn[np.ix_(undrawn, members)] = generator.multinomial(len(members), evenly, size=len(undrawn))
        undrawn = undrawn[(drawn[undrawn] @ presence == 0).any(axis=1)]
    return drawn


def bootstrap(
    figures: Figures, clusters: Clusters, *, rounds: int, generator: np.random.Generator
) -> dict[Measure, Estimate]:
    """Return each figure with its percentile interval (Efron and Tibshirani 1993, chapter 13)."""
    plain = figures(np.ones((1, len(clusters.of_case))))
    blocks = [figures(weights) for weights in resample(clusters, rounds=rounds, generator=generator)]
    spread = {measure: np.concatenate([block[measure] for block in blocks]) for measure in plain}
    tail = (1 - LEVEL) / 2
    return {
        measure: Estimate(
            value=known(plain[measure][0]),
            low=known(np.quantile(drawn, tail)),
            high=known(np.quantile(drawn, 1 - tail)),
            level=LEVEL,
            method=f"cluster bootstrap, percentile, {rounds} rounds",
            clusters=len(clusters),
            cluster_kind=clusters.kind,
        )
        for measure, drawn in spread.items()
    }


def qualified(measure: Measure, estimate: Estimate, clusters: Clusters, codes: Sequence[str]) -> Estimate:
    """Say of how many clusters a figure is, and where they are too few for it."""
    if measure.diagnosis is None:
        return _of_all(estimate, clusters, codes)
    return _of_one(measure, estimate, clusters, codes.index(measure.diagnosis))


def _of_all(estimate: Estimate, clusters: Clusters, codes: Sequence[str]) -> Estimate:
    """Say which diagnoses are absent, and which are too rare to carry their share of the doubt."""
    having = dict(zip(codes, clusters.having.tolist(), strict=True))
    absent = ", ".join(code for code, count in having.items() if count == 0)
    rare = ", ".join(f"{code} ({count})" for code, count in having.items() if 0 < count < FEWEST_CLUSTERS)
    notes = (
        absent and f"not in this test: {absent}",
        rare and f"fewer than {FEWEST_CLUSTERS} {clusters.kind}s: {rare}",
    )
    return replace(estimate, note="; ".join(filter(None, notes)))


def _of_one(measure: Measure, estimate: Estimate, clusters: Clusters, kind: int) -> Estimate:
    """Count the clusters that a figure of one diagnosis rests on, and say where they are too few."""
    counts = {"with": int(clusters.having[kind]), "without": int(clusters.lacking[kind])}
    sides = RESTS_ON.get(measure.what, ("with", "without"))
    notes = (
        _few(counts[side], f"{clusters.kind}s {side} {measure.diagnosis}")
        for side in sides
        if counts[side] < FEWEST_CLUSTERS
    )
    resting = counts[sides[0]] if len(sides) == 1 else len(clusters)
    return replace(estimate, clusters=resting, note="; ".join(notes))


def _few(count: int, what: str) -> str:
    return f"only {count} {what}: too few to rely on the interval" if count else f"no {what}"


def with_width(estimate: Estimate, *, is_share: bool) -> Estimate:
    """Take back an interval without width: equal rounds, such as all right in every round, are no certainty.

    A share gets Wilson's interval, with clusters for trials; any other figure gets none, and a note.
    """
    low, high = estimate.low, estimate.high
    if estimate.value is None or low is None or high is None or high - low > NO_WIDTH:
        return estimate
    if is_share:
        low, high = wilson(estimate.value * estimate.clusters, estimate.clusters)
        return replace(estimate, low=low, high=high, method="Wilson, clusters for trials (all rounds agree)")
    note = "; ".join(filter(None, ("all rounds of resampling agree", estimate.note)))
    return replace(estimate, low=None, high=None, note=note)


def known(value: np.float64) -> float | None:
    """Return a number, or None for NaN: it cannot be computed."""
    return None if np.isnan(value) else float(value)
