"""The mean reader, and how far the network lies from him, with intervals that draw cases and readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.questions import BALANCED, Question
from cutis.readers.scoring.table import Table
from cutis.stats.intervals import ROUNDS
from cutis.stats.two_way import Picks, mean_of, shares_of, two_way
from cutis.stats.weights import Weights
from cutis.vocabulary.estimate import Estimate, plain

READERS, NETWORK, DIFFERENCE = "readers", "network", "network − readers"


class Pooled(NamedTuple):
    """Each figure of the mean reader, of the network on the same cases, and their difference."""

    readers: dict[str, Estimate]
    network: dict[str, Estimate]
    difference: dict[str, Estimate]

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: plain(estimates) for name, estimates in self._asdict().items()}


def pooled_of(
    table: Table, questions: Sequence[Question], *, generator: np.random.Generator, rounds: int = ROUNDS
) -> Pooled:
    """Return the mean over readers of each figure, every reader counting the same; see `cutis.stats.two_way`.

    The network answers, for each reader, the cases that this reader read.
    """
    figures = _figures(table, questions)

    def drawn(weights: Weights, picks: Picks) -> dict[str, NDArray[np.float64]]:
        found = {}
        for name, (readers, network) in figures(weights).items():
            found[f"{READERS}/{name}"] = mean_of(readers, picks)
            if network is not None:
                found[f"{NETWORK}/{name}"] = mean_of(network, picks)
                found[f"{DIFFERENCE}/{name}"] = mean_of(network - readers, picks)
        return found

    names = {each.name for each in questions} | {BALANCED}
    shares = {f"{who}/{name}" for name in names for who in (READERS, NETWORK)}
    estimates = two_way(
        drawn, table.clusters, readers=len(table.readers), generator=generator, shares=shares, rounds=rounds
    )
    return Pooled(*(_of(estimates, who) for who in (READERS, NETWORK, DIFFERENCE)))


Both = dict[str, tuple[NDArray[np.float64], NDArray[np.float64] | None]]  # by figure: readers and network, (B, R) each


def _figures(table: Table, questions: Sequence[Question]) -> Callable[[Weights], Both]:
    """Return what answers weights of cases with every figure of every reader."""
    read, right = table.read, questions[0].network
    having = [table.has(kind) for kind in range(len(table.codes)) if table.has(kind).any()]

    def of(weights: Weights) -> Both:
        found: Both = {}
        for each in questions:
            network = None if each.network is None else shares_of(each.network & read, each.among & read, weights)
            found[each.name] = (shares_of(each.readers, each.among & read, weights), network)
        readers = np.mean([shares_of(table.right, has & read, weights) for has in having], axis=0)
        network = None
        if right is not None:
            network = np.mean([shares_of(right & read, has & read, weights) for has in having], axis=0)
        return found | {BALANCED: (readers, network)}

    return of


def _of(estimates: dict[str, Estimate], who: str) -> dict[str, Estimate]:
    start = f"{who}/"
    return {name.removeprefix(start): each for name, each in estimates.items() if name.startswith(start)}
