"""A reader study as the text that iMRMC reads.

A head that is free but for the sizes, the line ``BEGIN DATA:``, and a line of reader, case, modality and score for each
reading, with commas and no spaces. The truth of a case is a line of reader −1 and modality 0. (The manual of the iMRMC
application of the U.S. Food and Drug Administration, chapter 4, "Input file".)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cutis.vocabulary.errors import UserError

TRUTH_READER, TRUTH_MODALITY = "-1", "0"
FORBIDDEN = frozenset(", \t\r\n;")


def imrmc_text(
    truth: NDArray[np.int64],
    scores: NDArray[np.float64],
    *,
    readers: Sequence[str],
    cases: Sequence[str],
    modalities: Sequence[str],
    title: str = "reader study",
) -> str:
    """Return a study as text; what was not read has no line.

    Args:
        truth: (N,) 1 with the disease, 0 without.
        scores: (T, R, N), NaN where not read.
        readers: (R,) names.
        cases: (N,) names.
        modalities: (T,) names of the treatments.
        title: what the study is called, one line.

    Raises:
        UserError: a name that the format cannot hold, or that stands for the truth.
    """
    for what, names, taken in (
        ("reader", readers, TRUTH_READER),
        ("case", cases, ""),
        ("modality", modalities, TRUTH_MODALITY),
    ):
        for name in names:
            if not name or name == taken or FORBIDDEN & set(name):
                raise UserError(
                    f"iMRMC has no place for a {what} called {name!r}",
                    where="names for iMRMC",
                    mend="use names without comma, semicolon and space, and not those that stand for the truth",
                )
    healthy = int((truth == 0).sum())
    head = [
        " ".join(title.split()),
        f"NR: {len(readers)}",
        f"N0: {healthy}",
        f"N1: {len(truth) - healthy}",
        f"NM: {len(modalities)}",
        "",
        "BEGIN DATA:",
    ]
    known = [f"{TRUTH_READER},{case},{TRUTH_MODALITY},{int(has)}" for case, has in zip(cases, truth, strict=True)]
    return "\n".join([*head, *known, *_readings(scores, readers, cases, modalities)]) + "\n"


def _readings(
    scores: NDArray[np.float64], readers: Sequence[str], cases: Sequence[str], modalities: Sequence[str]
) -> Iterator[str]:
    for modality, by_reader in zip(modalities, scores, strict=True):
        for reader, own in zip(readers, by_reader, strict=True):
            for case in np.flatnonzero(~np.isnan(own)).tolist():
                yield f"{reader},{cases[case]},{modality},{float(own[case]):.12g}"
