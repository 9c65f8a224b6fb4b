"""From settings, a database and some rooms to one application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

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
from cutis.web.problems import problem, refusal
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
    notices: Callable[[], Sequence[str]] | None = None  # names of texts that stand at the head of every page just now
    refusals: Mapping[type[Exception], int] = field(default_factory=dict)  # statuses of what no route catches
    layer: Callable[[ASGIApp], ASGIApp] | None = None  # around every request of the site, such as to count them


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
        notices=tuple(room.notices for room in rooms if room.notices is not None),
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
    app.add_exception_handler(DataError, _not_storable)
    for error, status in (item for room in rooms for item in room.refusals.items()):
        app.add_exception_handler(error, partial(_refused, status=status))
    app.add_exception_handler(Exception, _failed)
    if bare := [str(getattr(route, "path", route)) for route in app.routes if policy_of(route) is None]:
        raise LookupError(f"nobody said who may use {', '.join(bare)}")
    limits = {beginning: limit for room in rooms for beginning, limit in room.bodies.items()}
    behind_border = wrapped(
        app,
        partial(written_down, log=ground.log),
        *(room.layer for room in rooms if room.layer is not None),
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
    """Answer a refusal: a page for people, a problem for programs; who is not signed in is led to the door."""
    assert isinstance(error, HTTPException)
    status, headers = error.status_code, error.headers or {}
    if not _wants_a_page(request):
        detail = error.detail if error.detail != HTTPStatus(status).phrase else None
        return problem(status, detail=detail, headers=headers)
    if status == 401 and request.method == "GET":  # noqa: PLR2004  the number is its name
        return RedirectResponse("/sign-in", 303)
    told = page(request, "refused.html", status=status, refused=status)
    told.headers.update(headers)
    return told


async def _refused(request: Request, _: Exception, *, status: int) -> Response:
    """Answer what a room knows as a refusal, wherever it was raised."""
    return await _said(request, HTTPException(status))


async def _failed(request: Request, _: Exception) -> Response:
    """Say that we failed, without a word about how; the log has it."""
    return refusal(request.scope, 500, "something went wrong here")


async def _not_storable(request: Request, _: Exception) -> Response:
    """Refuse what the database cannot hold, such as a text with a NUL in it; nothing of it was kept."""
    if _wants_a_page(request):
        return page(request, "refused.html", status=422, refused=422)
    return problem(422, detail="something in it cannot be kept, such as a control character or too long a text")


async def _not_understood(request: Request, error: Exception) -> Response:
    """Say which fields do not fit, and repeat nothing of what was sent."""
    fields = (
        sorted({str(each["loc"][-1])[:40] for each in error.errors()})
        if isinstance(error, RequestValidationError)
        else []
    )
    if _wants_a_page(request):
        return page(request, "refused.html", status=422, refused=422)
    return problem(422, detail=f"these do not fit: {', '.join(fields)}", fields=fields)
