"""What is known of each case in words, by which an atlas is coloured and filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.vocabulary.case import SPLITS, Case
from cutis.vocabulary.taxonomy import Taxonomy

UNSETTLED = "not settled"
UNKNOWN = "not known"
OTHERS = "others"
MISSED = "malignant called benign"
VERDICTS = ("right", "wrong", MISSED, UNSETTLED)
MOST_WORDS = 24  # of a column; what is rarer is told together
AGES = (30, 45, 60, 75)
RECORDED = {
    "confirmed_by": "Confirmed by",
    "device": "Device",
    "sex": "Sex",
    "site": "Body site",
    "skin_tone": "Skin tone",
}


class Column(NamedTuple):
    """One thing that is known of M cases."""

    key: str
    name: str
    labels: tuple[str, ...]  # at most 256
    codes: NDArray[np.int64]  # (M,) index into labels


def columns_of(
    cases: Sequence[Case], answers: NDArray[np.int64], taxonomy: Taxonomy, laid_out: int
) -> tuple[Column, ...]:
    """Return diagnosis, answer, verdict and split of M cases, and what else was recorded of them.

    Args:
        cases: M.
        answers: (M,) indices of diagnoses.
        taxonomy: names them.
        laid_out: how many, from the first on, the map is made of.
    """
    names = tuple(disease.name for disease in taxonomy.diseases)
    truth = truth_of(cases, taxonomy)
    columns = [
        Column("truth", "Diagnosis", (*names, UNSETTLED), np.where(truth < 0, len(names), truth)),
        Column("answer", "Answer", names, answers),
        Column("verdict", "Right or wrong", VERDICTS, _verdicts(truth, answers, taxonomy)),
        _of_words("split", "Split", [case.split for case in cases], order=SPLITS),
    ]
    if laid_out < len(cases):
        columns.append(
            Column(
                "how", "How it came here", ("laid out", "placed"), (np.arange(len(cases)) >= laid_out).astype(np.int64)
            )
        )
    told = [_of_words(key, name, [getattr(case, key) for case in cases]) for key, name in RECORDED.items()]
    told.append(_of_words("age", "Age", [_band(case.age) for case in cases], order=tuple(map(_band, (0, *AGES)))))
    return (*columns, *(each for each in told if each.labels != (UNKNOWN,)))


def truth_of(cases: Sequence[Case], taxonomy: Taxonomy) -> NDArray[np.int64]:
    """Return the index of each case's diagnosis (M,), -1 where it is not settled."""
    return np.array(
        [
            taxonomy.codes.index(case.diagnosis) if case.diagnosis and case.indeterminate is None else -1
            for case in cases
        ]
    )


def _verdicts(truth: NDArray[np.int64], answers: NDArray[np.int64], taxonomy: Taxonomy) -> NDArray[np.int64]:
    malignant = np.array(taxonomy.malignant)
    missed = malignant[truth] & ~malignant[answers]
    return np.select([truth < 0, truth == answers, missed], [3, 0, 2], 1)


def _of_words(key: str, name: str, words: Sequence[str | None], *, order: Sequence[str | None] = ()) -> Column:
    """Name what there is, the most frequent first unless an order is given, what is not known last."""
    counts = Counter(word for word in words if word)
    there = sorted(counts, key=lambda word: (order.index(word) if word in order else len(order), -counts[word], word))
    kept = there[:MOST_WORDS]
    rest = [OTHERS] * (len(there) > len(kept)) + [UNKNOWN] * (not all(words))
    labels = (*kept, *rest)
    code_of = {word: code for code, word in enumerate(kept)}
    others = len(kept)
    codes = [code_of.get(word, others) if word else len(labels) - 1 for word in words]
    return Column(key, name, labels, np.array(codes))


def _band(age: float | None) -> str | None:
    if age is None:
        return None
    band = sum(age >= start for start in AGES)
    if band == len(AGES):
        return f"{AGES[-1]} and older"
    return f"under {AGES[0]}" if band == 0 else f"{AGES[band - 1]}–{AGES[band] - 1}"
