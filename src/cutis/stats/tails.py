"""How unusual a value is among a clinic's own pictures, and from which one on it is too unusual.

Cases of one cluster count one together, so that a patient with forty pictures says no more than one with a single
picture. A picture of a new patient of the same clinic then gets a tail probability of p or less with a probability of
at most p, whatever the signal is (conformal p-values, Bates et al., Annals of Statistics 51:149, 2023; by cluster, Lee,
Barber and Willett, arXiv:2306.06342, 2023). No foreign picture is needed for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tail(NamedTuple):
    """How a signal is spread over a clinic's own pictures; M distinct values."""

    values: NDArray[np.float64]  # (M,) rising
    at_or_above: NDArray[np.float64]  # (M,) share of the clusters, each cut into its pictures
    clusters: int


def shares_of(cluster_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the weight (N,) of each case: every cluster counts the same, and all of them one together."""
    _, of_case, sizes = np.unique(np.asarray(cluster_ids, dtype=np.str_), return_inverse=True, return_counts=True)
    shares: NDArray[np.float64] = 1 / (len(sizes) * sizes[of_case])
    return shares


def tail_of(values: NDArray[np.float64], cluster_ids: Sequence[str]) -> Tail:
    """Return how a signal (N,), the higher the more unusual, is spread over own pictures that it was not fitted on."""
    distinct, at = np.unique(values, return_inverse=True)
    shares: NDArray[np.float64] = np.bincount(at, weights=shares_of(cluster_ids)).astype(np.float64)
    return Tail(distinct, np.cumsum(shares[::-1])[::-1], len(set(cluster_ids)))


def tail_probability(values: NDArray[np.float64], tail: Tail) -> NDArray[np.float64]:
    """Return how often (N,) an own picture is at least as unusual; never less than one in all clusters and one."""
    return (1 + _clusters_at_or_above(values, tail)) / (tail.clusters + 1)


def most_unusual(values: Sequence[NDArray[np.float64]], tails: Sequence[Tail]) -> NDArray[np.float64]:
    """Return one less the smallest tail probability (N,) over several signals, 0 to 1 (Tippett 1931).

    The smallest, and no sum: what one signal finds wholly unusual, the others cannot outvote. A signal that says
    nothing costs little, and which one spoke is the reason that a clinician can be told.
    """
    return 1 - _smallest(values, tails, beside=1)


def highest_accepted(
    values: Sequence[NDArray[np.float64]], tails: Sequence[Tail], cluster_ids: Sequence[str], *, share: float
) -> float | None:
    """Return the highest `most_unusual` at which a case is answered, so that `share` of all own pictures are.

    Each cluster counts once. A new picture of a new cluster is then answered with a probability of at least `share`;
    for that an own case is compared with the others here, where a new one is compared with itself besides.

    Args:
        values: of each signal (N,), on the very cases that its tail is of.
        tails: one for each signal.
        cluster_ids: of the cases.
        share: that is answered, less than 1.

    Returns:
        The threshold; None where there are fewer clusters than `fewest_clusters` says.
    """
    clusters = tails[0].clusters
    if clusters < fewest_clusters(share, signals=len(tails)):
        return None
    unusual = 1 - _smallest(values, tails, beside=0)
    order = np.argsort(unusual, kind="stable")
    reached = np.cumsum(shares_of(cluster_ids)[order])
    wanted = share * (clusters + 1) / clusters
    return float(unusual[order][np.searchsorted(reached, wanted - 1e-9)])  # less what rounding adds up to


def fewest_clusters(share: float, *, signals: int) -> int:
    """Return from how many clusters on a case that is farther out than all of them is refused by any one signal.

    Each signal has an outermost cluster of its own, and all of them must fit among those that may be refused.
    """
    return math.ceil((signals + share) / (1 - share) - 1e-9)


def _smallest(values: Sequence[NDArray[np.float64]], tails: Sequence[Tail], *, beside: int) -> NDArray[np.float64]:
    by_signal = [
        (beside + _clusters_at_or_above(each, tail)) / (tail.clusters + 1)
        for each, tail in zip(values, tails, strict=True)
    ]
    smallest: NDArray[np.float64] = np.min(by_signal, axis=0)
    return smallest


def _clusters_at_or_above(values: NDArray[np.float64], tail: Tail) -> NDArray[np.float64]:
    shares = np.append(tail.at_or_above, 0.0)[np.searchsorted(tail.values, values, side="left")]
    clusters: NDArray[np.float64] = tail.clusters * shares
    return clusters
