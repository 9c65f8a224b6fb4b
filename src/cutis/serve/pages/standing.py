"""What every page of the clinician stands on: who asks, for which examination, and what is at the head of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fastapi import Depends, HTTPException
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from cutis.serve.clinic import Clinic, clinic_of
from cutis.serve.pages.saying import diagnosis_said, names_in
from cutis.serve.record.cases import Case, case_of
from cutis.serve.record.examinations import Examination, examination_of
from cutis.serve.record.words import Truth, Word
from cutis.serve.visibility import shows
from cutis.web.accounts import Role
from cutis.web.ground import Ground, allow, ground_of, page, visitor, words_of
from cutis.web.tables import ACCOUNTS
from cutis.web.translations import Words

CLINICIAN = Depends(allow(Role.CLINICIAN))
OF_A_PATIENT = {"cache-control": "no-store"}


class Here(NamedTuple):
    """The ground under one request of a clinician."""

    clinic: Clinic
    ground: Ground
    by: str  # account
    words: Words


class Site(NamedTuple):
    """What stands on every page."""

    release: str
    invented: bool
    silent: bool


class Said(NamedTuple):
    """A word or a truth as a page shows it."""

    says: str  # "agrees", "other" or "doubt"; of a truth its source
    diagnosis: str
    by: str
    at: float
    aided: bool = False
    day: str | None = None  # of the histology


def here_of(request: Request) -> Here:
    """Return who asks, and on what they stand."""
    return Here(clinic_of(request), ground_of(request), visitor(request).account.id, words_of(request))


def clinic_page(
    request: Request, template: str, *, status: int = 200, invented: bool = False, **values: Any
) -> Response:
    """Fill a template of the clinic, with what must stand on every page of it.

    `invented` says that an answer on it is of a release of invented pictures, whatever answers by now.
    """
    here = here_of(request)
    release = here.clinic.answerer.release
    with here.ground.database.reading() as connection:
        silent = not shows(connection, here.clinic.settings, release.sha256)
    site = Site(release.name, release.bundle.invented or invented, silent)
    return page(request, template, status=status, site=site, **values)


def examination_here(connection: Connection, examination_id: str) -> Examination:
    """Return an examination whose case is there.

    Raises:
        HTTPException: 404 where there is none, 410 where its case was erased.
    """
    found = examination_of(connection, examination_id)
    if found is None:
        raise HTTPException(404)
    case_here(connection, found.case_id)
    return found


def case_here(connection: Connection, case_id: str) -> Case:
    """Return a case that is there.

    Raises:
        HTTPException: 404 where there is none, 410 where it was erased.
    """
    found = case_of(connection, case_id)
    if found is None:
        raise HTTPException(404)
    if found.erased_at is not None:
        raise HTTPException(410)
    return found


def names_of(connection: Connection, ids: Iterable[str], words: Words) -> dict[str, str]:
    """Return how people call those who asked or spoke; who is no account is a program."""
    wanted = set(ids)
    rows = connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.name).where(ACCOUNTS.c.id.in_(wanted)))
    return dict.fromkeys(wanted, words("clinic.program")) | {row.id: row.name or row.id[:8] for row in rows}


def names_here(here: Here) -> dict[str, str]:
    """Return how the diagnoses of the release are called in the reader's language."""
    return names_in(here.clinic.answerer.release.taxonomy, here.words)


def said_of(word: Word, people: Mapping[str, str], diagnoses: Mapping[str, str]) -> Said:
    """Return a word as it is shown."""
    diagnosis = diagnosis_said(word.diagnosis, word.other, diagnoses)
    return Said(word.says.value, diagnosis, people.get(word.by, word.by), word.at, aided=word.aided)


def truth_of(truth: Truth, people: Mapping[str, str], diagnoses: Mapping[str, str]) -> Said:
    """Return a truth as it is shown."""
    diagnosis = diagnosis_said(truth.diagnosis, truth.other, diagnoses)
    return Said(truth.source.value, diagnosis, people.get(truth.by, truth.by), truth.at, day=truth.day)
