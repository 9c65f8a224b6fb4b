"""Pictures as they come: one as the body itself, or several as a form. Nothing of it touches a disk, or names a file.

A form is taken apart while it comes, so that a part too many or too large ends it at once. What a client calls its
files is read over: a part counts by its field alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from cutis.serve.settings import ClinicSettings

PICTURE = "picture"
FIELDS = {"case_id": 32, "accession": 120, "device": 80, "note": 4000}  # letters that each may have
FORM = "multipart/form-data"
BYTES_OF_A_LETTER = 4
ROOM_FOR_THE_REST = 65_536  # bytes of a body beside its pictures: fields, heads of parts
HEADS, HEAD_BYTES = 8, 2048  # of one part


class Limits(NamedTuple):
    """How much may come."""

    pictures: int
    picture_bytes: int

    @property
    def body(self) -> int:
        """Bytes of a whole body."""
        return self.pictures * self.picture_bytes + ROOM_FOR_THE_REST


def limits_of(settings: ClinicSettings) -> Limits:
    """Return how much may come with one question."""
    return Limits(settings.pictures_of_a_lesion, settings.picture_bytes)


@dataclass(frozen=True)
class Upload:
    """What came: files as they are, and what was said beside them."""

    pictures: tuple[bytes, ...]
    fields: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A body that does not fit."""

    def __init__(self, status: int, detail: str, *, picture: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.picture = status, detail, picture


async def upload_of(request: Request, limits: Limits, take: Callable[[int], None]) -> Upload:
    """Read the body of a request.

    Args:
        request: whose body has not been read.
        limits: how much may come.
        take: is told of the bytes of each piece before it is kept, and raises where there is no room for it.

    Raises:
        Refused: it is no picture and no form of them, or too much of something.
        ClientDisconnect: it ended early, or was cut since it is beyond the site's limit.
    """
    said = request.headers.getlist("content-type")
    kind, options = parse_options_header(said[0] if len(said) == 1 else "")
    if kind.startswith(b"image/"):
        return Upload((await _whole(request, limits, take),))
    if kind.decode("latin-1") != FORM:
        raise Refused(415, f"send a picture as image/jpeg, image/png or the like, or several as {FORM}")
    form = _Form(limits)
    try:
        parser = MultipartParser(
            options.get(b"boundary", b""), form.callbacks(), max_header_count=HEADS, max_header_size=HEAD_BYTES
        )
        async for piece in request.stream():
            take(len(piece))
            parser.write(piece)
        parser.finalize()
    except FormParserError as error:
        raise Refused(422, "this form cannot be read") from error
    return form.upload()


async def _whole(request: Request, limits: Limits, take: Callable[[int], None]) -> bytes:
    taken = bytearray()
    async for piece in request.stream():
        take(len(piece))
        taken += piece
        if len(taken) > limits.picture_bytes:
            raise Refused(413, f"a picture may have {limits.picture_bytes:,} bytes", picture=1)
    if not taken:
        raise Refused(422, "there is no picture in it", picture=1)
    return bytes(taken)


class _Form:
    """A form while it comes in: the parser tells of it piece by piece."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pictures: list[bytearray] = []
        self._fields: dict[str, bytearray] = {}
        self._head = self._value = b""
        self._place = b""  # content-disposition of the part that comes in
        self._into = bytearray()
        self._most = 0
        self._is_whole = False

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._said,
            "on_header_end": self._header_end,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def upload(self) -> Upload:
        """Return what came.

        Raises:
            Refused: it ended early, is empty, or a field is no text.
        """
        if not self._is_whole:
            raise Refused(422, "this form ended early")
        if not self._pictures:
            raise Refused(422, f"there is no picture in it: send each as a part called {PICTURE}")
        for number, picture in enumerate(self._pictures, start=1):
            if not picture:
                raise Refused(422, f"picture {number} is empty", picture=number)
        return Upload(tuple(map(bytes, self._pictures)), {name: _text(name, raw) for name, raw in self._fields.items()})

    def _begin(self) -> None:
        self._head = self._value = self._place = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._head += data[start:end]

    def _said(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._head.lower() == b"content-disposition":
            self._place = self._value
        self._head = self._value = b""

    def _open(self) -> None:
        kind, options = parse_options_header(self._place.decode("latin-1"))
        name = options.get(b"name", b"").decode("latin-1")
        if kind != b"form-data" or name not in {PICTURE, *FIELDS}:
            raise Refused(422, f"parts are called {PICTURE}, {', '.join(FIELDS)}")
        self._into = bytearray()
        if name == PICTURE:
            if len(self._pictures) >= self._limits.pictures:
                raise Refused(422, f"{self._limits.pictures} pictures of a lesion may come together")
            self._most = self._limits.picture_bytes
            self._pictures.append(self._into)
        else:
            if name in self._fields:
                raise Refused(422, f"{name} comes twice")
            self._most = FIELDS[name] * BYTES_OF_A_LETTER
            self._fields[name] = self._into

    def _data(self, data: bytes, start: int, end: int) -> None:
        if len(self._into) + end - start > self._most:
            number = next((number for number, each in enumerate(self._pictures, 1) if each is self._into), None)
            what = "a picture" if number else "this field"
            raise Refused(413 if number else 422, f"{what} may have {self._most:,} bytes", picture=number)
        self._into += data[start:end]

    def _end(self) -> None:
        self._is_whole = True


def _text(name: str, raw: bytearray) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Refused(422, f"{name} is no UTF-8") from error
    if len(text) > FIELDS[name]:
        raise Refused(422, f"{name} may have {FIELDS[name]:,} letters")
    if any(sign != "\n" and not sign.isprintable() for sign in text.replace("\r\n", "\n")):
        raise Refused(422, f"{name} holds control characters")
    return text.replace("\r\n", "\n").strip()
