"""The reader's routes: consent, profile, one case after the other, and the way out."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from cutis.readers.booth.answers import MANAGEMENT, Given, keep, said_before, wrong_in
from cutis.readers.booth.consent import consent_in
from cutis.readers.booth.course import Standing, picture_name, standing_of, told, turns_ahead
from cutis.readers.booth.people import (
    DERMOSCOPY,
    MOST_YEARS,
    TRAINING,
    Reader,
    consent,
    keep_profile,
    reader_of,
    withdraw,
)
from cutis.readers.booth.study import Study
from cutis.vocabulary.reading import AIDED, NONE_OF_THESE
from cutis.web.accounts import Role
from cutis.web.ground import OPEN, allow, ground_of, page, signed_out, visitor, words_of
from cutis.web.translations import Words

router = APIRouter()
READER = Depends(allow(Role.READER))
KEPT_BY_BROWSER = {"cache-control": "private, max-age=86400, immutable"}  # its name is this reader's alone


def study_of(request: Request) -> Study:
    """Return the study that is read here."""
    study: Study = request.app.state.study
    return study


def _reader(request: Request, connection: Connection, *, alone: bool = False) -> Reader:
    found = reader_of(connection, visitor(request).account.id, alone=alone)
    if found is None:
        raise HTTPException(403)
    return found


@router.get("/booth", dependencies=[READER])
def booth(request: Request) -> Response:
    """Show the page on which cases are read, or what comes before it."""
    ground, study = ground_of(request), study_of(request)
    with ground.database.reading() as connection:
        reader = _reader(request, connection)
    if not reader.has_consented:
        return RedirectResponse("/booth/consent", 303)
    if not reader.has_profile:
        return RedirectResponse("/booth/profile", 303)
    return page(request, "booth.html", study=study.protocol, told=_for_scripts(study, reader, words_of(request)))


@router.get("/booth/consent", dependencies=[READER])
def consent_page(request: Request) -> Response:
    """Show what a reader consents to."""
    return _consent_page(request, status=200)


@router.post("/booth/consent", dependencies=[READER])
def give_consent(
    request: Request, sha256: Annotated[str, Form(max_length=64)], *, agrees: Annotated[bool, Form()] = False
) -> Response:
    """Keep the consent to exactly the words that were shown."""
    ground = ground_of(request)
    texts = {consent_in(request.app.state.booth_settings, words).sha256 for words in ground.languages.values()}
    if not agrees or sha256 not in texts:
        return _consent_page(request, status=422)
    with ground.database.writing() as connection:
        consent(connection, _reader(request, connection, alone=True).account_id, sha256=sha256, now=ground.now())
    return RedirectResponse("/booth", 303)


@router.get("/booth/profile", dependencies=[READER])
def profile_page(request: Request) -> Response:
    """Ask for years, training and dermoscopy."""
    return page(request, "profile.html", study=study_of(request).protocol, training=TRAINING, dermoscopy=DERMOSCOPY)


@router.post("/booth/profile", dependencies=[READER])
def give_profile(
    request: Request,
    years: Annotated[int, Form(ge=0, le=MOST_YEARS)],
    training: Annotated[str, Form(max_length=20)],
    dermoscopy: Annotated[str, Form(max_length=20)],
) -> Response:
    """Keep them."""
    if training not in TRAINING or dermoscopy not in DERMOSCOPY:
        raise HTTPException(422)
    ground = ground_of(request)
    with ground.database.writing() as connection:
        reader = _reader(request, connection, alone=True)
        if not reader.has_consented:
            raise HTTPException(403)
        keep_profile(connection, reader.account_id, years=years, training=training, dermoscopy=dermoscopy)
    return RedirectResponse("/booth", 303)


@router.get("/booth/turns", dependencies=[READER])
def turns(request: Request) -> Response:
    """Tell where the reader stands."""
    ground, study = ground_of(request), study_of(request)
    with ground.database.reading() as connection:
        reader = _ready(request, connection)
        standing = standing_of(connection, study, reader, now=ground.now())
        return JSONResponse(_told(connection, study, reader, standing))


@router.post("/booth/answers", dependencies=[READER])
def answer(request: Request, given: Given) -> Response:
    """Keep an answer; 200 says that it is on the disk, 409 that another one is, or that it is not its time."""
    ground, study = ground_of(request), study_of(request)
    if wrong := wrong_in(given, study):
        return JSONResponse({"status": 422, "fields": wrong}, 422)
    with ground.database.writing() as connection:
        reader = _ready(request, connection, alone=True)
        kept = keep(connection, study, reader, given, now=ground.now())
        content = _told(connection, study, reader, kept.standing)
    content |= {"kept": given.answer_id if kept.is_kept else None, "feedback": kept.feedback if kept.is_kept else None}
    return JSONResponse(content, 200 if kept.is_kept else 409)


@router.get("/booth/pictures/{name}", dependencies=[READER])
def picture(request: Request, name: str) -> Response:
    """Send the picture of this reader's turn, or of the one after it; there is no way to any other."""
    study = study_of(request)
    case_id = _case_of(request, study, name, ahead=True)
    return Response(study.picture(case_id).read_bytes(), media_type="image/jpeg", headers=KEPT_BY_BROWSER)


@router.get("/booth/maps/{name}", dependencies=[READER])
def map_(request: Request, name: str) -> Response:
    """Send the network's map of this reader's turn, if it is an aided one and the protocol shows maps."""
    study = study_of(request)
    found = study.map(_case_of(request, study, name, ahead=False)) if "map" in study.protocol.aid else None
    if found is None:
        raise HTTPException(404)
    kind = "image/png" if found.suffix == ".png" else "image/jpeg"
    return Response(found.read_bytes(), media_type=kind, headers=KEPT_BY_BROWSER)


@router.get("/booth/withdraw", dependencies=[READER])
def withdraw_page(request: Request) -> Response:
    """Explain what leaving means."""
    return page(request, "withdraw.html", study=study_of(request).protocol, said=None)


@router.post("/booth/withdraw", dependencies=[READER])
def leave(request: Request, *, sure: Annotated[bool, Form()] = False) -> Response:
    """Erase the reader and all that they answered."""
    ground = ground_of(request)
    if not sure:
        return page(request, "withdraw.html", status=422, study=study_of(request).protocol, said="withdraw.unsure")
    with ground.database.writing() as connection:
        withdraw(connection, _reader(request, connection, alone=True).account_id, now=ground.now())
    ground.database.forget()
    ground.log.info("reader withdrew")
    return signed_out(RedirectResponse("/booth/left", 303), ground)


@router.get("/booth/left", dependencies=[Depends(OPEN)])
def left(request: Request) -> Response:
    """Say that it is done."""
    return page(request, "left.html")


def _ready(request: Request, connection: Connection, *, alone: bool = False) -> Reader:
    reader = _reader(request, connection, alone=alone)
    if not (reader.has_consented and reader.has_profile):
        raise HTTPException(403)
    return reader


def _told(connection: Connection, study: Study, reader: Reader, standing: Standing) -> dict[str, Any]:
    return told(study, reader, standing, said=said_before(connection, study, reader, standing))


def _case_of(request: Request, study: Study, name: str, *, ahead: bool) -> str:
    """Return the case behind a picture's name, if it is this reader's turn.

    Raises:
        HTTPException: 404 for every other name, known to another reader or to nobody.
    """
    ground = ground_of(request)
    with ground.database.reading() as connection:
        reader = _ready(request, connection)
        standing = standing_of(connection, study, reader, now=ground.now())
    for position, turn in turns_ahead(study, reader, standing):
        may_see = ahead or (position == standing.position and turn.arm == AIDED)
        if standing.session is not None and may_see and picture_name(reader, standing.session, position) == name:
            return turn.case_id
    raise HTTPException(404)


def _consent_page(request: Request, *, status: int) -> Response:
    text = consent_in(request.app.state.booth_settings, words_of(request))
    return page(request, "consent.html", status=status, study=study_of(request).protocol, text=text)


def _for_scripts(study: Study, reader: Reader, words: Words) -> dict[str, Any]:
    """Return what the page's scripts need to know; none of it depends on any case."""
    protocol = study.protocol
    named = [(code, *_names(protocol.names[code], words)) for code in protocol.diagnoses]
    diagnoses = [
        {"code": code, "name": name, "beneath": beneath, "also": [code, *protocol.aliases.get(code, ())]}
        for code, name, beneath in named
    ]
    if protocol.none_of_these:
        diagnoses.append({"code": NONE_OF_THESE, "name": words("booth.none"), "beneath": "", "also": []})
    return {
        "reader": hashlib.sha256(reader.picture_key.encode()).hexdigest()[:12],
        "diagnoses": diagnoses,
        "asks": protocol.asks,
        "management": [[each, words(f"management.{each}")] for each in MANAGEMENT],
        "frame": protocol.frame,
        "words": words.beginning("booth."),
        "sites": words.beginning("site."),
    }


def _names(name: str, words: Words) -> tuple[str, str]:
    """Return a diagnosis in the reader's language, and in English beneath it where that is another one."""
    own = f"diagnoses.{name.casefold()}"
    return (words(own), name) if words.has(own) else (name, "")
