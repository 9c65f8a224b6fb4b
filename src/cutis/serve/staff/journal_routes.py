"""The auditor's routes: the journal, page by page, whether it is whole, and all of it to take along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cutis.serve.clinic import clinic_of
from cutis.serve.journal.exporting import exported
from cutis.serve.journal.verifying import Verdict
from cutis.serve.staff.frame import office_page
from cutis.serve.staff.past import Wanted, kinds, page_of
from cutis.serve.staff.routes import verdict_of
from cutis.web.accounts import Role
from cutis.web.database import Database
from cutis.web.ground import allow, ground_of

router = APIRouter()
AUDITOR = Depends(allow(Role.AUDITOR))
DAY = 86_400.0
Short = Annotated[str, Query(max_length=32)]
Number = Annotated[int | None, Query(ge=1, le=2**31 - 1)]  # as the database counts


@router.get("/journal", dependencies=[AUDITOR])
def journal(
    request: Request,
    kind: Short = "",
    by: Short = "",
    case: Short = "",
    since: Short = "",
    until: Short = "",
    before: Number = None,
) -> Response:
    """Show what was written down."""
    asked = {"kind": kind, "by": by, "case": case, "since": since, "until": until}
    ends = _day(until)
    wanted = Wanted(
        kind=kind,
        by=by,
        case=case,
        since=_day(since),
        until=None if ends is None else ends + DAY,
        before=before,
    )
    return _journal(request, wanted, asked)


@router.post("/journal/verify", dependencies=[AUDITOR])
def verify_journal(request: Request) -> Response:
    """Recompute the chain and hold it against its anchors."""
    return _journal(request, Wanted(), {}, verdict=verdict_of(request))


@router.get("/journal/export", dependencies=[AUDITOR])
def export(request: Request) -> Response:
    """Send all entries as lines of JSON: what is open in them, and the hashes of what is sealed."""
    headers = {"content-disposition": 'attachment; filename="journal.jsonl"'}
    lines = _lines(ground_of(request).database)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


def _lines(database: Database) -> Iterator[str]:
    with database.reading() as connection:
        for line in exported(connection):
            yield line + "\n"


def _day(text: str) -> float | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()


def _journal(request: Request, wanted: Wanted, asked: dict[str, str], *, verdict: Verdict | None = None) -> Response:
    ground, clinic = ground_of(request), clinic_of(request)
    with ground.database.reading() as connection:
        found = page_of(connection, wanted)
    kept = {name: value for name, value in asked.items() if value}
    return office_page(
        request,
        "staff_journal.html",
        found=found,
        kinds=kinds(),
        asked={"kind": "", "by": "", "case": "", "since": "", "until": ""} | kept,
        further=f"/journal?{urlencode(kept | {'before': found.further})}" if found.further else None,
        begins=wanted.before is None,
        verdict=verdict,
        folder=clinic.settings.journal_folder,
    )
