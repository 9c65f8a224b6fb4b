"""What every page stands on, handed to it with the request; and who may use which route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from anyio import to_thread
from fastapi import HTTPException
from fastapi.routing import APIRoute
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger

from cutis.web.accounts import Role
from cutis.web.border import SAFE
from cutis.web.database import Database
from cutis.web.passwords import Passwords
from cutis.web.sessions import Limits, Visitor, note, visitor_of
from cutis.web.settings import Settings
from cutis.web.static import Shelf
from cutis.web.translations import Words, chosen

LANGUAGE = "language"
PROOF = "x-proof"  # the header, and without the x- the form's field, that carries what only our pages know


class Home(NamedTuple):
    """Where somebody is led after signing in, and how the frame names it."""

    path: str
    title: str  # name of a text


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The parts of a running server."""

    settings: Settings
    database: Database
    passwords: Passwords
    log: FilteringBoundLogger
    now: Callable[[], float]
    templates: Environment
    languages: Mapping[str, Words]
    shelf: Shelf
    homes: Mapping[Role, Home]
    idle: Mapping[Role, float]  # seconds, where a role has its own

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix makes browsers refuse it over plain http and from other hosts."""
        return "__Host-cutis" if self.settings.is_encrypted else "cutis"

    def limits(self, role: Role) -> Limits:
        """Return how long a session of this role lasts."""
        idle = self.idle.get(role, self.settings.idle_minutes * 60)
        return Limits(idle=idle, whole=self.settings.session_hours * 3600)


def ground_of(request: Request) -> Ground:
    """Return the ground under a request."""
    ground: Ground = request.app.state.ground
    return ground


def visitor(request: Request) -> Visitor:
    """Return who asks, on a route that nobody reaches without a session."""
    found: Visitor = request.state.visitor
    return found


def words_of(request: Request) -> Words:
    """Return the words in the language of the person: as chosen, as kept with the account, as the browser says."""
    ground, found = ground_of(request), getattr(request.state, "visitor", None)
    kept = found.account.language if found else None
    accepted = request.headers.get("accept-language", "")
    return chosen(ground.languages, [request.cookies.get(LANGUAGE), kept], accepted=accepted)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Fill a template; whatever comes from data is escaped."""
    ground = ground_of(request)
    found: Visitor | None = getattr(request.state, "visitor", None)
    frame = {
        "words": words_of(request),
        "languages": ground.languages.values(),
        "visitor": found,
        "home": ground.homes.get(found.account.role) if found else None,
        "file": ground.shelf.path,
        "here": request.url.path,
    }
    return HTMLResponse(ground.templates.get_template(template).render(frame | values), status)


@dataclass(frozen=True)
class Policy:
    """Who may use a route; it looks before anything else does. Without roles: everybody, known or not."""

    roles: frozenset[Role]
    is_open: bool = False

    async def __call__(self, request: Request) -> None:
        """Let pass, or raise 401 where a session is lacking and 403 where the role or a form's proof is.

        Raises:
            HTTPException: as said.
        """
        ground = ground_of(request)
        token = request.cookies.get(ground.cookie, "")
        request.state.visitor = found = await to_thread.run_sync(_look, ground, token) if token else None
        if not self.is_open and found is None:
            raise HTTPException(401)
        if not self.is_open and found is not None and found.account.role not in self.roles:
            raise HTTPException(403)
        if found is not None and request.method not in SAFE and await _proof(request) != found.proof:
            raise HTTPException(403)


OPEN = Policy(frozenset(), is_open=True)
SIGNED_IN = Policy(frozenset(Role))


def allow(*roles: Role) -> Policy:
    """Return the policy of a route for these roles."""
    return Policy(frozenset(roles))


def policy_of(route: BaseRoute) -> Policy | None:
    """Return the policy of a route; None where it has none, or more than one."""
    if not isinstance(route, APIRoute):
        return None
    found = [each.dependency for each in route.dependencies if isinstance(each.dependency, Policy)]
    return found[0] if len(found) == 1 else None


def _look(ground: Ground, token: str) -> Visitor | None:
    now = ground.now()
    with ground.database.reading() as connection:
        found = visitor_of(connection, token, now=now, limits_of=ground.limits)
    if found is not None and found.is_to_be_noted:
        with ground.database.writing() as connection:
            note(connection, found.session, now=now)
    return found


async def _proof(request: Request) -> str:
    """Read the proof from the header, or from a form; the form is kept for whoever reads it next."""
    if PROOF in request.headers:
        return request.headers[PROOF]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return str((await request.form()).get("proof", ""))
    return ""


def signed_in(response: Response, ground: Ground, token: str) -> Response:
    """Put a session into the browser, out of reach of scripts and other sites."""
    response.set_cookie(
        ground.cookie, token, httponly=True, samesite="lax", secure=ground.settings.is_encrypted, path="/"
    )
    return response


def signed_out(response: Response, ground: Ground) -> Response:
    """Take it out again."""
    response.delete_cookie(ground.cookie, path="/", secure=ground.settings.is_encrypted, httponly=True, samesite="lax")
    return response
