"""Every question that a label per case can answer: right or not, and yes or no to each diagnosis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.table import Table

ACCURACY, BALANCED = "accuracy", "balanced_accuracy"
SENSITIVITY, SPECIFICITY = "sensitivity", "specificity"


class Question(NamedTuple):
    """Which cases count, and who is right on them."""

    name: str  # of the figure, such as "sensitivity/MEL"
    among: NDArray[np.bool_]  # (N,) the cases that it is a share of
    readers: NDArray[np.bool_]  # (R, N) right
    network: NDArray[np.bool_] | None  # (N,) right; None where there is no network
    of_whom: str  # what is said of these cases, such as "with MEL"

    @property
    def code(self) -> str:
        """The diagnosis that is asked for; "" for all."""
        return self.name.partition("/")[2]


def questions_of(table: Table, answers: Answers | None = None, *, in_full: bool = False) -> tuple[Question, ...]:
    """Return the questions that these cases can answer.

    Readers and network give one label for the accuracy. For yes or no to a diagnosis a reader's label counts, and the
    network's frozen operating point.

    Args:
        table: of readings.
        answers: the network's.
        in_full: whether the network answers among all diagnoses that it knows.
    """
    everyone = np.ones(len(table.cases), dtype=np.bool_)
    label = None if answers is None else (answers.among_all if in_full else answers.answer)
    flagged = None if answers is None else (answers.flagged_in_full if in_full else answers.flagged)
    right = None if label is None else label == table.truth
    found = [Question(ACCURACY, everyone, table.right, right, "")]
    for kind, code in enumerate(table.codes):
        has, yes = table.has(kind), table.named[..., kind]
        net = None if flagged is None else flagged[:, kind]
        if has.any():
            found.append(Question(f"{SENSITIVITY}/{code}", has, yes, net, f"with {code}"))
        if not has.all():
            no = None if net is None else ~net
            found.append(Question(f"{SPECIFICITY}/{code}", ~has, ~yes, no, f"without {code}"))
    return tuple(found)
