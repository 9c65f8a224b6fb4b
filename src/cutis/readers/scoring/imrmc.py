"""Scores for iMRMC: a file for each diagnosis, with two modalities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.scored import Scores
from cutis.readers.scoring.table import Table
from cutis.stats.mrmc.imrmc import imrmc_text
from cutis.vocabulary.files import written_aside
from cutis.vocabulary.reading import AIDED, UNAIDED


def write_imrmc(folder: Path, scores: Scores) -> None:
    """Write a file for each diagnosis into a folder: ratings where they were collected, else 1 for yes and 0 for no.

    The modalities are *unaided* and *aided*, or *readers* and *network*, whose answers stand there once for each
    reader; readers and cases are numbered, in the order of ``key.csv``.
    """
    folder.mkdir()
    first = scores.first.table
    sides = {"readers": first}
    if {UNAIDED, AIDED} <= scores.arms.keys():
        cases = [case for case in first.cases if case in set(scores.arms[AIDED].table.cases)]
        first = first.of_cases(cases)
        sides = {UNAIDED: first, AIDED: scores.arms[AIDED].table.of_cases(cases)}
    readers, names = (
        [f"{letter}{place}" for place in range(1, count + 1)]
        for letter, count in (("r", len(first.readers)), ("c", len(first.cases)))
    )
    for kind, code in enumerate(first.codes):
        said = {name: _said(table, kind) for name, table in sides.items()}
        if len(said) == 1 and scores.answers is not None:
            answers = scores.answers
            own = answers.flagged[:, kind] if first.ratings is None else answers.chances[:, kind]
            said["network"] = np.where(first.read, own, np.nan)
        text = imrmc_text(
            first.has(kind).astype(np.int64),
            np.stack(list(said.values())),
            readers=readers,
            cases=names,
            modalities=list(said),
            title=f"{code} against the rest",
        )
        with written_aside(folder / f"{code}.imrmc") as aside:
            aside.write_text(text, encoding="utf-8")
    key = [*zip(readers, first.readers, strict=True), *zip(names, first.cases, strict=True)]
    with written_aside(folder / "key.csv") as aside:
        aside.write_text("number,name\n" + "".join(f"{number},{name}\n" for number, name in key), encoding="utf-8")


def _said(table: Table, kind: int) -> NDArray[np.float64]:
    if table.ratings is not None:
        return table.ratings[..., kind]
    return np.where(table.read, table.named[..., kind], np.nan)
