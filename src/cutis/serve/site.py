"""From what a clinic keeps and what answers in it to one application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TextIO

from fastapi import APIRouter

from cutis.serve.acceptance import room as acceptance
from cutis.serve.api import room as api
from cutis.serve.clinic import Clinic
from cutis.serve.labels import room as labels
from cutis.serve.monitor import room as monitor
from cutis.serve.opening import ROOM
from cutis.serve.pages import room as pages
from cutis.serve.settings import ClinicSettings
from cutis.serve.signs import Signs, read_signs
from cutis.serve.staff import room as staff
from cutis.vocabulary.taxonomy import Taxonomy
from cutis.web.application import WEB, Room, Site, create_site
from cutis.web.database import Database
from cutis.web.passwords import Passwords
from cutis.web.translations import Words, read_translations


def create_clinic(
    clinic: Clinic,
    database: Database,
    *,
    now: Callable[[], float] = time.time,
    passwords: Passwords | None = None,
    log: TextIO | None = None,
) -> Site:
    """Put the clinic's site together; it serves nothing yet.

    Args:
        clinic: its settings, its vault, and what answers.
        database: with its tables in their newest form.
        now: the time, in seconds since 1970.
        passwords: how they are hashed; as the settings say, if not given.
        log: where lines are written; standard error, if not given.

    Raises:
        UserError, LookupError: see `create_site`.
    """
    handed = [replace(room, state={**room.state, "clinic": clinic}) for room in rooms_of(clinic)]
    return create_site(clinic.settings, database, rooms=handed, now=now, passwords=passwords, log=log)


def rooms_of(clinic: Clinic) -> Sequence[Room]:
    """Return the rooms of the site; their routes find the clinic under each request."""
    settings = clinic.settings
    return (
        pages.room(settings, signs_of(settings, clinic.answerer.release.taxonomy)),
        api.room(settings),
        labels.room(),
        acceptance.room(),
        monitor.room(),
        staff.room(),
        Room(name="site", router=APIRouter(), folder=ROOM / "site", notices=partial(notices_of, clinic)),
    )


def notices_of(clinic: Clinic) -> tuple[str, ...]:
    """Return what the pages of the ground say of the release that answers; those of the clinic say it themselves."""
    return ("clinic.invented",) if clinic.answerer.release.bundle.invented else ()


def signs_of(settings: ClinicSettings, taxonomy: Taxonomy) -> Signs | None:
    """Return what the site looks for, by diagnosis; None where it has no file of its own.

    Raises:
        UserError: see `read_signs`.
    """
    return read_signs(settings.signs, taxonomy) if settings.signs else None


def languages_of(settings: ClinicSettings) -> Mapping[str, Words]:
    """Return the languages of the pages, those of the site's own folder among them.

    Raises:
        UserError: see `read_translations`.
    """
    more = [settings.translations] if settings.translations else []
    return read_translations([WEB / "locales", *sorted(ROOM.glob("*/locales")), *more])
