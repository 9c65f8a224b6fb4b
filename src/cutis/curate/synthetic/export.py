"""The clinic's table as its software exports it, and the file that tells cutis how to read it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeAlias

from cutis.curate.synthetic.patients import Patient, Photograph, Spot
from cutis.curate.synthetic.raters import RATERS, TONGUE, Verdict, words
from cutis.vocabulary.taxonomy import Taxonomy

TABLE = "export.xlsx"
SOURCE = "Invented by cutis toy"
COLUMNS = (
    *("file", "patient_no", "lesion_no", "age", "sex", "site", "skin_tone", "device", "date"),
    *RATERS,
    *("adjudicator", "histology"),
)
FIRST_ROW = 2  # the sheet's first row holds the names

Row: TypeAlias = dict[str, str | float | date | None]


def row_of(patient: Patient, spot: Spot, photo: Photograph, *, verdict: Verdict | None, taxonomy: Taxonomy) -> Row:
    """Return the table's row of one picture."""
    votes = [spot.called] * len(RATERS)
    if verdict:
        votes = [words(taxonomy, vote, rater) for rater, vote in enumerate(verdict.votes)]
    row: Row = {
        "file": photo.file,
        "patient_no": patient.folder,
        "lesion_no": f"L{spot.number:04d}",
        "age": patient.age,
        "sex": patient.sex,
        "site": spot.site,
        "skin_tone": patient.skin.tone,
        "device": spot.device.name,
        "date": spot.day,
        "adjudicator": words(taxonomy, verdict.adjudicator, 1) if verdict else None,
        "histology": words(taxonomy, verdict.histology, 1) if verdict else None,
    }
    return row | dict(zip(RATERS, votes, strict=True))


def write_export(clinic: Path, rows: Sequence[Mapping[str, object]], *, seed: int) -> None:
    """Write the table and clinic.toml; the same rows give the same bytes."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "export"
    sheet.append(COLUMNS)
    for row in rows:
        sheet.append([row[column] for column in COLUMNS])
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    (clinic / TABLE).write_bytes(_without_time(content))
    (clinic / "clinic.toml").write_text(_clinic_toml(seed), encoding="utf-8")


def _without_time(content: io.BytesIO) -> bytes:
    """Return the same workbook as if it had been saved on the first day of 1980: it must depend on the seed alone."""
    still = io.BytesIO()
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(still, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z", source.read(name))
            target.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return still.getvalue()


def _clinic_toml(seed: int) -> str:
    same = "\n".join(f'{name} = "{name}"' for name in COLUMNS[3:9] + COLUMNS[-2:])
    labels = "\n".join(f'"{word}" = "{code}"' for code, word in TONGUE.items())
    return f"""format = 1
name = "Toy clinic"
taxonomy = "zhu14"
source = "{SOURCE}, seed {seed}"
licence = "CC0-1.0"
invented = true
table = "{TABLE}"
images = "."

[columns]
image = "file"
patient = "patient_no"
lesion = "lesion_no"
raters = {list(RATERS)!r}
{same}

[labels]
{labels}
"""
