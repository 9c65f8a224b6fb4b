"""How far readers agree with one another, with themselves, and with the network, beyond chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.table import Table
from cutis.stats.agreement import cohen_kappa, fleiss_kappa
from cutis.stats.intervals import ROUNDS, bootstrap, known
from cutis.stats.metrics import Measure
from cutis.stats.two_way import Picks, mean_of, shares_of, two_way
from cutis.stats.weights import Weights, weighted_mean
from cutis.vocabulary.estimate import Estimate, plain

KAPPA, SHARE = "cohen_kappa", "same_answer"
FLEISS = "fleiss_kappa"
PAIRS = "same_answer_of_two_readers"


class Agreement(NamedTuple):
    """Kappas and shares of the same answer, and each reader's own."""

    estimates: dict[str, Estimate]
    by_reader: dict[str, dict[str, float | None]]  # by figure and reader; empty where it is of all together
    cases: int

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {"estimates": plain(self.estimates), "by_reader": self.by_reader, "cases": self.cases}


def between_readers(table: Table, *, generator: np.random.Generator, rounds: int = ROUNDS) -> Agreement:
    """Return how far the first choices of different readers agree: Fleiss' kappa, and the share of pairs that agree.

    None of these is a diagnosis as any other. The interval is over cases, for these readers.
    """
    kinds = len(table.codes) + 1
    counts = np.stack([(table.said == kind).sum(axis=0) for kind in range(kinds)], axis=1)
    several = counts.sum(axis=1) > 1
    pairs = counts.sum(axis=1) * (counts.sum(axis=1) - 1)
    same = np.where(several, (counts * (counts - 1)).sum(axis=1) / np.maximum(pairs, 1), 0.0)

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        return {
            Measure(None, FLEISS): fleiss_kappa(counts, weights=weights),
            Measure(None, PAIRS): weighted_mean(same[several], weights[:, several]),
        }

    found = bootstrap(figures, table.clusters, rounds=rounds, generator=generator)
    told = {
        str(measure): replace(estimate, method=f"{estimate.method}, conditional on these readers")
        for measure, estimate in found.items()
    }
    return Agreement(told, {}, int(several.sum()))


def within_readers(
    first: Table, second: Table, *, generator: np.random.Generator, rounds: int = ROUNDS
) -> Agreement | None:
    """Return how far readers agree with themselves on cases that they read twice; None where nobody did.

    Args:
        first: what was said for the first time.
        second: of the same readers, in the same order, for the second time.
        generator: the chance that draws.
        rounds: of the two-way bootstrap.
    """
    at = [first.cases.index(case) for case in second.cases]
    before = np.where(second.read & first.read[:, at], first.said[:, at], -1)
    both = (before >= 0) & second.read
    if not both.any():
        return None
    return _paired(second, before, second.said, both, generator=generator, rounds=rounds)


def with_network(table: Table, answers: Answers, *, generator: np.random.Generator, rounds: int = ROUNDS) -> Agreement:
    """Return how far readers agree with the network's answer among the study's diagnoses."""
    network = np.broadcast_to(answers.answer, table.said.shape)
    return _paired(table, network, table.said, table.read, generator=generator, rounds=rounds)


def _paired(
    table: Table,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    both: NDArray[np.bool_],
    *,
    generator: np.random.Generator,
    rounds: int,
) -> Agreement:
    kinds = len(table.codes) + 1

    def by_reader(weights: Weights) -> dict[str, NDArray[np.float64]]:
        kappas = [
            cohen_kappa(one[there], other[there], kinds=kinds, weights=weights[:, there])
            for one, other, there in zip(first, second, both, strict=True)
        ]
        return {KAPPA: np.stack(kappas, axis=1), SHARE: shares_of(first == second, both, weights)}

    def figures(weights: Weights, picks: Picks) -> dict[str, NDArray[np.float64]]:
        return {name: mean_of(values, picks) for name, values in by_reader(weights).items()}

    estimates = two_way(
        figures, table.clusters, readers=len(table.readers), generator=generator, shares={SHARE}, rounds=rounds
    )
    own = by_reader(np.ones((1, len(table.cases))))
    return Agreement(
        estimates,
        {
            name: {reader: known(value) for reader, value in zip(table.readers, values[0], strict=True)}
            for name, values in own.items()
        },
        int(both.any(axis=0).sum()),
    )
