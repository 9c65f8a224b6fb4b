"""What readers do with the network's answer: whom it helps, whom it misleads, and who follows it against the truth."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.table import Table
from cutis.stats.intervals import ROUNDS
from cutis.stats.two_way import Picks, mean_of, shares_of, two_way
from cutis.stats.weights import Weights
from cutis.vocabulary.estimate import Estimate, plain


class Switches(NamedTuple):
    """Counts of what became of an answer, and shares with intervals over cases and readers."""

    counts: dict[str, int]
    estimates: dict[str, Estimate]

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {"counts": self.counts, "estimates": plain(self.estimates)}


def switches_of(
    unaided: Table, aided: Table, answers: Answers, *, generator: np.random.Generator, rounds: int = ROUNDS
) -> Switches:
    """Return how the first choice changes from one arm to the other, each reader counting the same.

    - *helped*: of all answers, wrong before and right with the network; *misled*: the reverse.
    - *helped where it was right*: of answers that were wrong where the network is right, those that become right.
    - *over-reliance*: of answers that were right where the network is wrong, those that become the network's.
    - *under-reliance*: of answers that were wrong where the network is right, those that stay as they were.
    - *switched*: of all answers, those that changed at all.

    Args:
        unaided: without the network's answer.
        aided: the same readers and cases with it.
        answers: what they were shown, the first of its three.
        generator: the chance that draws.
        rounds: of the two-way bootstrap.
    """
    both = unaided.read & aided.read
    before, after, network = unaided.right, aided.right, answers.answer
    right = network == unaided.truth
    followed = aided.said == network
    chosen = {
        "switched": (unaided.said != aided.said, both),
        "helped": (~before & after, both),
        "misled": (before & ~after, both),
        "helped_where_it_was_right": (after, both & ~before & right),
        "over_reliance": (followed, both & before & ~right),
        "under_reliance": (unaided.said == aided.said, both & ~before & right),
        "accuracy_unaided": (before, both),
        "accuracy_aided": (after, both),
    }

    def figures(weights: Weights, picks: Picks) -> dict[str, NDArray[np.float64]]:
        found = {name: mean_of(shares_of(hits, among, weights), picks) for name, (hits, among) in chosen.items()}
        return found | {"net_gain": found["helped"] - found["misled"]}

    estimates = two_way(
        figures,
        unaided.clusters,
        readers=len(unaided.readers),
        generator=generator,
        shares=set(chosen),
        rounds=rounds,
    )
    counts = {f"{name}": int((hits & among).sum()) for name, (hits, among) in chosen.items()}
    of = {f"{name}_of": int(among.sum()) for name, (_, among) in chosen.items()}
    return Switches(counts | of, estimates)
