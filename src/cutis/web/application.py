"""From settings, a database and some rooms to one application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from cutis.web import entry
from cutis.web.accounts import Role
from cutis.web.border import (
    from_our_own_page,
    limits_by_path,
    small_and_soon,
    to_known_hosts,
    with_headers,
    wrapped,
    written_down,
)
from cutis.web.database import Database
from cutis.web.ground import Ground, Home, page, policy_of
from cutis.web.logs import open_log
from cutis.web.passwords import Passwords
from cutis.web.settings import Settings
from cutis.web.static import read_shelf
from cutis.web.translations import only, read_translations


@dataclass(frozen=True, kw_only=True)
class Room:
    """What one part of a site brings: its routes, and a folder with templates, static files and words."""

    name: str
    router: APIRouter
    folder: Path
    homes: Mapping[Role, Home] = field(default_factory=dict)
    idle: Mapping[Role, float] = field(default_factory=dict)  # seconds without a sign that a role's session outlasts
    bodies: Mapping[str, int] = field(default_factory=dict)  # bytes, by the beginning of a path
    state: Mapping[str, Any] = field(default_factory=dict)  # what its routes find at ``request.app.state``


class Site(NamedTuple):
    """An application, bare and behind its border."""

    bare: FastAPI
    behind_border: Any


WEB = Path(str(files("cutis.web")))
# What the library can tell other programs of our requests; nothing of it leaves here.
SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_site(
    settings: Settings,
    database: Database,
    *,
    rooms: Sequence[Room],
    languages: Sequence[str] | None = None,
    now: Callable[[], float] = time.time,
    passwords: Passwords | None = None,
    log: TextIO | None = None,
) -> Site:
    """Put a site together; it serves nothing yet.

    Args:
        settings: of the server.
        database: with its tables in their newest form.
        rooms: what stands on the ground.
        languages: that are offered; all that there are, if not given.
        now: the time, in seconds since 1970.
        passwords: how they are hashed; as the settings say, if not given.
        log: where lines are written; standard error, if not given.

    Raises:
        UserError: a language is wanted that has no words, or see `read_translations`.
        LookupError: a route does not say who may use it.
    """
    folders = {"web": WEB} | {room.name: room.folder for room in rooms}
    more = [settings.translations] if settings.translations else []
    ground = Ground(
        settings=settings,
        database=database,
        passwords=passwords or Passwords(at_once=settings.hashes_at_once, waiting=settings.hashes_waiting),
        log=open_log(log),
        now=now,
        templates=_templates(list(folders.values())),
        languages=only(languages, read_translations([*(folder / "locales" for folder in folders.values()), *more])),
        shelf=read_shelf({name: folder / "static" for name, folder in folders.items()}),
        homes={role: home for room in rooms for role, home in room.homes.items()},
        idle={role: seconds for room in rooms for role, seconds in room.idle.items()},
    )
    app = FastAPI(
        title="cutis", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, telemetry=SILENT
    )
    app.state.ground = ground
    for router in (entry.router, *(room.router for room in rooms)):
        app.router.routes.extend(router.routes)
    for name, value in (item for room in rooms for item in room.state.items()):
        setattr(app.state, name, value)
    app.add_exception_handler(HTTPException, _said)
    app.add_exception_handler(RequestValidationError, _not_understood)
    if bare := [str(getattr(route, "path", route)) for route in app.routes if policy_of(route) is None]:
        raise LookupError(f"nobody said who may use {', '.join(bare)}")
    limits = {beginning: limit for room in rooms for beginning, limit in room.bodies.items()}
    behind_border = wrapped(
        app,
        partial(written_down, log=ground.log),
        partial(with_headers, encrypted=settings.is_encrypted),
        partial(
            small_and_soon,
            limit_of=limits_by_path(limits, otherwise=settings.body_bytes),
            seconds=settings.body_seconds,
        ),
        partial(to_known_hosts, hosts=settings.known_hosts),
        partial(from_our_own_page, origin=settings.origin),
    )
    return Site(app, behind_border)


def _templates(folders: Sequence[Path]) -> Environment:
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(folder / "templates") for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _wants_a_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _said(request: Request, error: Exception) -> Response:
    """Answer a refusal: a page for people, two fields for programs; who is not signed in is led to the door."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if not _wants_a_page(request):
        return JSONResponse({"status": status}, status)
    if status == 401 and request.method == "GET":  # noqa: PLR2004  the number is its name
        return RedirectResponse("/sign-in", 303)
    return page(request, "refused.html", status=status, refused=status)


async def _not_understood(request: Request, error: Exception) -> Response:
    """Say which fields do not fit, and repeat nothing of what was sent."""
    fields = (
        sorted({str(each["loc"][-1])[:40] for each in error.errors()})
        if isinstance(error, RequestValidationError)
        else []
    )
    if _wants_a_page(request):
        return page(request, "refused.html", status=422, refused=422)
    return JSONResponse({"status": 422, "fields": fields}, 422)
