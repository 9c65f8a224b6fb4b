"""The network as one more reader of the same cases: an answer, and yes or no to each diagnosis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutis.readers.network import Network, of_cases, restricted, restricted_thresholds
from cutis.readers.scoring.table import Table
from cutis.vocabulary.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the network says of N cases of K diagnoses."""

    name: str
    chances: NDArray[np.float64]  # (N, K) of the study's diagnoses, summing to one
    full: NDArray[np.float64]  # (N, K) what it said of them among all that it knows
    among_all: NDArray[np.int64]  # (N,) its answer among all that it knows; K where that is none of the study's
    thresholds: NDArray[np.float64]  # (K,) its frozen operating points
    rule: str  # how these were chosen
    knows: int  # how many diagnoses it knows

    @property
    def answer(self) -> NDArray[np.int64]:
        """The most probable diagnosis (N,) of the study's."""
        found: NDArray[np.int64] = self.chances.argmax(axis=1)
        return found

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """What it says yes to (N, K), at its frozen operating points, restricted to the study's diagnoses."""
        return self.chances >= self.thresholds

    @property
    def flagged_in_full(self) -> NDArray[np.bool_]:
        """The same of its full answer."""
        return self.full >= self.thresholds

    @property
    def is_restricted(self) -> bool:
        """Whether it knows more than the study asks for."""
        return self.knows > len(self.thresholds)


def answers_of(network: Network, table: Table, *, where: str) -> Answers:
    """Return what the network says of a table's cases, in their order.

    Raises:
        UserError: it was not asked about a case, or does not know one of the diagnoses.
    """
    known = network.predictions.codes
    if foreign := [code for code in table.codes if code not in known]:
        mend = f"leave it out of the diagnoses; the network knows: {', '.join(known)}"
        raise UserError(f"the network does not know {foreign[0]!r}", where=where, mend=mend)
    kinds = [known.index(code) for code in table.codes]
    said = of_cases(network.predictions, table.cases, where=where).probabilities
    place = np.full(len(known), len(kinds))
    place[kinds] = np.arange(len(kinds))
    return Answers(
        name=network.predictions.rater,
        chances=restricted(said, kinds),
        full=said[:, kinds],
        among_all=place[said.argmax(axis=1)],
        thresholds=restricted_thresholds(network.bundle, kinds),
        rule=f"{network.bundle.thresholds.rule} on {network.bundle.thresholds.chosen_on}",
        knows=len(known),
    )
