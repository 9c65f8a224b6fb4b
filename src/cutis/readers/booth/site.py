"""From a workspace to a booth that is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from fastapi import APIRouter
from sqlalchemy import select

from cutis.progress import say
from cutis.readers.booth import administration, reading
from cutis.readers.booth.consent import consent_in
from cutis.readers.booth.export import export
from cutis.readers.booth.settings import BoothSettings
from cutis.readers.booth.study import Study, open_study
from cutis.readers.booth.tables import ANSWERS
from cutis.readers.protocol import PLAN, PRACTICE
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.accounts import Role, can_sign_in, first_of, make_link
from cutis.web.application import Room, Site, create_site
from cutis.web.database import Database, open_database
from cutis.web.ground import Ground, Home
from cutis.web.migrate import migrate
from cutis.web.server import require_safe, serve
from cutis.web.settings import read_settings
from cutis.workspace import Finished, Workspace, alone_in

ROOM = Path(str(files("cutis.readers.booth")))
DATABASE = "booth.sqlite"
FIRST_LINK_DAYS = 1 / 24  # the link of the first administrator, on the terminal


class Booth(NamedTuple):
    """An open booth."""

    settings: BoothSettings
    study: Study
    database: Database
    site: Site


def booth(
    workspace: Workspace, *, settings: Path | None = None, check: bool = False, new_link: bool = False, **flags: Any
) -> Finished:
    """Open the booth and serve it until Ctrl-C.

    Args:
        workspace: holds the study.
        settings: a TOML file; flags and environment come before it.
        check: look whether it could be opened, and leave.
        new_link: make a link for the administrator, also where one has a password.
        flags: settings by name; None is not given.

    Raises:
        UserError: see `open_study`, `open_database` and `read_settings`.
        SafetyRefusal: see `require_safe`; or the database holds answers of another protocol.
    """
    with alone_in(workspace.readers), opened(workspace, settings=settings, **flags) as open_booth:
        require_safe(open_booth.settings, open_booth.database)
        origin = open_booth.settings.origin
        if not check:
            if link := administrators_link(open_booth, wanted=new_link):
                say(f"administrator: {link}  (good once, for an hour)")
            say(f"booth: {origin}  (Ctrl-C ends it; every answer is saved)")
            serve(open_booth.site, open_booth.settings)
        with open_booth.database.reading() as connection:
            answers = len(connection.execute(select(ANSWERS.c.number).where(ANSWERS.c.session > PRACTICE)).all())
    protocol = open_booth.study.protocol
    line = f"{protocol.title}: {len(protocol.slots)} places, {len(protocol.measured)} cases, {answers:,} answers"
    facts = {"answers": answers, "origin": origin, "protocol_sha256": protocol.sha256}
    return Finished(wrote=workspace.readers, lines=(line,), facts=facts, next_command="cutis readers export")


def export_readings(workspace: Workspace, *, settings: Path | None = None, **flags: Any) -> Finished:
    """Write the answers so far to ``readings.parquet``; the booth may stay open meanwhile.

    Raises:
        UserError: as `booth`.
    """
    with opened(workspace, settings=settings, **flags) as open_booth, open_booth.database.reading() as connection:
        exported = export(connection, open_booth.study)
    line = f"{exported.answers:,} answers of {exported.readers} readers"
    facts = {"answers": exported.answers, "readers": exported.readers, "profiles": str(exported.profiles)}
    return Finished(wrote=exported.readings, lines=(line,), facts=facts, next_command="cutis readers score")


@contextmanager
def opened(
    workspace: Workspace,
    *,
    settings: Path | None = None,
    now: Callable[[], float] = time.time,
    log: TextIO | None = None,
    **flags: Any,
) -> Iterator[Booth]:
    """Lend an open booth; its tables are brought to their newest form first.

    Raises:
        UserError: see `booth`.
    """
    study = open_study(workspace.readers)
    read = read_settings(BoothSettings, settings, **flags)
    database = open_database(read.database or f"sqlite:///{(workspace.readers / DATABASE).absolute()}")
    try:
        migrate(database, [ROOM / "migrations"])
        _require_same_protocol(database, study)
        site = create_site(
            read,
            database,
            rooms=[room_of(read, study)],
            languages=study.protocol.languages,
            now=now,
            log=log,
        )
        ground: Ground = site.bare.state.ground
        for words in ground.languages.values():
            consent_in(read, words)
        yield Booth(read, study, database, site)
    finally:
        database.close()


def room_of(settings: BoothSettings, study: Study) -> Room:
    """Return the booth as a room of a site."""
    routes = APIRouter()
    routes.routes.extend([*reading.router.routes, *administration.router.routes])
    return Room(
        name="booth",
        router=routes,
        folder=ROOM,
        homes={Role.READER: Home("/booth", "booth.title"), Role.ADMINISTRATOR: Home("/booth/readers", "readers.title")},
        idle={Role.READER: settings.reader_idle_minutes * 60},
        state={"study": study, "booth_settings": settings},
    )


def administrators_link(open_booth: Booth, *, wanted: bool = False) -> str | None:
    """Return a link for the administrator; None where one can sign in and no link is wanted."""
    ground: Ground = open_booth.site.bare.state.ground
    with open_booth.database.writing() as connection:
        if can_sign_in(connection, Role.ADMINISTRATOR) and not wanted:
            return None
        account_id = first_of(connection, Role.ADMINISTRATOR, now=ground.now())
        token = make_link(connection, account_id, now=ground.now(), days=FIRST_LINK_DAYS, once=True)
    return f"{open_booth.settings.origin}/join#{token}"


def _require_same_protocol(database: Database, study: Study) -> None:
    counted = select(ANSWERS.c.protocol_sha256).where(ANSWERS.c.session > PRACTICE).distinct()
    with database.reading() as connection:
        others = set(connection.execute(counted).scalars()) - {study.protocol.sha256}
    if others:
        what = "the database holds answers that were given under another protocol"
        mend = "bring back the plan that was read under, or name another database"
        raise SafetyRefusal(what, where=str(study.folder / PLAN), mend=mend)
