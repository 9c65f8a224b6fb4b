"""How far a map can be trusted: are neighbours on it neighbours among the features, and the other way round?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.explain.atlas.neighbours import Points, distance_blocks, nearest_neighbours

COUNTS = (10, 30)  # neighbours that are asked for


class Quality(NamedTuple):
    """What N cases keep of their k neighbours; the figures of the map are the means."""

    trustworthiness: NDArray[np.float64]  # (N,) 1: every neighbour on the map is one among the features
    preservation: NDArray[np.float64]  # (N,) share of the neighbours among the features that are neighbours on the map


def counts_for(cases: int) -> tuple[int, ...]:
    """Return for how many neighbours the quality of a map of N cases is told: few cases have few."""
    return tuple(count for count in COUNTS if count < cases / 3) or (max(1, cases // 4),)


def quality_of(
    features: Points, places: NDArray[np.float64], *, counts: tuple[int, ...] = COUNTS
) -> dict[int, Quality]:
    """Compare each case's neighbours on the map (N, 2) with those among its features (N, F), for each count.

    The mean trustworthiness is that of Venna and Kaski (Neural Networks 19, 2006, equation 1): it falls with the rank
    that a false neighbour has among the features. Distances are Euclidean. Memory grows with N, not with its square.

    Raises:
        ValueError: more than half of the cases are asked for as neighbours.
    """
    cases, most = len(features), max(counts)
    if most >= cases / 2:
        raise ValueError(f"{most} neighbours of {cases} cases: trustworthiness is not defined")
    on_map = nearest_neighbours(places, most).rows
    ranks = np.concatenate([_ranks(squared, on_map[rows]) for rows, squared in distance_blocks(features)])
    return {count: _quality(ranks[:, :count], cases) for count in counts}


def _ranks(squared: Points, asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of each asked case (B, k) how near it is among the features: 1 is the nearest; equals share a rank."""
    distances = np.take_along_axis(squared, asked, axis=1)
    squared.sort(axis=1)
    return 1 + np.array([np.searchsorted(row, own) for row, own in zip(squared, distances, strict=True)])


def _quality(ranks: NDArray[np.int64], cases: int) -> Quality:
    count = ranks.shape[1]
    worst = (2 * cases - 3 * count - 1) * count / 2
    return Quality(
        trustworthiness=1 - np.maximum(ranks - count, 0).sum(axis=1) / worst,
        preservation=(ranks <= count).mean(axis=1),
    )
