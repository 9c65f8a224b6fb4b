"""The curator's routes: pictures to label, blind; histology; and the folder that the next ``cutis curate`` reads."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.serve.clinic import clinic_of
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.labels.asked import OTHER, Named, NamedForm, ReportForm, is_a_day, said_in
from cutis.serve.labels.collecting import FOLDERS, export_labels
from cutis.serve.labels.saying import say, say_histology
from cutis.serve.labels.truths import HOLDS_DAYS, Said
from cutis.serve.labels.waiting import looked_at, waiting_for
from cutis.serve.record.cases import cases_by_accession
from cutis.serve.record.examinations import Examination, Part, contents_of, examination_of, examinations_of
from cutis.serve.staff.frame import office_page
from cutis.serve.vault import Erased
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role
from cutis.web.ground import allow, ground_of, visitor

router = APIRouter()
CURATOR = Depends(allow(Role.CURATOR))
KINDS = {"pictures": Part.PICTURE, "thumbnails": Part.THUMBNAIL}


@router.get("/labels", dependencies=[CURATOR])
def labels(request: Request) -> Response:
    """Show what waits for this rater."""
    return _list(request)


@router.post("/labels/find", dependencies=[CURATOR])
def find(request: Request, number: Annotated[str, Form(max_length=64)]) -> Response:
    """Find examinations by the number under which the clinic keeps them; it never stands in an address."""
    ground, clinic = ground_of(request), clinic_of(request)
    with ground.database.reading() as connection:
        cases = cases_by_accession(connection, clinic.vault, number)
        found = [each for case in cases if case.erased_at is None for each in examinations_of(connection, case.id)]
    _write_access(request, "search")
    return _list(request, found=found)


@router.get("/labels/next", dependencies=[CURATOR])
def next_one(request: Request) -> Response:
    """Lead to the examination that waits longest."""
    ground, clinic = ground_of(request), clinic_of(request)
    with ground.database.reading() as connection:
        waiting = waiting_for(connection, clinic.vault, visitor(request).account.id)
    first = waiting.examinations[:1]
    return RedirectResponse(f"/labels/{first[0].id}" if first else "/labels", 303)


@router.post("/labels/export", dependencies=[CURATOR])
def export(request: Request) -> Response:
    """Write everything that is known to a folder beside the database, for the next ``cutis curate``."""
    ground, clinic = ground_of(request), clinic_of(request)
    day = dt.datetime.fromtimestamp(ground.now(), dt.UTC).strftime("%Y-%m-%d-%H%M%S")
    folder = clinic.settings.folder / FOLDERS / day
    bundle, by = clinic.answerer.release.bundle, visitor(request).account.id
    try:
        written = export_labels(ground.database, clinic.vault, bundle, folder, by=by, now=ground.now())
    except UserError as error:
        return _list(request, said=error.what, status=422)
    ground.log.info("labels exported", examinations=written.examinations, pictures=written.pictures)
    return _list(request, written=written)


@router.get("/labels/{examination_id}", dependencies=[CURATOR])
def examination(request: Request, examination_id: str) -> Response:
    """Show pictures and what was told beside them, and ask."""
    return _examination(request, examination_id)


@router.get("/labels/{examination_id}/{kind}/{place}", dependencies=[CURATOR])
def picture(request: Request, examination_id: str, kind: str, place: int) -> Response:
    """Send one picture."""
    ground, clinic = ground_of(request), clinic_of(request)
    if kind not in KINDS:
        raise HTTPException(404)
    with ground.database.reading() as connection:
        try:
            found = _of(connection, examination_id)
            contents = contents_of(connection, clinic.vault, found, KINDS[kind], place=place)
        except Erased as error:
            raise HTTPException(404) from error
    if not contents:
        raise HTTPException(404)
    return Response(contents[0], media_type="image/jpeg")


@router.post("/labels/{examination_id}/diagnosis", dependencies=[CURATOR])
def diagnosis(request: Request, examination_id: str, named: NamedForm) -> Response:
    """Keep a rater's diagnosis; who was shown an answer is told that theirs becomes no label."""
    ground, clinic = ground_of(request), clinic_of(request)
    said = said_in(named, clinic.answerer.release.taxonomy)
    if isinstance(said, str):
        return _examination(request, examination_id, said=said, named=named)
    with ground.database.writing() as connection:
        found, by = _of(connection, examination_id), visitor(request).account.id
        try:
            is_blind = say(connection, clinic.vault, found, said, by=by, now=ground.now())
        except Erased as error:
            raise HTTPException(404) from error
    if not is_blind:
        return _examination(request, examination_id, said="labels.aided")
    return RedirectResponse("/labels/next", 303)


@router.post("/labels/{examination_id}/histology", dependencies=[CURATOR])
def histology(request: Request, examination_id: str, report: ReportForm) -> Response:
    """Keep what histology found."""
    ground, clinic = ground_of(request), clinic_of(request)
    said: Said | str = said_in(report, clinic.answerer.release.taxonomy)
    if not is_a_day(report, now=ground.now()):
        said = "labels.wrong_day"
    if isinstance(said, str):
        return _examination(request, examination_id, said=said, named=report)
    with ground.database.writing() as connection:
        found, by, day = _of(connection, examination_id), visitor(request).account.id, report.day.isoformat()
        try:
            say_histology(connection, clinic.vault, found, said, day=day, report=report.report, by=by, now=ground.now())
        except Erased as error:
            raise HTTPException(404) from error
    return RedirectResponse("/labels", 303)


def _of(connection: object, examination_id: str) -> Examination:
    found = examination_of(connection, examination_id)  # type: ignore[arg-type]
    if found is None:
        raise HTTPException(404)
    return found


def _write_access(request: Request, what: str, *, case_id: str | None = None) -> None:
    """Write down that a curator read of a case, or looked for some, before the page is sent."""
    ground, clinic = ground_of(request), clinic_of(request)
    entry = Entry(kind=Kind.ACCESS, by=visitor(request).account.id, case_id=case_id, open={"what": what})
    with ground.database.writing() as connection:
        write(connection, clinic.vault, entry, now=ground.now())


def _list(request: Request, *, found: list[Examination] | None = None, status: int = 200, **values: object) -> Response:
    ground, clinic = ground_of(request), clinic_of(request)
    with ground.database.reading() as connection:
        waiting = waiting_for(connection, clinic.vault, visitor(request).account.id)
    shown = {"said": None, "written": None} | values
    return office_page(request, "labels.html", status=status, waiting=waiting, found=found, **shown)


def _examination(
    request: Request, examination_id: str, *, said: str | None = None, named: Named | None = None
) -> Response:
    ground, clinic = ground_of(request), clinic_of(request)
    with ground.database.reading() as connection:
        try:
            looked = looked_at(connection, clinic.vault, _of(connection, examination_id))
        except Erased as error:
            raise HTTPException(404) from error
    _write_access(request, "examination", case_id=looked.examination.case_id)
    today = dt.datetime.fromtimestamp(ground.now(), dt.UTC).date().isoformat()
    return office_page(
        request,
        "labels_examination.html",
        status=422 if named else 200,
        looked=looked,
        diseases=clinic.answerer.release.taxonomy.diseases,
        other=OTHER,
        said=said,
        named=named,
        today=today,
        holds_days=HOLDS_DAYS,
    )
