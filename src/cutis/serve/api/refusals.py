"""What can stand in the way of an answer, and how a program is told."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from cutis.imaging.decode import UnreadablePicture
from cutis.runtime.batcher import Closed, TooManyWait
from cutis.serve.api.uploads import Refused
from cutis.serve.vault import Erased
from cutis.serve.visit import OtherPictures
from cutis.web.problems import problem

SOON = 2  # seconds after which it is worth to ask again: an answer takes some tenths of one
AFTER_A_START = 5
PLAIN: dict[type[Exception], tuple[int, str | None]] = {
    Erased: (410, "what was kept of this lesion was erased"),
    LookupError: (404, None),
    OtherPictures: (422, "this Idempotency-Key came before, with other pictures"),
    ClientDisconnect: (400, "the body ended early"),  # nobody hears it, unless the border cut it off and says why
}
REFUSALS: tuple[type[Exception], ...] = (Refused, UnreadablePicture, TooManyWait, Closed, *PLAIN)


def told(error: Exception) -> Response:
    """Return what a program is told; each of `REFUSALS` has its own status."""
    match error:
        case Refused():
            return problem(error.status, detail=error.detail, picture=error.picture)
        case UnreadablePicture():
            number = int(error.where.rpartition(" ")[2])
            detail = f"picture {number}: {error.what}; {error.mend}"
            return problem(422, detail=detail, picture=number, reason=error.reason)
        case TooManyWait():
            return later(429, "others wait already", seconds=SOON)
        case Closed():
            return later(503, "nothing answers at the moment", seconds=AFTER_A_START)
    if type(error) not in PLAIN:  # a key or an index that is missing is a fault of ours, and no answer
        raise error
    status, words = PLAIN[type(error)]
    return problem(status, detail=words)


def later(status: int, detail: str, *, seconds: int) -> Response:
    """Return a refusal that ends by itself."""
    assert HTTPStatus(status) in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    return problem(status, detail=detail, headers={"retry-after": str(seconds)})
