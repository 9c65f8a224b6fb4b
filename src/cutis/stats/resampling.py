"""Which cases belong together, and how they are drawn and left out: patients, not pictures.

The cluster (a patient, or a lesion where no patient is known) is drawn with replacement, with all its cases.
Clusters are drawn within strata, so that every round keeps about the mix of the test: a cluster belongs to the
stratum of the rarest diagnosis that any of its cases has (rarity counted in clusters, ties by the taxonomy's order),
and each stratum gives as many draws as it has clusters. A round in which a diagnosis of the test is still lacking is
drawn again. That happens seldom: a diagnosis with m clusters, all of them in rarer strata, is lacking with a
probability of at most exp(−m).

A cluster is left out as it is drawn, within its stratum: the others of the stratum then count a little more, so that
the stratum keeps its share of the test (the stratified jackknife of surveys, Wolter, Introduction to Variance
Estimation, 2007, chapter 4). Leaving it out without this would also measure what another mix of diagnoses does, which
no round ever shows. The only cluster of its stratum is in every round, and is never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import Measure, Weights
from cutis.vocabulary.predictions import Predictions

Figures = Callable[[Weights], Mapping[Measure, NDArray[np.float64]]]  # weights (R, N) → every figure (R,)

LEVEL = 0.95  # of every interval
ROUNDS_AT_ONCE = 100  # 100 rounds × 2,000 cases fit a processor's cache, and 10⁵ cases still fit in memory
MOST_LEFT_OUT = 2000  # with more clusters several are left out together, so that time grows with the cases alone


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


def parts_of(clusters: Clusters, *, most: int = MOST_LEFT_OUT) -> NDArray[np.int64]:
    """Return which part (C,) each cluster is left out with, 0 to P − 1; −1 where it is the only one of its stratum.

    A part is one cluster. Where there are more than `most`, no stratum is cut into more than its even share of
    `most`, and a part holds several clusters of one stratum; small strata are still left out one by one. The sums of
    their cubed influences, which make the skewness, are the same in expectation.
    """
    strata = clusters.strata
    kinds = np.unique(strata)
    cut = len(clusters) if len(clusters) <= most else max(most // len(kinds), 2)
    parts = np.full(len(clusters), -1)
    for stratum in kinds:
        members = np.flatnonzero(strata == stratum)
        if len(members) > 1:
            parts[members] = parts.max() + 1 + np.arange(len(members)) % cut
    return parts


def leave_out(clusters: Clusters, parts: NDArray[np.int64]) -> Iterator[Weights]:
    """Yield the weight of each case with one part of `parts_of` left out, in blocks (B, N) of parts in their order."""
    strata = clusters.strata
    sizes = np.bincount(strata)
    for start in range(0, int(parts.max()) + 1, ROUNDS_AT_ONCE):
        block = np.arange(start, min(start + ROUNDS_AT_ONCE, int(parts.max()) + 1))[:, None]
        gone = parts == block  # (B, C)
        stratum = strata[gone.argmax(axis=1)][:, None]
        whole = sizes[stratum]
        weights = np.where(strata == stratum, whole / (whole - gone.sum(axis=1, keepdims=True)), 1.0)
        yield np.where(gone, 0.0, weights)[:, clusters.of_case]


def quantiles(drawn: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
    """Return at these levels (L,) the quantiles (L, …) of a figure over the rounds, its first axis (R, …).

    The k-th smallest of R rounds stands at the level k / (R + 1), as the rank of the truth among them would. The more
    usual (k − 1) / (R − 1) lies too far inside: of 500 rounds it would leave out 5.4 % where 5 % are asked (Davison and
    Hinkley, Bootstrap Methods and their Application, 1997, section 5.2).
    """
    found: NDArray[np.float64] = np.quantile(drawn, levels, axis=0, method="weibull")
    return found


def gathered(blocks: Iterable[Mapping[Measure, NDArray[np.float64]]]) -> dict[Measure, NDArray[np.float64]]:
    """Return each figure of all blocks, one after the other."""
    listed = list(blocks)
    return {measure: np.concatenate([block[measure] for block in listed]) for measure in (listed[0] if listed else ())}
