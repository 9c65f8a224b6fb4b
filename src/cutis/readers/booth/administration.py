"""The administrator's routes: invitations, progress, dropouts, export. Nobody's answers are shown here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.readers.booth.export import PROFILES, READINGS, export
from cutis.readers.booth.people import Invitation, invite, reader_of
from cutis.readers.booth.progress import overview_of
from cutis.readers.booth.reading import study_of
from cutis.vocabulary.reading import csv_of, read_readings
from cutis.web.accounts import Role, make_link, revoke_links
from cutis.web.ground import allow, ground_of, page
from cutis.web.sessions import close_sessions

router = APIRouter()
ADMINISTRATOR = Depends(allow(Role.ADMINISTRATOR))
MOST_AT_ONCE = 1000  # people on one list
FILES = {
    READINGS: "application/vnd.apache.parquet",
    "readings.csv": "text/csv; charset=utf-8",
    PROFILES: "text/csv; charset=utf-8",
}


@router.get("/booth/readers", dependencies=[ADMINISTRATOR])
def readers(request: Request) -> Response:
    """Show how far everybody is."""
    return _readers(request)


@router.post("/booth/readers/invite", dependencies=[ADMINISTRATOR])
def invite_them(request: Request, names: Annotated[str, Form(max_length=50_000)]) -> Response:
    """Invite a list of people, one a line; the links are shown once, for only their hashes are kept."""
    ground, study = ground_of(request), study_of(request)
    labels = [line.strip()[:120] for line in names.splitlines()[:MOST_AT_ONCE]]
    with ground.database.writing() as connection:
        now, days = ground.now(), ground.settings.link_days
        invited = invite(connection, study.protocol, labels, now=now, days=days)
    ground.log.info("readers invited", count=sum(each.token is not None for each in invited))
    return _readers(request, invited=invited)


@router.post("/booth/readers/link", dependencies=[ADMINISTRATOR])
def new_link(request: Request, account: Annotated[str, Form(max_length=32)]) -> Response:
    """Make a new link for a reader; the one before leads nowhere from now on."""
    ground = ground_of(request)
    with ground.database.writing() as connection:
        reader = reader_of(connection, account)
        if reader is None:
            raise HTTPException(404)
        token = make_link(connection, account, now=ground.now(), days=ground.settings.link_days)
    return _readers(request, invited=(Invitation(reader.label, reader.place, token),))


@router.post("/booth/readers/close", dependencies=[ADMINISTRATOR])
def close(request: Request, account: Annotated[str, Form(max_length=32)]) -> Response:
    """Let a lost link lead nowhere, and end the sessions that it began; the answers stay."""
    ground = ground_of(request)
    with ground.database.writing() as connection:
        if reader_of(connection, account) is None:
            raise HTTPException(404)
        revoke_links(connection, account)
        close_sessions(connection, account)
    return RedirectResponse("/booth/readers", 303)


@router.post("/booth/export", dependencies=[ADMINISTRATOR])
def export_all(request: Request) -> Response:
    """Write what was answered so far to the workspace, and offer it."""
    ground, study = ground_of(request), study_of(request)
    with ground.database.reading() as connection:
        exported = export(connection, study)
    ground.log.info("exported", answers=exported.answers, readers=exported.readers)
    return _readers(request, exported=(exported.answers, exported.readers))


@router.get("/booth/export/{name}", dependencies=[ADMINISTRATOR])
def file(request: Request, name: str) -> Response:
    """Send one of the files that the last export wrote."""
    folder = study_of(request).folder
    if name not in FILES or not (folder / READINGS).is_file():
        raise HTTPException(404)
    if name == "readings.csv":
        content = csv_of(read_readings(folder / READINGS)).encode()
    else:
        content = (folder / name).read_bytes()
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=FILES[name], headers=headers)


def _readers(
    request: Request, *, invited: tuple[Invitation, ...] = (), exported: tuple[int, int] | None = None
) -> Response:
    ground, study = ground_of(request), study_of(request)
    with ground.database.reading() as connection:
        days = request.app.state.booth_settings.quiet_days
        overview = overview_of(connection, study, now=ground.now(), quiet_days=days)
    return page(
        request,
        "readers.html",
        study=study.protocol,
        overview=overview,
        invited=invited,
        exported=exported,
        files=FILES,
        join=f"{ground.settings.origin}/join#",
    )
