"""What a rater's form says, checked once at the border."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import Form
from pydantic import BaseModel, ConfigDict, Field

from cutis.serve.labels.folder import FORMULAS
from cutis.serve.labels.truths import Said
from cutis.vocabulary.taxonomy import SAYS_NOTHING, Taxonomy

OTHER = "other"  # none of the release's diagnoses
LONGEST = 120
FEWEST_LETTERS = 2  # of a diagnosis in words


class Named(BaseModel):
    """A diagnosis by its code, or in words with whether it is malignant."""

    model_config = ConfigDict(frozen=True)

    diagnosis: Annotated[str, Field(max_length=LONGEST)]
    other: Annotated[str, Field(max_length=LONGEST)] = ""
    malignant: Literal["yes", "no", ""] = ""


class Report(Named):
    """What histology found."""

    day: dt.date
    report: Annotated[str, Field(max_length=64)] = ""


NamedForm = Annotated[Named, Form()]
ReportForm = Annotated[Report, Form()]


def said_in(named: Named, taxonomy: Taxonomy) -> Said | str:
    """Return the diagnosis of a form, or the text that says what is wrong with it.

    A word that the taxonomy knows is its diagnosis, however it was typed.
    """
    if named.diagnosis in taxonomy.codes:
        return _known(named.diagnosis, taxonomy)
    word = " ".join(named.other.split()).lstrip(FORMULAS)
    if named.diagnosis != OTHER:
        return "labels.wrong_diagnosis"
    if code := taxonomy.find(word):
        return _known(code, taxonomy)
    if sum(letter.isalpha() for letter in word) < FEWEST_LETTERS or word.casefold() in SAYS_NOTHING:
        return "labels.wrong_other"
    return Said(None, word, named.malignant == "yes") if named.malignant else "labels.wrong_malignant"


def _known(code: str, taxonomy: Taxonomy) -> Said:
    """Keep with a code whether it is malignant: the next release's taxonomy may not know it."""
    return Said(code, is_malignant=taxonomy[code].malignant)


def is_a_day(report: Report, *, now: float) -> bool:
    """Say whether a report can be of this day: not of one to come, wherever on earth."""
    latest = dt.datetime.fromtimestamp(now, dt.UTC).date() + dt.timedelta(days=1)
    return dt.date(1950, 1, 1) <= report.day <= latest
