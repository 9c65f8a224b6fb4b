"""Programs send pictures and are sent answers."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from cutis.client.contract import EXAMPLE_ID, Examination
from cutis.imaging.prepare import shrunk_size
from cutis.runtime.batcher import TooManyWait
from cutis.serve.answering.kept_maps import overlay
from cutis.serve.api.meters import KEEPING, RECEIVING, SHOWING
from cutis.serve.api.parts import parts_of
from cutis.serve.api.refusals import REFUSALS, told
from cutis.serve.api.sent import examination_said
from cutis.serve.api.uploads import upload_of
from cutis.serve.clinic import Clinic, clinic_of
from cutis.serve.record.examinations import Examination as Kept
from cutis.serve.record.examinations import Part, answer_of, contents_of, examination_of
from cutis.serve.visit import Asked, Shown, examine, hidden_from, reveal
from cutis.web.ground import Ground, allow, asker_of, ground_of, token_of_request

router = APIRouter(prefix="/v1/diagnoses", tags=["diagnoses"])
OVERLAY = 640  # pixels of the longer side of a map
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=[EXAMPLE_ID])]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{8,200}$",
        description="drawn by who asks: sent again with the same pictures, it is the same examination, not another one",
    ),
]


@router.post("", status_code=201, response_model=Examination, dependencies=[Depends(allow(scopes=["diagnose"]))])
async def diagnose(request: Request, response: Response, key: Key = None) -> Any:
    """Ask what one or more pictures of one lesion show; the answer is in the journal before it is sent.

    Send one picture as the body itself, or several as a form with fields beside them.
    """
    parts, clinic, ground, by = parts_of(request), clinic_of(request), ground_of(request), asker_of(request)
    try:
        if clinic.answerer.is_full:  # before a body is read in vain
            raise TooManyWait("the queue is full")
        with clinic.held.by_one() as take:
            with parts.meters.timed(RECEIVING):
                upload = await upload_of(request, parts.limits, take)
            asked = Asked(by=by, key=key, pictures=upload.pictures, **upload.fields)
            kept = await examine(clinic, ground, asked, keeping=partial(parts.meters.timed, KEEPING))
            with parts.meters.timed(SHOWING):
                said = await to_thread.run_sync(_shown, clinic, ground, kept, by)
    except REFUSALS as error:
        return told(error)
    response.headers["location"] = f"/v1/diagnoses/{kept.id}"
    return said


@router.get(
    "/{examination_id}",
    response_model=Examination,
    dependencies=[Depends(allow(scopes=["diagnose", "read"]))],
)
def diagnosis(request: Request, examination_id: Id) -> Any:
    """Return an examination; a token that may not read every one is sent those that it asked for."""
    clinic, ground = clinic_of(request), ground_of(request)
    try:
        return _shown(clinic, ground, _one(request, examination_id), asker_of(request))
    except REFUSALS as error:
        return told(error)


@router.get(
    "/{examination_id}/maps/{diagnosis}",
    response_class=Response,
    dependencies=[Depends(allow(scopes=["diagnose", "read"]))],
)
def map_of(
    request: Request,
    examination_id: Id,
    diagnosis: Annotated[str, Path(max_length=80, examples=["nv"], description="its code")],
    depth: Annotated[
        str | None, Query(max_length=40, examples=["final"], description="one that the answer names; its first, else")
    ] = None,
    picture: Annotated[int, Query(ge=1, le=1000, description="which of several, from 1")] = 1,
) -> Response:
    """Return where the network saw what speaks for a diagnosis, as a PNG to lay over the picture."""
    try:
        content = _map(request, _one(request, examination_id), diagnosis=diagnosis, depth=depth, place=picture - 1)
    except REFUSALS as error:
        return told(error)
    return Response(content, media_type="image/png")


def _one(request: Request, examination_id: str) -> Kept:
    """Return an examination that the token may know of.

    Raises:
        LookupError: there is none, or it is somebody else's.
    """
    token = token_of_request(request)
    with ground_of(request).database.reading() as connection:
        kept = examination_of(connection, examination_id)
    if kept is None or token is None or ("read" not in token.scopes and kept.made_by != token.id):
        raise LookupError(examination_id)
    return kept


def _shown(clinic: Clinic, ground: Ground, kept: Kept, by: str) -> Examination:
    """Write down what is sent, and return it.

    Raises:
        Erased: the case is no more.
    """
    with ground.database.reading() as connection:
        whole = answer_of(connection, clinic.vault, kept)
    revealed = reveal(clinic, ground, kept, by, shown=Shown(parts=("answer", "similar"), to_program=True))
    return examination_said(kept, whole, revealed.answer)


def _map(request: Request, kept: Kept, *, diagnosis: str, depth: str | None, place: int) -> bytes:
    """Draw a map of an examination, and write down that it is sent.

    Raises:
        LookupError: there is no such map, or none may be shown.
    """
    clinic, ground, by = clinic_of(request), ground_of(request), asker_of(request)
    with ground.database.reading() as connection:
        if hidden_from(connection, clinic, kept, by, to_program=True):  # before anything that takes time tells of it
            raise LookupError(kept.id)
        maps = contents_of(connection, clinic.vault, kept, Part.MAPS)
        whole = answer_of(connection, clinic.vault, kept).as_shown()
    wanted = depth or (whole.maps[0] if whole.maps else "")
    if not maps or wanted not in whole.maps or not 0 <= place < len(whole.pictures):
        raise LookupError(kept.id)
    picture = whole.pictures[place]
    size = shrunk_size((picture.width, picture.height), OVERLAY)
    drawn = overlay(maps[0], diagnosis=diagnosis, depth=wanted, size=size, picture=place)
    shown = Shown(parts=("map",), diagnosis=diagnosis, depth=wanted, to_program=True)
    if reveal(clinic, ground, kept, by, shown=shown).answer is None:
        raise LookupError(kept.id)
    return drawn
