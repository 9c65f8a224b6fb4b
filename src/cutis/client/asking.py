"""The client: pictures go out, an examination comes back; what was cut off is asked again, and never counted twice."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from cutis.client.contract import Examination, Problem, Release
from cutis.client.errors import Refused, Unreachable
from cutis.vocabulary.errors import SafetyRefusal, UserError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
COME_BACK = frozenset({408, 429, 502, 503, 504})  # what ends by itself; a proxy says 502, 504 while cutis restarts
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0  # seconds, where the server does not say how long
LARGEST_ANSWER = 32 << 20
Said = TypeVar("Said", bound=BaseModel)


class Client:
    """Asks one server, one question after the other; used by `with`, and by one thread."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        timeout: float = 60,
        patience: float = 120,
        authority: Path | None = None,
        plain_http: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            address: such as ``https://clinic.example.org``.
            token: as the administrator made it.
            timeout: seconds that one answer may take.
            patience: seconds for which a server that is busy or away is asked again.
            authority: PEM file of the certificates that the server's must descend from; the system's, if not given.
            plain_http: whether the token may travel unencrypted to another machine.
            sleep: waits so many seconds.

        Raises:
            UserError: this is no address.
            SafetyRefusal: the token would travel in the clear.
        """
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise UserError("this is no address of a server", where=address, mend="https://NAME, without a path")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not plain_http:
            mend = "use https, or set plain_http where you know the network"
            raise SafetyRefusal("the token and the pictures would travel in the clear", where=address, mend=mend)
        self._address, self._patience, self._sleep = address.rstrip("/"), patience, sleep
        self._headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        self._line = _line(parts.scheme, parts.netloc.rpartition("@")[2], timeout=timeout, authority=authority)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the line back."""
        self._line.close()

    def diagnose(
        self,
        *pictures: Path | str | bytes,
        case_id: str | None = None,
        accession: str | None = None,
        device: str | None = None,
        note: str | None = None,
        key: str | None = None,
    ) -> Examination:
        """Ask what one or more pictures of one lesion show.

        Args:
            pictures: files, or their bytes. What the files are called is not sent.
            case_id: of the lesion, where it was seen before.
            accession: number of the visit; the server keeps a keyed hash of it.
            device: the dermatoscope.
            note: kept with the examination.
            key: names this question; where it is asked again with the same key, also by a program that was started
                anew, it is one examination. Drawn at random, if not given.

        Raises:
            Refused: the server said no, such as of a picture that cannot be read.
            Unreachable: nobody answered for as long as we were patient.
            UserError: the server's certificate cannot be verified.
            OSError: a file cannot be read.
        """
        contents = [each if isinstance(each, bytes) else Path(each).read_bytes() for each in pictures]
        fields = {"case_id": case_id, "accession": accession, "device": device, "note": note}
        form = _form(contents, {name: text for name, text in fields.items() if text is not None})
        headers = {"content-type": form.kind, "idempotency-key": key or secrets.token_urlsafe(24)}
        return _read(Examination, self._ask("POST", "/v1/diagnoses", body=form.body, headers=headers), self._address)

    def diagnosis(self, examination_id: str) -> Examination:
        """Return an examination by its id.

        Raises:
            Refused, Unreachable: see `diagnose`.
        """
        return _read(Examination, self._ask("GET", f"/v1/diagnoses/{quote(examination_id, safe='')}"), self._address)

    def map(self, examination_id: str, diagnosis: str, *, depth: str | None = None, picture: int = 1) -> bytes:
        """Return where the network saw what speaks for a diagnosis: a PNG to lay over the picture.

        Args:
            examination_id: of the examination.
            diagnosis: its code.
            depth: one of those that the answer names; its first, if not given.
            picture: which of several, from 1.

        Raises:
            Refused, Unreachable: see `diagnose`.
        """
        asked = {"picture": picture} | ({"depth": depth} if depth else {})
        path = f"/v1/diagnoses/{quote(examination_id, safe='')}/maps/{quote(diagnosis, safe='')}"
        return self._ask("GET", f"{path}?{urlencode(asked)}", headers={"accept": "image/png"})

    def release(self) -> Release:
        """Return which release answers now, and what it can say.

        Raises:
            Refused, Unreachable: see `diagnose`.
        """
        return _read(Release, self._ask("GET", "/v1/release"), self._address)

    def ready(self) -> bool:
        """Say whether questions are answered now; no patience is spent on it."""
        try:
            return self._once("GET", "/ready", None, {}).status == 200  # noqa: PLR2004  the number is its name
        except (OSError, HTTPException):
            return False

    def _ask(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Ask until there is an answer, for as long as we are patient."""
        ends, wait, why = time.monotonic() + self._patience, FIRST_WAIT, ""
        while True:
            try:
                heard = self._once(method, path, body, headers or {})
            except ssl.SSLCertVerificationError as error:
                mend = "hand in `authority`: the PEM file of the certificates that the server's descends from"
                said = f"the server's certificate cannot be verified: {error.verify_message}"
                raise UserError(said, where=self._address, mend=mend) from error
            except (OSError, HTTPException) as error:
                why, asked_for = f"the line was cut: {error}", None
            else:
                if heard.status < 300:  # noqa: PLR2004  where those begin that are no answers
                    return heard.content
                problem = _problem(heard)
                if heard.status not in COME_BACK:
                    raise Refused(problem, where=self._address)
                why, asked_for = problem.detail or problem.title, heard.retry_after
            pause = max(wait, asked_for or 0.0)
            if time.monotonic() + pause > ends:
                mend = "look whether the server is up, or be more patient"
                raise Unreachable(f"no answer in {self._patience:.0f} s: {why}", where=self._address, mend=mend)
            self._sleep(pause)
            wait = min(LONGEST_WAIT, 2 * wait)

    def _once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> _Heard:
        """Ask once; a line that was closed while nobody used it is opened anew."""
        is_kept = self._line.sock is not None
        try:
            return _heard(self._line, method, path, body, self._headers | dict(headers))
        except (OSError, HTTPException) as error:
            self._line.close()
            if not is_kept or isinstance(error, TimeoutError):
                raise
        try:
            return _heard(self._line, method, path, body, self._headers | dict(headers))
        except (OSError, HTTPException):
            self._line.close()
            raise


class _Heard(NamedTuple):
    """What came back."""

    status: int
    content: bytes
    retry_after: float | None


class _Form(NamedTuple):
    """A body, and what kind it is."""

    kind: str
    body: bytes


def _line(scheme: str, where: str, *, timeout: float, authority: Path | None) -> HTTPConnection:
    if scheme == "http":
        return HTTPConnection(where, timeout=timeout)
    return HTTPSConnection(where, timeout=timeout, context=ssl.create_default_context(cafile=authority))


def _heard(line: HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> _Heard:
    try:
        line.request(method, path, body, dict(headers))
    except (BrokenPipeError, ConnectionResetError):  # who refuses a body early closes the line; the answer may be there
        if line.sock is None:
            raise
    response: HTTPResponse = line.getresponse()
    content = response.read(LARGEST_ANSWER)
    if response.will_close:
        line.close()
    said = response.headers.get("retry-after", "")
    return _Heard(response.status, content, float(said) if said.isdigit() else None)


def _problem(heard: _Heard) -> Problem:
    try:
        return Problem.model_validate_json(heard.content)
    except ValidationError:
        return Problem(type="about:blank", title="this is no answer of cutis", status=heard.status)


def _read(kind: type[Said], content: bytes, address: str) -> Said:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        mend = "check the address, and that client and server are of versions that know each other"
        raise UserError("this is no answer of cutis", where=address, mend=mend) from error


def _form(pictures: list[bytes], fields: Mapping[str, str]) -> _Form:
    boundary = secrets.token_hex(16)
    plain = [(f'name="{name}"', "text/plain; charset=utf-8", text.encode()) for name, text in fields.items()]
    files = [
        (f'name="picture"; filename="{number}"', "application/octet-stream", picture)
        for number, picture in enumerate(pictures, start=1)
    ]
    head = "--{boundary}\r\ncontent-disposition: form-data; {place}\r\ncontent-type: {kind}\r\n\r\n"
    parts = [
        head.format(boundary=boundary, place=place, kind=kind).encode() + content + b"\r\n"
        for place, kind, content in (*plain, *files)
    ]
    return _Form(f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode())
