"""One lesion over time: two of its pictures side by side, its examinations, and all of it as a PDF."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from cutis.serve.pages.listing import Told, listed, write_access
from cutis.serve.pages.pdf import pdf_of
from cutis.serve.pages.report import report_of
from cutis.serve.pages.standing import CLINICIAN, OF_A_PATIENT, Here, case_here, clinic_page, here_of
from cutis.serve.record.examinations import Part, contents_of, count_of, examinations_of
from cutis.serve.record.words import truths_of, words_of

router = APIRouter()
KEYS = (
    ("zoom", ("+", "−", "0")),
    ("move", ("←", "↑", "→", "↓")),
    ("pictures", (",", ".")),
    ("report", ("P",)),
    ("again", ("N",)),
    ("list", ("?",)),
)


@router.get("/cases/{case_id}", dependencies=[CLINICIAN])
def case(request: Request, case_id: str) -> Response:
    """Show a lesion over time."""
    here = here_of(request)
    with here.ground.database.reading() as connection:
        found = case_here(connection, case_id)
        told = told_of(connection, here, found.id)
        pictures = [
            (each.examination, place)
            for each in told
            for place in range(count_of(connection, each.examination, Part.THUMBNAIL))
        ]
    write_access(here, "case", case_id=found.id)
    rows = tuple(reversed(listed(here, told)))
    options = [
        {
            "path": f"/examinations/{each.id}/pictures/{place}",
            "text": here.words("clinic_case.picture_at", date=day_of(each.made_at), number=place + 1),
        }
        for each, place in pictures
    ]
    return clinic_page(
        request,
        "clinic_case.html",
        case={"id": found.id},
        examinations=rows,
        invented=any(each.invented for each in rows),
        pictures=options,
        sides=[0, len(options) - 1][: len(options)],
        keys=KEYS,
    )


@router.get("/cases/{case_id}/report.pdf", dependencies=[CLINICIAN])
def report(request: Request, case_id: str) -> Response:
    """Send a lesion with all its examinations as a PDF; that it was taken out is written down before."""
    here = here_of(request)
    with here.ground.database.reading() as connection:
        found = case_here(connection, case_id)
        told = told_of(connection, here, found.id)
    write_access(here, "report", case_id=found.id)
    content = pdf_of(report_of(here, found, told), here.words)
    headers = OF_A_PATIENT | {"content-disposition": f'attachment; filename="case-{found.id[:8]}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def told_of(connection: Connection, here: Here, case_id: str) -> list[Told]:
    """Return the examinations of a case with what was said of each, the oldest first."""
    vault = here.clinic.vault
    truths = truths_of(connection, vault, case_id)
    found = examinations_of(connection, case_id)
    notes = [contents_of(connection, vault, each, Part.NOTE) for each in found]
    return [
        Told(
            each,
            words_of(connection, vault, each.id),
            truths if each is found[-1] else (),
            note[0].decode() if note else "",
        )
        for each, note in zip(found, notes, strict=True)
    ]


def day_of(at: float) -> str:
    """Return a day as all languages read it."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
