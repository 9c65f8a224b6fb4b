"""Asking: the pictures of one lesion go in, and the way to their answer comes back."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cutis.imaging.decode import UnreadablePicture
from cutis.runtime.batcher import TooManyWait
from cutis.serve.api.uploads import Refused, limits_of, upload_of
from cutis.serve.pages.standing import CLINICIAN, Here, case_here, clinic_page, here_of
from cutis.serve.record.examinations import examinations_of
from cutis.serve.record.history import devices
from cutis.serve.vault import Erased
from cutis.serve.visit import Asked, OtherPictures, examine

router = APIRouter()
ACCEPTS = "image/jpeg,image/png,image/tiff,image/webp,image/bmp"
SECONDS_TO_COME_BACK = 3


@router.get("/diagnose", dependencies=[CLINICIAN])
def diagnose(request: Request, case: str | None = None) -> Response:
    """Show the page that takes pictures, of a new lesion or of one that was seen before."""
    here = here_of(request)
    with here.ground.database.reading() as connection:
        known = devices(connection)
        seen = examinations_of(connection, case_here(connection, case).id) if case else ()
    settings = here.clinic.settings
    told = {
        "words": here.words.beginning("clinic_diagnose."),
        "most": settings.pictures_of_a_lesion,
        "largest": settings.picture_bytes,
        "case": case,
    }
    again = {"id": case, "count": len(seen), "thumbnail": f"/examinations/{seen[-1].id}/thumbnails/0"} if seen else None
    return clinic_page(request, "clinic_diagnose.html", told=told, case=again, devices=known, accepts=ACCEPTS)


@router.post("/diagnose", dependencies=[CLINICIAN])
async def ask(request: Request) -> Response:
    """Examine a lesion; the answer is kept and in the journal when this returns where to see it."""
    here = here_of(request)
    clinic, key = here.clinic, request.headers.get("idempotency-key")
    try:
        if clinic.answerer.is_full:  # before a body is read in vain
            return _busy()
        with clinic.held.by_one() as take:
            sent = await upload_of(request, limits_of(clinic.settings), take)
            asked = Asked(by=here.by, key=key[:80] if key else None, pictures=sent.pictures, **sent.fields)
            made = await examine(clinic, here.ground, asked)
    except TooManyWait:
        return _busy()
    except Refused as error:
        return JSONResponse({"status": error.status}, error.status)
    except UnreadablePicture as error:
        return JSONResponse({"status": 422, "said": _unreadable(error, here, count=len(sent.pictures))}, 422)
    except OtherPictures:
        return JSONResponse({"status": 422}, 422)
    except Erased as error:
        raise HTTPException(410) from error
    except LookupError as error:
        raise HTTPException(404) from error
    return JSONResponse({"to": f"/examinations/{made.id}"}, 201)


def _busy() -> Response:
    return JSONResponse({"status": 429}, 429, {"retry-after": str(SECONDS_TO_COME_BACK)})


def _unreadable(error: UnreadablePicture, here: Here, *, count: int) -> str:
    """Say which picture, and why, in the words that the page has for it."""
    key = f"clinic_unreadable.{error.reason}"
    why = here.words(key if here.words.has(key) else "clinic_unreadable.other")
    number = (error.where or "").rpartition(" ")[2]
    if count == 1 or not number.isdigit():
        return here.words("clinic_diagnose.unreadable_one", why=why)
    return here.words("clinic_diagnose.unreadable", number=number, why=why)
