"""The administrator's routes: people, tokens, and whether the journal is whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.serve.clinic import clinic_of
from cutis.serve.journal.anchors import head_of, read_anchors
from cutis.serve.journal.verifying import Verdict, verify
from cutis.serve.staff import people
from cutis.serve.staff.frame import office_page
from cutis.serve.tokens import DAYS, SCOPES, give_token, withdraw_token
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role
from cutis.web.ground import allow, ground_of, visitor
from cutis.web.tokens import Made, tokens

router = APIRouter()
ADMINISTRATOR = Depends(allow(Role.ADMINISTRATOR))
Id = Annotated[str, Form(max_length=32)]
HERE = "/staff"
Changed = TypeVar("Changed")


@router.get(HERE, dependencies=[ADMINISTRATOR])
def staff(request: Request) -> Response:
    """Show who works here."""
    return _staff(request)


@router.post("/staff/invite", dependencies=[ADMINISTRATOR])
def invite(request: Request, role: Annotated[Role, Form()]) -> Response:
    """Make an account; its link is shown once."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    if role not in people.OFFERED:
        raise HTTPException(422)
    with ground.database.writing() as connection:
        invited = people.invite(connection, clinic.vault, role, by=by, now=ground.now())
    ground.log.info("account made", role=role.value)
    return _staff(request, invited=invited)


@router.post("/staff/link", dependencies=[ADMINISTRATOR])
def link(request: Request, account: Id) -> Response:
    """Make a new link for somebody."""
    return _staff(request, invited=_changed(request, people.renew, account))


@router.post("/staff/role", dependencies=[ADMINISTRATOR])
def role(request: Request, account: Id, to: Annotated[Role, Form()]) -> Response:
    """Give somebody another role."""
    if to not in people.OFFERED:
        raise HTTPException(422)
    try:
        _changed(request, people.change_role, account, to)
    except UserError:
        return _staff(request, said="staff.last", status=422)
    return RedirectResponse(HERE, 303)


@router.post("/staff/sessions", dependencies=[ADMINISTRATOR])
def sessions(request: Request, account: Id) -> Response:
    """Sign somebody out everywhere."""
    _changed(request, people.end_sessions, account)
    return RedirectResponse(HERE, 303)


@router.post("/staff/remove", dependencies=[ADMINISTRATOR])
def remove(request: Request, account: Id) -> Response:
    """Erase an account."""
    try:
        _changed(request, people.remove, account)
    except UserError:
        return _staff(request, said="staff.last", status=422)
    return RedirectResponse(HERE, 303)


@router.post("/staff/token", dependencies=[ADMINISTRATOR])
def token(
    request: Request,
    name: Annotated[str, Form(max_length=80)],
    scopes: Annotated[list[str], Form(max_length=10)],
    days: Annotated[float, Form(gt=0, le=3660)] = DAYS,
) -> Response:
    """Make a token for a program; its secret is shown once."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    try:
        with ground.database.writing() as connection:
            made = give_token(connection, clinic.vault, name, scopes=scopes, by=by, now=ground.now(), days=days)
    except UserError:
        return _staff(request, said="staff.token_refused", status=422)
    return _staff(request, made=made)


@router.post("/staff/withdraw", dependencies=[ADMINISTRATOR])
def withdraw(request: Request, token: Id) -> Response:
    """Let a token open nothing any more."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    try:
        with ground.database.writing() as connection:
            withdraw_token(connection, clinic.vault, token, by=by, now=ground.now())
    except UserError as error:
        raise HTTPException(404) from error
    return RedirectResponse(HERE, 303)


@router.post("/staff/verify", dependencies=[ADMINISTRATOR])
def verify_journal(request: Request) -> Response:
    """Recompute the journal's chain and hold it against its anchors."""
    return _staff(request, verdict=verdict_of(request))


def verdict_of(request: Request) -> Verdict:
    """Return whether the journal is whole; anchors are read first, so that none is newer than what is looked at."""
    clinic, ground = clinic_of(request), ground_of(request)
    anchors = read_anchors(clinic.settings.journal_folder)
    with ground.database.reading() as connection:
        return verify(connection, anchors, clinic.vault.public)


def _changed(request: Request, change: Callable[..., Changed], *what: str) -> Changed:
    """Change an account in the name of who asks; 404 where there is none of that id."""
    clinic, ground = clinic_of(request), ground_of(request)
    about = {"by": visitor(request).account.id, "now": ground.now()}
    try:
        with ground.database.writing() as connection:
            return change(connection, clinic.vault, *what, **about)
    except people.Unknown as error:
        raise HTTPException(404) from error


def _staff(
    request: Request,
    *,
    invited: people.Invited | None = None,
    made: Made | None = None,
    verdict: Verdict | None = None,
    said: str | None = None,
    status: int = 200,
) -> Response:
    clinic, ground = clinic_of(request), ground_of(request)
    with ground.database.reading() as connection:
        everybody = people.people(connection, now=ground.now())
        head = head_of(connection)
        in_use = [each for each in tokens(connection) if each.ends_at > ground.now()]
    anchors = read_anchors(clinic.settings.journal_folder)
    return office_page(
        request,
        "staff.html",
        status=status,
        people=everybody,
        offered=people.OFFERED,
        link_days=people.LINK_DAYS,
        invited=invited,
        join=f"{ground.settings.origin}/join#",
        tokens=in_use,
        scopes=SCOPES,
        token_days=DAYS,
        made=made,
        head=head,
        anchor=anchors[-1] if anchors else None,
        verdict=verdict,
        said=said,
    )
