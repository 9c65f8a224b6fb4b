"""Which cases belong together by what was recorded of them; nothing is inferred from pixels but the picture's quality.

Bands and thirds are fixed before any answer is seen: by age, and by the sharpness of the pictures that are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cutis.vocabulary.case import Case, Manifest

UNKNOWN = "unknown"
AGES = {"under 30": 30.0, "30–49": 50.0, "50–69": 70.0, "70 and over": np.inf}  # up to, but not with
THIRDS = ("least sharp third", "middle third", "sharpest third")
HISTOLOGY, OTHERWISE = "histology", "otherwise"
UNMARKED = "no mark"
IN_ORDER = (*AGES, *THIRDS, HISTOLOGY, OTHERWISE)  # all other groups come by the alphabet, the unknown last


def groups_of(cases: Manifest) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return which of N cases (N,) each group of each attribute holds; an attribute that nobody recorded is empty.

    Cases without a value are the group `UNKNOWN`. A case is in one group of each attribute.
    """
    found: dict[str, dict[str, NDArray[np.bool_]]] = {}
    for attribute, read in ATTRIBUTES.items():
        values = np.array(read(cases.cases), dtype=np.str_)
        names = sorted(set(values.tolist()), key=_place)
        found[attribute] = {} if names == [UNKNOWN] else {name: values == name for name in names}
    return found


def _place(name: str) -> tuple[bool, int, str]:
    return name == UNKNOWN, IN_ORDER.index(name) if name in IN_ORDER else len(IN_ORDER), name


def _ages(cases: Sequence[Case]) -> list[str]:
    return [
        UNKNOWN if case.age is None else next(band for band, end in AGES.items() if case.age < end) for case in cases
    ]


def _as_recorded(field: str) -> Callable[[Sequence[Case]], list[str]]:
    return lambda cases: [(getattr(case, field) or "").strip() or UNKNOWN for case in cases]


def _confirmations(cases: Sequence[Case]) -> list[str]:
    """Tell histology, in any of its names, from all else: follow-up, consensus, one rater's word."""
    said = [(case.confirmed_by or "").strip().casefold() for case in cases]
    return [HISTOLOGY if word.startswith("histo") else OTHERWISE if word else UNKNOWN for word in said]


def _marks(cases: Sequence[Case]) -> list[str]:
    return [UNKNOWN if case.quality is None else " and ".join(case.quality.marks) or UNMARKED for case in cases]


def _sharpness(cases: Sequence[Case]) -> list[str]:
    measured = [case.quality.sharpness for case in cases if case.quality is not None]
    ends = np.quantile(measured, [1 / 3, 2 / 3]) if measured else np.array([0.0, 0.0])
    return [
        UNKNOWN if case.quality is None else THIRDS[int(np.searchsorted(ends, case.quality.sharpness, side="left"))]
        for case in cases
    ]


ATTRIBUTES: dict[str, Callable[[Sequence[Case]], list[str]]] = {
    "age": _ages,
    "sex": _as_recorded("sex"),
    "body site": _as_recorded("site"),
    "skin tone": _as_recorded("skin_tone"),
    "device": _as_recorded("device"),
    "confirmation": _confirmations,
    "marks of the picture": _marks,
    "sharpness of the picture": _sharpness,
}
