"""What every page stands on, handed to it with the request; and who may use which route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
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
from cutis.web.border import SAFE, has_token_alone
from cutis.web.database import Database
from cutis.web.passwords import Passwords
from cutis.web.sessions import Limits, Visitor, note, visitor_of
from cutis.web.settings import Settings
from cutis.web.static import Shelf
from cutis.web.tokens import (
    Looked,
    Token,
    count_wrong_token,
    is_to_be_noted,
    note_use,
    token_of,
    wait_after_failures,
)
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
    notices: Sequence[Callable[[], Sequence[str]]] = ()  # give the names of texts that stand at the head of every page

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


def token_of_request(request: Request) -> Token | None:
    """Return by which token a program asks; None where a person does."""
    found: Token | None = getattr(request.state, "token", None)
    return found


def asker_of(request: Request) -> str:
    """Return the id of the account or of the token that asks, on a route that nobody else reaches."""
    token = token_of_request(request)
    return token.id if token else visitor(request).account.id


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
        "notices": [name for given in ground.notices for name in given()],
    }
    return HTMLResponse(ground.templates.get_template(template).render(frame | values), status)


@dataclass(frozen=True)
class Policy:
    """Who may use a route; it looks before anything else does. Without roles and scopes: everybody, known or not.

    People come by a session and need one of the roles, programs come by a token and need one of the scopes. A token
    beside a cookie is not looked at: a browser was there, and what it sends is held to a browser's rules.
    """

    roles: frozenset[Role]
    scopes: frozenset[str] = frozenset()
    is_open: bool = False

    async def __call__(self, request: Request) -> None:
        """Let pass, or raise 401 where session and token are lacking, 403 where role, scope or a form's proof is.

        Raises:
            HTTPException: as said; 429 where an address came with too many wrong tokens.
        """
        request.state.visitor = request.state.token = None
        if has_token_alone(request.headers) and not self.is_open:
            request.state.token = await self._by_token(request)
        else:
            request.state.visitor = await self._by_session(request)

    async def _by_session(self, request: Request) -> Visitor | None:
        ground = ground_of(request)
        token = request.cookies.get(ground.cookie, "")
        request.state.visitor = found = await to_thread.run_sync(_look, ground, token) if token else None
        if not self.is_open and found is None:
            raise self._unknown()
        if not self.is_open and found is not None and found.account.role not in self.roles:
            raise HTTPException(403)
        if found is not None and request.method not in SAFE and await _proof(request) != found.proof:
            raise HTTPException(403)
        return found

    async def _by_token(self, request: Request) -> Token:
        kind, _, hidden = request.headers["authorization"].partition(" ")
        if kind.lower() != "bearer":
            raise self._unknown()
        address = request.client.host if request.client else ""
        token, wait = await to_thread.run_sync(_look_at_token, ground_of(request), hidden.strip(), address)
        if wait > 0:
            raise HTTPException(429, headers={"retry-after": str(ceil(wait))})
        if token is None:
            raise self._unknown()
        if not token.scopes & self.scopes:
            raise HTTPException(403)
        return token

    def _unknown(self) -> HTTPException:
        return HTTPException(401, headers={"www-authenticate": "Bearer"} if self.scopes else None)


OPEN = Policy(frozenset(), is_open=True)
SIGNED_IN = Policy(frozenset(Role))


def allow(*roles: Role, scopes: Iterable[str] = ()) -> Policy:
    """Return the policy of a route for people of these roles, and programs with one of these scopes."""
    return Policy(frozenset(roles), frozenset(scopes))


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


def _look_at_token(ground: Ground, hidden: str, address: str) -> Looked:
    """Find a token; a good one is never made to wait for what others tried from the same address."""
    now = ground.now()
    with ground.database.reading() as connection:
        token = token_of(connection, hidden, now=now)
        wait = wait_after_failures(connection, address, now=now) if token is None else 0.0
    if token is None and wait <= 0:
        with ground.database.writing() as connection:
            count_wrong_token(connection, address, now=now)
        ground.log.warning("token refused")
    elif token is not None and is_to_be_noted(token, now=now):
        with ground.database.writing() as connection:
            note_use(connection, token, now=now)
    return Looked(token, wait)


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
