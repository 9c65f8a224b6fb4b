"""Which cases are worth a look, and what is asked of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.explain.saliency.methods import asked_methods
from cutis.runtime.maps import Question
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Taxonomy

MOST_CASES = 24
MOST_WRONG = 4  # of the malignant called benign, and as many of all other wrong answers
MISSED = "malignant called benign, among the surest"
WRONG = "among the surest wrong answers"
RIGHT = "surest right answer for its diagnosis"


class Choice(NamedTuple):
    """A case to be shown, and why."""

    case_id: str
    why: str


class Asked(NamedTuple):
    """Which maps a person asks for, in words; None: let the answer decide."""

    diagnosis: str | None = None  # by its code
    rather_than: str | None = None  # whom it is compared with
    methods: tuple[str, ...] = ()  # whose maps are drawn beside those that always are


class Wish(NamedTuple):
    """The same, as the network counts its diagnoses."""

    diagnosis: int | None = None
    rather_than: int | None = None
    methods: tuple[str, ...] = ()  # whose maps are drawn beside those that always are


ANSWER = Wish()


def choose_cases(predictions: Predictions, *, malignant: Sequence[bool]) -> tuple[Choice, ...]:
    """Choose what is worth a look: the surest wrong answers, then for each diagnosis the surest right one.

    Of the wrong answers those come first that call a malignant diagnosis benign. A patient, or a lesion where no
    patient is known, is shown wrong once, by the surest picture. The same predictions give the same choice; a diagnosis
    that was never answered rightly has none.

    Args:
        predictions: with truth.
        malignant: (K,) which diagnoses are.

    Raises:
        ValueError: there is no truth.
    """
    truth, probabilities = predictions.truth, predictions.probabilities
    if truth is None:
        raise ValueError("a choice of right and wrong answers needs a truth")
    is_malignant, answers = np.asarray(malignant, dtype=np.bool_), probabilities.argmax(axis=1)
    surest_first = np.argsort(-probabilities.max(axis=1), kind="stable")
    is_missed = is_malignant[truth] & ~is_malignant[answers]
    is_wrong = answers != truth
    missed = _once_each(surest_first[is_missed[surest_first]], predictions.cluster_ids)
    others = _once_each(surest_first[(is_wrong & ~is_missed)[surest_first]], predictions.cluster_ids)
    right = [
        next((case for case in surest_first if answers[case] == truth[case] == kind), None)
        for kind in range(len(predictions.codes))
    ]
    shown = [(case, MISSED) for case in missed[:MOST_WRONG]] + [(case, WRONG) for case in others[:MOST_WRONG]]
    shown += [(case, RIGHT) for case in right if case is not None]
    return tuple(Choice(predictions.case_ids[case], why) for case, why in shown[:MOST_CASES])


def _once_each(cases: NDArray[np.int64], cluster_ids: Sequence[str]) -> list[int]:
    """Return the first case of each cluster, in their order."""
    first: dict[str, int] = {}
    for case in cases.tolist():
        first.setdefault(cluster_ids[case], case)
    return list(first.values())


def asked_for(case_ids: Sequence[str]) -> tuple[Choice, ...]:
    """Choose the cases that were named, each once."""
    return tuple(Choice(case_id, "asked for") for case_id in dict.fromkeys(case_ids))


def wish_of(asked: Asked, taxonomy: Taxonomy) -> Wish:
    """Read which diagnosis the maps shall be of, what it shall be compared with, and by which other methods.

    Raises:
        UserError: a code that the network does not know, a diagnosis rather than itself, or an unknown method.
    """
    diagnosis, rather_than = (
        _known(code, option, taxonomy)
        for code, option in ((asked.diagnosis, "--for"), (asked.rather_than, "--rather-than"))
    )
    if diagnosis is not None and diagnosis == rather_than:
        mend = "name another diagnosis for one of them"
        raise UserError(f"{asked.diagnosis} cannot be compared with itself", where="--for, --rather-than", mend=mend)
    return Wish(diagnosis, rather_than, asked_methods(asked.methods))


def question_of(wish: Wish, ranking: Sequence[int]) -> Question:
    """Return what is asked of one case: the answer rather than the runner-up, where nothing else is wished for.

    Args:
        wish: what was asked for by name.
        ranking: the K diagnoses, most probable first.
    """
    free = (kind for kind in ranking if kind != wish.rather_than)
    diagnosis = next(free) if wish.diagnosis is None else wish.diagnosis
    others = (kind for kind in ranking if kind != diagnosis)
    rather_than = next(others, None) if wish.rather_than is None else wish.rather_than
    return Question(diagnosis, rather_than)


def _known(code: str | None, option: str, taxonomy: Taxonomy) -> int | None:
    if code is None:
        return None
    if code not in taxonomy.codes:
        what, mend = f"the network does not know {code!r}", f"use one of: {', '.join(taxonomy.codes)}"
        raise UserError(what, where=option, mend=mend)
    return taxonomy.codes.index(code)
