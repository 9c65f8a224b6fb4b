"""What every request passes before any page sees it, each a function around the one behind it.

written down → headers → small enough, soon enough → known host → from our own page → the application
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from cutis.web.problems import refusal

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HOST = re.compile(r"[a-z0-9.\-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
POLICY = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';
    frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'
"""
SECURITY = {
    "content-security-policy": " ".join(POLICY.split()),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with none at all, a browser would not say from which page a form comes
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def written_down(app: ASGIApp, *, log: FilteringBoundLogger) -> ASGIApp:
    """Write a line for every request, and answer 500 where we failed, without a word about how."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        number = secrets.token_hex(8)

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = number
            await send(message)

        failed = None
        try:
            await app(scope, receive, told)
        except Exception as error:  # noqa: BLE001  a request must not take the server with it
            failed = error
            if not status:
                await refusal(scope, 500, "something went wrong here")(scope, receive, told)
        line = {
            "request": number,
            "method": scope["method"],
            "route": getattr(scope.get("route"), "path", None) or "-",
            "status": status,
            "ms": round(1000 * (time.perf_counter() - started), 1),
        }
        if failed is not None:
            log.error("failed", exc_info=failed, **line)
        else:
            log.info("answered", **line)

    return outer


def with_headers(app: ASGIApp, *, encrypted: bool) -> ASGIApp:
    """Tell browsers what no page of ours ever does, so that they refuse to be talked into it."""
    headers = SECURITY | ({"strict-transport-security": "max-age=31536000"} if encrypted else {})

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_them(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in headers.items():
                    found[name] = value
                found.setdefault("cache-control", "no-store")
            await send(message)

        await app(scope, receive, with_them)

    return outer


def to_known_hosts(app: ASGIApp, *, hosts: frozenset[str]) -> ASGIApp:
    """Refuse a request that calls us by a name that is not ours."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = Headers(scope=scope).getlist("host")
            if len(named) != 1 or not HOST.fullmatch(named[0].lower()) or named[0].lower() not in hosts:
                await refusal(scope, 400, "this host is not known here", {"connection": "close"})(scope, receive, send)
                return
        await app(scope, receive, send)

    return outer


def small_and_soon(app: ASGIApp, *, limit_of: Callable[[Scope], int], seconds: float) -> ASGIApp:
    """Refuse a body that is too large, said or not, and one that does not come.

    Where the answer is given before the body has come, the line is closed behind it: a server would else go on taking
    in, without a limit of size or time, what nobody reads.
    """

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        said = headers.get("content-length", "0")
        body = _Body(receive, limit=limit_of(scope), seconds=seconds)
        is_announced = said != "0" or "transfer-encoding" in headers
        if not said.isdigit() or int(said) > body.limit:
            await _refuse(413, scope, receive, send)
            return

        async def unless_refused(message: Message) -> None:
            if body.refused:
                return
            if message["type"] == "http.response.start" and is_announced and not body.is_whole:
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        try:
            await app(scope, body.next_part, unless_refused)
        except Exception:
            if not body.refused:
                raise
        if body.refused:
            await _refuse(body.refused, scope, receive, send)

    return outer


class _Body:
    """One body while it comes in; behind the limit or the time, the caller counts as gone."""

    def __init__(self, receive: Receive, *, limit: int, seconds: float) -> None:
        self.limit = limit
        self.refused = 0  # with which status
        self._receive = receive
        self._seconds = seconds
        self._taken = 0
        self.is_whole = False

    async def next_part(self) -> Message:
        if self.is_whole:  # what comes now is only whether the caller is still there
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._seconds)
        except TimeoutError:
            self.refused = 408
            return {"type": "http.disconnect"}
        self._taken += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self._taken > self.limit:
            self.refused = 413
            return {"type": "http.disconnect"}
        return message


async def _refuse(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    what = {408: "this took too long", 413: "this is too large"}[status]
    await refusal(scope, status, what, {"connection": "close"})(scope, receive, send)


def from_our_own_page(app: ASGIApp, *, origin: str) -> ASGIApp:
    """Refuse what changes something unless the browser says that a page of ours sent it.

    A caller without cookies, such as a program with a token, is no browser that a page could abuse.
    """

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE:
            headers = Headers(scope=scope)
            if not has_token_alone(headers) and not _is_ours(headers, origin):
                await refusal(scope, 403, "this did not come from a page of ours")(scope, receive, send)
                return
        await app(scope, receive, send)

    return outer


def has_token_alone(headers: Headers) -> bool:
    """Say whether a caller comes by a token and by nothing that a browser would add to a request of its own accord."""
    return "authorization" in headers and "cookie" not in headers


def _is_ours(headers: Headers, origin: str) -> bool:
    """Compare the origin with our address, or with the known host that was called; none at all is no page of ours."""
    said = headers.get("origin", "")
    near = f"http://{headers.get('host', '').lower()}"
    return said == origin or (not origin.startswith("https://") and said == near)


def limits_by_path(limits: Mapping[str, int], *, otherwise: int) -> Callable[[Scope], int]:
    """Return how large a body may be, by the beginning of its path."""

    def limit_of(scope: Scope) -> int:
        found = [limit for beginning, limit in limits.items() if str(scope["path"]).startswith(beginning)]
        return max(found, default=otherwise)

    return limit_of


def wrapped(app: ASGIApp, *layers: Callable[[ASGIApp], ASGIApp]) -> Any:
    """Put layers around an application, the first one outermost."""
    for layer in reversed(layers):
        app = layer(app)
    return app
