"""Who works here: accounts by role, each change written down, and never without an administrator who can sign in."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, exists, func, select, update

from cutis.serve.journal import Entry, Kind, write
from cutis.serve.vault import Vault
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.accounts import Role, account_of, make_account, make_link, remove_account
from cutis.web.sessions import close_sessions
from cutis.web.tables import ACCOUNTS, LINKS, SESSIONS

OFFERED = (Role.CLINICIAN, Role.CURATOR, Role.ADMINISTRATOR, Role.AUDITOR)
LINK_DAYS = 2.0  # that a new link waits for the person it was made for; it is good once


class Person(NamedTuple):
    """One account, as an administrator sees it."""

    id: str
    name: str | None  # none: they have not followed their link yet
    role: Role
    made_at: float
    has_password: bool
    has_link: bool  # that nobody followed yet
    sessions: int  # that are open
    seen_at: float | None  # the newest sign of life of these


class Invited(NamedTuple):
    """An account and the secret of its link, which is shown once."""

    account_id: str
    token: str


class Unknown(LookupError):
    """There is no such account."""


def people(connection: Connection, *, now: float) -> tuple[Person, ...]:
    """Return all accounts but the readers' of a study, by role and age."""
    link = exists().where(LINKS.c.account_id == ACCOUNTS.c.id, LINKS.c.ends_at > now)
    open_ones = (SESSIONS.c.account_id == ACCOUNTS.c.id) & (SESSIONS.c.ends_at > now)
    query = (
        select(
            ACCOUNTS.c.id,
            ACCOUNTS.c.name,
            ACCOUNTS.c.role,
            ACCOUNTS.c.made_at,
            ACCOUNTS.c.password.is_not(None).label("has_password"),
            link.label("has_link"),
            func.count(SESSIONS.c.hash).label("sessions"),
            func.max(SESSIONS.c.seen_at).label("seen_at"),
        )
        .outerjoin(SESSIONS, open_ones)
        .where(ACCOUNTS.c.role.in_([role.value for role in OFFERED]))
        .group_by(ACCOUNTS.c.id, ACCOUNTS.c.name, ACCOUNTS.c.role, ACCOUNTS.c.made_at, ACCOUNTS.c.password)
        .order_by(ACCOUNTS.c.role, ACCOUNTS.c.made_at, ACCOUNTS.c.id)
    )
    return tuple(Person(*row)._replace(role=Role(row.role)) for row in connection.execute(query))


def invite(connection: Connection, vault: Vault, role: Role, *, by: str, now: float) -> Invited:
    """Make an account, and a link that leads to it once."""
    account = make_account(connection, role, now=now)
    token = make_link(connection, account.id, now=now, days=LINK_DAYS, once=True)
    _write(connection, vault, "account made", account.id, by=by, now=now, role=role.value)
    return Invited(account.id, token)


def renew(connection: Connection, vault: Vault, account_id: str, *, by: str, now: float) -> Invited:
    """Make a new link to an account, as for who forgot their password; links before it lead nowhere.

    Raises:
        Unknown: there is none.
    """
    _role_of(connection, account_id)
    token = make_link(connection, account_id, now=now, days=LINK_DAYS, once=True)
    _write(connection, vault, "link made", account_id, by=by, now=now)
    return Invited(account_id, token)


def change_role(connection: Connection, vault: Vault, account_id: str, role: Role, *, by: str, now: float) -> None:
    """Give an account another role; its sessions end, for they began under the old one.

    Raises:
        Unknown: there is none.
        SafetyRefusal: no administrator who can sign in would be left.
    """
    before = _role_of(connection, account_id)
    if role is before:
        return
    _require_another_administrator(connection, account_id, before)
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(role=role.value))
    close_sessions(connection, account_id)
    _write(connection, vault, "role changed", account_id, by=by, now=now, before=before.value, role=role.value)


def end_sessions(connection: Connection, vault: Vault, account_id: str, *, by: str, now: float) -> None:
    """Sign somebody out everywhere.

    Raises:
        Unknown: there is no such account.
    """
    _role_of(connection, account_id)
    close_sessions(connection, account_id)
    _write(connection, vault, "sessions ended", account_id, by=by, now=now)


def remove(connection: Connection, vault: Vault, account_id: str, *, by: str, now: float) -> None:
    """Erase an account; its number stays in the journal, beside what was done by it.

    Raises:
        Unknown: there is none.
        SafetyRefusal: no administrator who can sign in would be left.
    """
    before = _role_of(connection, account_id)
    _require_another_administrator(connection, account_id, before)
    remove_account(connection, account_id)
    _write(connection, vault, "account removed", account_id, by=by, now=now, role=before.value)


def _role_of(connection: Connection, account_id: str) -> Role:
    found = account_of(connection, account_id)
    if found is None or found.role not in OFFERED:
        raise Unknown(account_id)
    return found.role


def _require_another_administrator(connection: Connection, account_id: str, role: Role) -> None:
    """Look at the administrators with their rows held: of two who remove each other at once, one is refused."""
    if role is not Role.ADMINISTRATOR:
        return
    query = select(ACCOUNTS.c.id, ACCOUNTS.c.password).where(ACCOUNTS.c.role == Role.ADMINISTRATOR.value)
    rows = connection.execute(query.order_by(ACCOUNTS.c.id).with_for_update()).all()
    if not any(row.password is not None for row in rows if row.id != account_id):
        what = "no administrator who can sign in would be left"
        mend = "let another administrator choose a name and a password first"
        raise SafetyRefusal(what, where="accounts", mend=mend)


def _write(
    connection: Connection, vault: Vault, did: str, account_id: str, *, by: str, now: float, **more: str
) -> None:
    told = {"did": did, "account": account_id} | more
    write(connection, vault, Entry(kind=Kind.ACCOUNT, by=by, open=told), now=now)
