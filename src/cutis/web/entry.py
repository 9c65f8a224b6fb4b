"""The doors: signing in by name or by personal link, one's account, the language, and whether we are alive."""

from __future__ import annotations

from math import ceil
from typing import Annotated
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from cutis.web.accounts import Account, account_named, account_of, follow_link, set_language, set_password
from cutis.web.failures import Attempt, attempts_of, count_failure, forget_failures, wait_of
from cutis.web.ground import (
    LANGUAGE,
    OPEN,
    SIGNED_IN,
    Ground,
    ground_of,
    page,
    signed_in,
    signed_out,
    visitor,
    words_of,
)
from cutis.web.passwords import LONGEST, SHORTEST, Busy
from cutis.web.sessions import close_session, close_sessions, open_session

router = APIRouter()
signs = APIRouter(tags=["service"])  # of life, which a site's contract names too
Text = Annotated[str, Form(max_length=LONGEST)]


class Link(BaseModel):
    """What a personal link carries after its #, which browsers send to nobody by themselves."""

    token: str = Field(max_length=LONGEST)


class Life(BaseModel):
    """What is said while the database answers."""

    alive: bool = Field(default=True, examples=[True])


@router.get("/", dependencies=[Depends(OPEN)])
def front(request: Request) -> Response:
    """Lead everybody to where they belong."""
    found = request.state.visitor
    home = ground_of(request).homes.get(found.account.role) if found else None
    return RedirectResponse(home.path if home else "/account" if found else "/sign-in", 303)


@signs.get("/health", dependencies=[Depends(OPEN)])
def health(request: Request) -> Life:
    """Answer while the database does."""
    with ground_of(request).database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
    return Life()


router.routes.extend(signs.routes)


@router.get("/static/{version}/{name:path}", dependencies=[Depends(OPEN)])
async def static(request: Request, version: str, name: str) -> Response:
    """Send one of the pages' own files."""
    shelf = ground_of(request).shelf
    item = shelf.items.get(name) if version == shelf.version else None
    if item is None:
        raise HTTPException(404)
    return Response(
        item.content, media_type=item.kind, headers={"cache-control": "public, max-age=31536000, immutable"}
    )


@router.get("/sign-in", dependencies=[Depends(OPEN)])
def sign_in_page(request: Request) -> Response:
    """Ask for name and password."""
    return page(request, "sign_in.html", said=None)


@router.post("/sign-in", dependencies=[Depends(OPEN)])
async def sign_in(request: Request, name: Text, password: Text) -> Response:
    """Open a session for who knows the password; failures cost time, and tell nothing about who exists."""
    ground = ground_of(request)
    attempts = attempts_of(name, request.client.host if request.client else "")
    account, wait = await to_thread.run_sync(_account_and_wait, ground, name, attempts)
    if wait > 0:
        return _later(request, wait)
    try:
        right = await ground.passwords.fits(account.password if account else None, password)
    except Busy:
        return _later(request, 5)
    if account is None or not right:
        await to_thread.run_sync(_failed, ground, attempts)
        return page(request, "sign_in.html", status=401, said="sign_in.wrong")
    token = await to_thread.run_sync(_opened, ground, account, attempts)
    return signed_in(RedirectResponse("/", 303), ground, token)


@router.get("/join", dependencies=[Depends(OPEN)])
def join_page(request: Request) -> Response:
    """Welcome who follows a personal link; a script of the page hands its secret over once they say so."""
    return page(request, "join.html")


@router.post("/join", dependencies=[Depends(OPEN)])
def join(request: Request, link: Link) -> Response:
    """Open a session for who has a personal link."""
    ground, now = ground_of(request), ground_of(request).now()
    attempts = attempts_of("", request.client.host if request.client else "")[1:]
    with ground.database.writing() as connection:
        if (wait := wait_of(connection, attempts, now=now)) > 0:
            return JSONResponse({"wait": wait}, 429, {"retry-after": str(ceil(wait))})
        account = follow_link(connection, link.token, now=now)
        if account is None:
            count_failure(connection, attempts, now=now)
            return JSONResponse({}, 401)
        token = open_session(connection, account.id, now=now, limits=ground.limits(account.role))
    ground.log.info("joined", role=account.role.value)
    return signed_in(JSONResponse({"to": "/"}), ground, token)


@router.post("/sign-out", dependencies=[Depends(SIGNED_IN)])
def sign_out(request: Request, *, everywhere: Annotated[bool, Form()] = False) -> Response:
    """End this session, or all of this person's."""
    ground, found = ground_of(request), visitor(request)
    with ground.database.writing() as connection:
        if everywhere:
            close_sessions(connection, found.account.id)
        else:
            close_session(connection, found.session)
    return signed_out(RedirectResponse("/sign-in", 303), ground)


@router.post("/language", dependencies=[Depends(OPEN)])
def language(request: Request, to: Annotated[str, Form(max_length=16)], here: Text = "/") -> Response:
    """Change the language, and come back to the same page."""
    ground, found = ground_of(request), request.state.visitor
    if to not in ground.languages:
        raise HTTPException(422)
    if found is not None:
        with ground.database.writing() as connection:
            set_language(connection, found.account.id, to)
    response = RedirectResponse(_own(here), 303)
    response.set_cookie(
        LANGUAGE, to, max_age=31_536_000, samesite="lax", secure=ground.settings.is_encrypted, httponly=True
    )
    return response


@router.get("/account", dependencies=[Depends(SIGNED_IN)])
def account_page(request: Request) -> Response:
    """Show how one signs in."""
    return page(request, "account.html", said=None, shortest=SHORTEST)


@router.post("/account", dependencies=[Depends(SIGNED_IN)])
async def change_account(request: Request, name: Text, password: Text, again: Text, before: Text = "") -> Response:
    """Set name and password; who has one already must know it. All other sessions end."""
    ground, account = ground_of(request), visitor(request).account
    wrong = _wrong_password(name, password, again)
    try:
        if account.password is not None and not await ground.passwords.fits(account.password, before):
            wrong = "account.wrong_before"
        if wrong:
            return page(request, "account.html", status=422, said=wrong, shortest=SHORTEST)
        stored = await ground.passwords.hash(password)
        token = await to_thread.run_sync(_changed, ground, account, name, stored)
    except Busy:
        return _later(request, 5)
    except IntegrityError:
        return page(request, "account.html", status=422, said="account.taken", shortest=SHORTEST)
    return signed_in(RedirectResponse("/account", 303), ground, token)


def _wrong_password(name: str, password: str, again: str) -> str | None:
    """Return the name of the text that says what is wrong."""
    if not name.strip():
        return "account.no_name"
    if len(password) < SHORTEST:
        return "account.short"
    return None if password == again else "account.differ"


def _account_and_wait(ground: Ground, name: str, attempts: tuple[Attempt, Attempt]) -> tuple[Account | None, float]:
    with ground.database.reading() as connection:
        return account_named(connection, name), wait_of(connection, attempts, now=ground.now())


def _failed(ground: Ground, attempts: tuple[Attempt, Attempt]) -> None:
    with ground.database.writing() as connection:
        count_failure(connection, attempts, now=ground.now())
    ground.log.warning("sign-in failed")


def _opened(ground: Ground, account: Account, attempts: tuple[Attempt, Attempt]) -> str:
    with ground.database.writing() as connection:
        forget_failures(connection, attempts)
        token = open_session(connection, account.id, now=ground.now(), limits=ground.limits(account.role))
    ground.log.info("signed in", role=account.role.value)
    return token


def _changed(ground: Ground, account: Account, name: str, stored: str) -> str:
    with ground.database.writing() as connection:
        assert account_of(connection, account.id) is not None
        set_password(connection, account.id, name=name, password=stored)
        close_sessions(connection, account.id)
        return open_session(connection, account.id, now=ground.now(), limits=ground.limits(account.role))


def _later(request: Request, wait: float) -> Response:
    seconds = str(ceil(wait))
    return PlainTextResponse(words_of(request)("sign_in.wait", seconds=seconds), 429, {"retry-after": seconds})


def _own(path: str) -> str:
    """Return a path of ours, whatever was asked for: nobody is led to another site."""
    parts = urlsplit(path)
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return parts.path if is_ours else "/"
