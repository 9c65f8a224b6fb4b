"""What the clinic says of one picture, and what became of a row that did not make it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

NO_ROW = "no row for this file"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the clinic's table in our words; names and identifiers are still the clinic's own."""

    number: int | None  # as a spreadsheet counts, the header being row 1; none where there is no table
    file: str  # relative to the clinic's folder
    source: Path
    labels: tuple[str | None, ...] = ()  # one per rater, in the order of their columns
    diagnosis: str | None = None  # where the table has one label instead of raters
    histology: str | None = None
    adjudicator: str | None = None
    confirmed_by: str | None = None
    patient: str | None = None
    lesion: str | None = None
    age: float | None = None
    sex: str | None = None
    site: str | None = None
    skin_tone: str | None = None
    device: str | None = None
    clinic: str | None = None
    date: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A row, or a file without a row, that is not part of the dataset, and why."""

    row: int | None
    file: str
    reason: str
    detail: str = ""

    @property
    def is_stray(self) -> bool:
        """Whether this is a file that no row speaks of, and so no row that was lost."""
        return self.reason == NO_ROW
