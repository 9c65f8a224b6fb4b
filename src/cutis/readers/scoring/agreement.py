"""How far readers agree with one another, with themselves, and with the network, beyond chance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.table import UNREAD, Table
from cutis.stats.agreement import cohen_kappa
from cutis.stats.intervals import ROUNDS, known
from cutis.stats.rater_agreement import estimate_agreement, estimate_mean_kappa
from cutis.stats.two_way import Picks, mean_of, shares_of, two_way
from cutis.stats.weights import Weights
from cutis.vocabulary.estimate import Estimate, plain

KAPPA, SHARE = "cohen_kappa", "same_answer"
BETWEEN = ("agreement", "fleiss_kappa", "krippendorff_nominal", "gwet_ac1")


class Agreement(NamedTuple):
    """Kappas and shares of the same answer, and each reader's own."""

    estimates: dict[str, Estimate]
    by_reader: dict[str, dict[str, float | None]]  # by figure and reader; empty where it is of all together
    cases: int

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {"estimates": plain(self.estimates), "by_reader": self.by_reader, "cases": self.cases}


def between_readers(table: Table) -> Agreement:
    """Return how far the first choices of different readers agree, over readers and cases.

    None of these is an answer as any other.
    """
    kinds, clusters = len(table.codes) + 1, table.clusters
    estimates = {name: estimate_agreement(table.said, clusters, kinds=kinds, coefficient=name) for name in BETWEEN}
    return Agreement(estimates, {}, int((table.read.sum(axis=0) > 1).sum()))


def within_readers(
    first: Table, second: Table, *, generator: np.random.Generator, rounds: int = ROUNDS
) -> Agreement | None:
    """Return how far readers agree with themselves on cases that they read twice; None where nobody did.

    Args:
        first: what was said for the first time.
        second: of the same readers, in the same order, for the second time.
        generator: the chance that draws.
        rounds: of the two-way bootstrap of the share.
    """
    at = [first.cases.index(case) for case in second.cases if case in first.cases]
    again = second.of_cases([first.cases[place] for place in at])
    both = first.read[:, at] & again.read
    if not both.any():
        return None
    return _paired(again, first.said[:, at], both, generator=generator, rounds=rounds)


def with_network(table: Table, answers: Answers, *, generator: np.random.Generator, rounds: int = ROUNDS) -> Agreement:
    """Return how far readers agree with the network's answer among the study's diagnoses."""
    network = np.broadcast_to(answers.answer, table.said.shape)
    return _paired(table, network, table.read, generator=generator, rounds=rounds)


def _paired(
    table: Table,
    first: NDArray[np.int64],
    both: NDArray[np.bool_],
    *,
    generator: np.random.Generator,
    rounds: int,
) -> Agreement:
    kinds, clusters, second = len(table.codes) + 1, table.clusters, table.said

    def figures(weights: Weights, picks: Picks) -> dict[str, NDArray[np.float64]]:
        return {SHARE: mean_of(shares_of(first == second, both, weights), picks)}

    share = two_way(figures, clusters, readers=len(table.readers), generator=generator, shares={SHARE}, rounds=rounds)
    pair = np.where(both, first, UNREAD), np.where(both, second, UNREAD)
    once = np.ones((1, len(table.cases)))
    own = {
        KAPPA: [cohen_kappa(*each, kinds=kinds, weights=once)[0] for each in zip(*pair, strict=True)],
        SHARE: shares_of(first == second, both, once)[0],
    }
    return Agreement(
        {KAPPA: estimate_mean_kappa(*pair, clusters, kinds=kinds)} | share,
        {
            name: {reader: known(value) for reader, value in zip(table.readers, values, strict=True)}
            for name, values in own.items()
        },
        int(both.any(axis=0).sum()),
    )
