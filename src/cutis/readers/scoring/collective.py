"""Many readers as one: what the vote of k of them is worth beside one reader, and beside the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.table import Table
from cutis.stats.intervals import ROUNDS, estimate_of_rounds, with_width
from cutis.stats.resampling import Clusters, resample
from cutis.stats.weights import Weights, ratio, weighted_mean
from cutis.vocabulary.estimate import Estimate

COMMITTEES = 400  # of each size at most: all there are, or so many by chance, whose mean is known to about 0.003
LARGEST_SIZES = (1, 3, 5, 7, 9, 15, 25, 51, 101)


class Vote(NamedTuple):
    """What committees of k readers reach."""

    readers: int
    accuracy: Estimate
    difference: Estimate | None  # network − committee

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "readers": self.readers,
            "accuracy": self.accuracy.to_dict(),
            "network − readers": None if self.difference is None else self.difference.to_dict(),
        }


def votes_of(
    table: Table, network: NDArray[np.bool_] | None, *, generator: np.random.Generator, rounds: int = ROUNDS
) -> tuple[Vote, ...]:
    """Return how often the plurality of k readers is right, for odd numbers k up to all of them.

    Committees of k different readers are all that there are, or many by chance; a case is answered by those of them who
    read it. Where several diagnoses have the most votes, each of them counts its share. The readers are these ones and
    no others, so that the interval is over cases alone.

    Args:
        table: of readings.
        network: (N,) where it is right; None without one.
        generator: the chance that draws committees and rounds.
        rounds: of the bootstrap.
    """
    sizes = [size for size in LARGEST_SIZES if size < len(table.readers)]
    sizes += [len(table.readers)] if len(table.readers) % 2 or not sizes else []
    choices = np.stack([table.said == kind for kind in range(len(table.codes) + 1)], axis=2)  # (R, N, K + 1)
    weights = np.concatenate(list(resample(table.clusters, rounds=rounds, generator=generator)))
    return tuple(_vote(table, choices, size, network, weights, generator=generator) for size in sizes)


def plurality(counts: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how right the most frequent answer is (..., N) of counts (..., N, K): 1, 0, or a share where several tie.

    NaN where nobody voted.
    """
    most = counts.max(axis=-1, keepdims=True)
    leading = (counts == most) & (most > 0)
    own = np.take_along_axis(leading, np.broadcast_to(truth[..., None], (*counts.shape[:-1], 1)), axis=-1)[..., 0]
    return ratio(own.astype(np.float64), leading.sum(axis=-1).astype(np.float64))


def _vote(
    table: Table,
    choices: NDArray[np.bool_],
    size: int,
    network: NDArray[np.bool_] | None,
    weights: Weights,
    *,
    generator: np.random.Generator,
) -> Vote:
    right = _mean_right(choices, table.truth, size, generator)
    there = ~np.isnan(right)
    value, drawn = _share(right, there, weights)
    clusters, note = table.clusters, "conditional on these readers"
    accuracy = _estimated(value, drawn, clusters, note, is_share=True)
    if network is None:
        return Vote(size, accuracy, None)
    beside, beside_drawn = _share(network.astype(np.float64), there, weights)
    return Vote(size, accuracy, _estimated(beside - value, beside_drawn - drawn, clusters, note, is_share=False))


def _mean_right(
    choices: NDArray[np.bool_], truth: NDArray[np.int64], size: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return how right committees are on each case (N,), on average over those of them in which somebody read it."""
    readers = len(choices)
    total, count = np.zeros(len(truth)), np.zeros(len(truth))
    committees: Iterable[Sequence[int]] = combinations(range(readers), size)
    if comb(readers, size) > COMMITTEES:
        committees = [generator.permutation(readers)[:size].tolist() for _ in range(COMMITTEES)]
    for chosen in committees:
        right = plurality(choices[list(chosen)].sum(axis=0), truth)
        total += np.nan_to_num(right)
        count += ~np.isnan(right)
    return ratio(total, count)


def _share(right: NDArray[np.float64], there: NDArray[np.bool_], weights: Weights) -> tuple[float, NDArray[np.float64]]:
    return float(right[there].mean()), weighted_mean(right[there], weights[:, there])


def _estimated(value: float, drawn: NDArray[np.float64], clusters: Clusters, note: str, *, is_share: bool) -> Estimate:
    estimate = estimate_of_rounds(value, drawn, clusters=len(clusters), cluster_kind=clusters.kind, note=note)
    return with_width(estimate, is_share=is_share)
