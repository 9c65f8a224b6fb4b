"""What is asked for beside the page of an examination: its pictures, a heat map, similar cases, the atlas."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cutis.imaging.prepare import shrunk_size
from cutis.serve.answer import Answer, Neighbour, State
from cutis.serve.answering.kept_maps import overlay
from cutis.serve.pages.saying import named, percent
from cutis.serve.pages.standing import CLINICIAN, OF_A_PATIENT, Here, examination_here, here_of
from cutis.serve.record.examinations import Examination, Part, answer_of, contents_of
from cutis.serve.visit import Shown, hidden_from, reveal

router = APIRouter()
LONGEST_OVERLAY = 800  # pixels


@router.get("/examinations/{examination_id}/pictures/{place}", dependencies=[CLINICIAN])
def picture(request: Request, examination_id: str, place: int) -> Response:
    """Send a picture of the examination, made anew from its pixels."""
    return _content(here_of(request), examination_id, Part.PICTURE, place)


@router.get("/examinations/{examination_id}/thumbnails/{place}", dependencies=[CLINICIAN])
def thumbnail(request: Request, examination_id: str, place: int) -> Response:
    """Send the same, small."""
    return _content(here_of(request), examination_id, Part.THUMBNAIL, place)


@router.get("/examinations/{examination_id}/map", dependencies=[CLINICIAN])
def heat_map(request: Request, examination_id: str, diagnosis: str, depth: str, picture: int = 0) -> Response:
    """Send what spoke for a diagnosis, to be laid over a picture; which map was asked for is written down."""
    here = here_of(request)
    shown = Shown(parts=("map",), diagnosis=diagnosis[:80], depth=depth[:20])
    with here.ground.database.reading() as connection:
        found = _answered(connection, here, examination_id)
        answer = answer_of(connection, here.clinic.vault, found)
        if depth not in answer.maps or not 0 <= picture < len(answer.pictures):
            raise HTTPException(404)
        maps = contents_of(connection, here.clinic.vault, found, Part.MAPS)
    seen = answer.pictures[picture]
    size = shrunk_size((seen.width, seen.height), LONGEST_OVERLAY)
    try:
        layer = overlay(maps[0], diagnosis=diagnosis, depth=depth, size=size, picture=picture)
    except LookupError as error:
        raise HTTPException(404) from error
    _revealed(here, found, shown)  # only now is there a map to be written down
    return Response(layer, media_type="image/png", headers=OF_A_PATIENT)


@router.get("/examinations/{examination_id}/similar", dependencies=[CLINICIAN])
def similar(request: Request, examination_id: str) -> Response:
    """Tell which confirmed cases of the archive the lesion is like."""
    here = here_of(request)
    with here.ground.database.reading() as connection:
        found = _answered(connection, here, examination_id)
    answer = _revealed(here, found, Shown(parts=("similar",)))
    names = {each.code: each.name for each in answer.findings}
    cases = [_similar(here, answer, each, name=names.get(each.code, each.code)) for each in answer.neighbours]
    return JSONResponse({"cases": cases}, headers=OF_A_PATIENT)


@router.get("/atlas/{release_sha256}", dependencies=[CLINICIAN])
def atlas(request: Request, release_sha256: str) -> Response:
    """Tell where the cases of the release's atlas lie; of the release that answers now, and of no other."""
    release = here_of(request).clinic.answerer.release
    if release.atlas is None or release.sha256 != release_sha256:
        raise HTTPException(404)
    kinds = [-1] * len(release.atlas) if release.atlas.diagnosis is None else release.atlas.diagnosis.tolist()
    codes = (*release.taxonomy.codes, "")  # the last one is meant by -1
    places = release.atlas.places.round(2).tolist()
    points = [[*place, codes[kind]] for place, kind in zip(places, kinds, strict=True)]
    return JSONResponse({"points": points})


def _answered(connection: Connection, here: Here, examination_id: str) -> Examination:
    """Return an examination of whose answer a part is asked for; what is hidden, or no answer, has none.

    Raises:
        HTTPException: 404 for all of these.
    """
    found = examination_here(connection, examination_id)
    if found.state is not State.ANSWERED or hidden_from(connection, here.clinic, found, here.by):
        raise HTTPException(404)
    return found


def _revealed(here: Here, found: Examination, shown: Shown) -> Answer:
    """Write down which part of an answer is shown, and return the answer.

    Raises:
        HTTPException: 404 where it was hidden meanwhile.
    """
    answer = reveal(here.clinic, here.ground, found, here.by, shown=shown).answer
    if answer is None:
        raise HTTPException(404)
    return answer


def _content(here: Here, examination_id: str, part: Part, place: int) -> Response:
    with here.ground.database.reading() as connection:
        found = examination_here(connection, examination_id)
        contents = contents_of(connection, here.clinic.vault, found, part, place=place)
    if not contents:
        raise HTTPException(404)
    return Response(contents[0], media_type="image/jpeg", headers=OF_A_PATIENT)


def _similar(here: Here, answer: Answer, case: Neighbour, *, name: str) -> dict[str, Any]:
    words, release = here.words, here.clinic.answerer.release
    seen = release.thumbnail(case.case_id) if release.sha256 == answer.release_sha256 else None
    key = f"clinic_answer.confirmed_{case.confirmed_by}"
    by = words("clinic_answer.confirmed_other", by=case.confirmed_by) if case.confirmed_by else ""
    told = [words("clinic_answer.similarity", value=f"{case.similarity:.2f}")]
    if case.perhaps_the_same_picture:
        told.append(words("clinic_answer.same"))
    return {
        "name": named(case.code, name, words).name,
        "confirmed": words(key) if words.has(key) else by or words("clinic_answer.confirmed_none"),
        "likeness": " · ".join(told),
        "shared": _shared(case, here),
        "thumbnail": base64.b64encode(seen).decode() if seen else None,
    }


def _shared(case: Neighbour, here: Here) -> str:
    if case.shared is None or case.shared_low is None or case.shared_high is None:
        return ""
    low, high = percent(case.shared_low), percent(case.shared_high)
    return here.words("clinic_answer.shared", percent=percent(case.shared), low=low, high=high)
