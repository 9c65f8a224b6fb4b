"""What programs are told when a request is refused: one form for all of it (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Scope

KIND = "application/problem+json"


def problem(
    status: int, *, detail: str | None = None, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return a refusal; `detail` says what to do about it, `more` are fields of its own, those that are not None."""
    said = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    content = said | {name: value for name, value in {"detail": detail, **more}.items() if value is not None}
    return JSONResponse(content, status, dict(headers or {}), media_type=KIND)


def refusal(scope: Scope, status: int, what: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal before any page: a line for people, a problem for programs."""
    if "text/html" in Headers(scope=scope).get("accept", ""):
        return PlainTextResponse(what, status, dict(headers or {}))
    return problem(status, detail=what, headers=headers)
