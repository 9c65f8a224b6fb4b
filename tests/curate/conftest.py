"""A clinic small enough to curate in half a second."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cutis.workspace import Workspace
from factories import a_picture

RowOf = dict[str, Any]
TAXONOMY = "".join(
    f'[[diseases]]\ncode = "{code}"\nname = "{name}"\nabbreviation = "{code}"\nmalignant = {malignant}\n'
    for code, name, malignant in (("NV", "nevus", "false"), ("SK", "keratosis", "false"), ("BCC", "carcinoma", "true"))
)
COLUMNS = {
    "image": "file",
    "patient": "patient_no",
    "lesion": "lesion_no",
    "raters": ["dr_a", "dr_b", "dr_c"],
    "histology": "histology",
    "adjudicator": "adjudicator",
    "age": "age",
    "sex": "sex",
    "site": "site",
    "skin_tone": "skin_tone",
    "device": "device",
    "date": "date",
}
HEADER = ["file", "patient_no", "lesion_no", "dr_a", "dr_b", "dr_c", *list(COLUMNS)[4:]]


def a_row(number: int, code: str = "NV", **fields: Any) -> RowOf:
    """A row on which all agree, of a patient of its own."""
    plain = {
        "file": f"img_{number:03d}.jpg",
        "patient_no": f"P{number:03d}",
        "lesion_no": f"L{number:03d}",
        "dr_a": code,
        "dr_b": code,
        "dr_c": code,
        "age": 40 + number % 30,
        "sex": "f",
        "site": "back",
        "skin_tone": "III",
        "device": "scope A",
        "date": f"2021-03-{1 + number % 28:02d}",
    }
    return plain | fields


def plain_rows(patients: int = 6) -> list[RowOf]:
    """As many patients of each diagnosis, one picture each."""
    return [a_row(number, ("NV", "SK", "BCC")[number % 3]) for number in range(3 * patients)]


def write_clinic(
    folder: Path, rows: Sequence[RowOf], *, pictures: bool = True, columns: dict[str, Any] = COLUMNS, **about: Any
) -> Path:
    """Write table, clinic.toml, taxonomy and a picture, or an empty file, for each row that has none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        path = folder / str(row["file"])
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            a_picture(width=176, height=132, seed=hash_of(row, number)).save(path) if pictures else path.touch()
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "export.csv").write_text(text.getvalue(), encoding="utf-8")
    head = f'format = 1\nname = "three"\ntitle = "Three"\n{TAXONOMY}'
    (folder / "three.toml").write_text(head, encoding="utf-8")
    said = {"name": "Tiny clinic", "taxonomy": "three.toml", "licence": "CC0-1.0", "table": "export.csv"} | about
    labels = said.pop("labels", {})
    lines = [f"{name} = {json.dumps(value)}" for name, value in said.items()]
    lines += ["[columns]", *(f"{name} = {json.dumps(value)}" for name, value in columns.items())] if columns else []
    lines += ["[labels]", *(f'"{word}" = "{code}"' for word, code in labels.items())]
    (folder / "clinic.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def hash_of(row: RowOf, number: int) -> int:
    """A seed for the picture of a row, the same whenever the row is written."""
    digits = "".join(letter for letter in str(row["file"]) if letter.isdigit())
    return int(digits or number)


@pytest.fixture
def clinic(tmp_path: Path) -> Callable[..., Path]:
    """Write a clinic: ``clinic(rows, leave_out=["SK"])``."""
    return lambda rows=None, **about: write_clinic(tmp_path / "clinic", plain_rows() if rows is None else rows, **about)


@pytest.fixture
def row() -> Callable[..., RowOf]:
    """Make a row: ``row(7, "BCC", histology="SK")``."""
    return a_row


@pytest.fixture
def rows() -> Callable[..., list[RowOf]]:
    """Make the rows of a sound clinic: ``rows(patients=4)``."""
    return plain_rows


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "work")
