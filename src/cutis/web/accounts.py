"""Who there is: accounts with a role, and the personal links that lead to them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select, update

from cutis.web.tables import ACCOUNTS, LINKS, SESSIONS


class Role(StrEnum):
    """What a person is here for; what each may do stands beside the routes."""

    READER = "reader"
    CLINICIAN = "clinician"
    CURATOR = "curator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Account:
    """One person, or one post; `name` and `password` are for those who sign in without a link."""

    id: str
    role: Role
    name: str | None = None
    password: str | None = None
    language: str | None = None


def secret() -> str:
    """Return 256 random bits, as text that fits a URL."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """Return what is stored of a secret; with 256 random bits behind it, nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_account(connection: Connection, role: Role, *, now: float, language: str | None = None) -> Account:
    """Make an account that only a link leads to."""
    account = Account(id=secrets.token_hex(16), role=role, language=language)
    connection.execute(insert(ACCOUNTS).values(id=account.id, role=role.value, language=language, made_at=now))
    return account


def account_of(connection: Connection, account_id: str) -> Account | None:
    """Return an account by its id."""
    return _one(connection, ACCOUNTS.c.id == account_id)


def account_named(connection: Connection, name: str) -> Account | None:
    """Return an account by the name it signs in with, in any case of its letters."""
    return _one(connection, ACCOUNTS.c.name == name.strip().casefold())


def _one(connection: Connection, condition: object) -> Account | None:
    columns = (ACCOUNTS.c.id, ACCOUNTS.c.role, ACCOUNTS.c.name, ACCOUNTS.c.password, ACCOUNTS.c.language)
    row = connection.execute(select(*columns).where(condition)).one_or_none()  # type: ignore[arg-type]
    return Account(row.id, Role(row.role), row.name, row.password, row.language) if row else None


def can_sign_in(connection: Connection, role: Role) -> bool:
    """Say whether anybody of this role has a password."""
    query = select(ACCOUNTS.c.id).where(ACCOUNTS.c.role == role.value, ACCOUNTS.c.password.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def first_of(connection: Connection, role: Role, *, now: float) -> str:
    """Return the id of the oldest account of this role; it is made where there is none."""
    query = select(ACCOUNTS.c.id).where(ACCOUNTS.c.role == role.value).order_by(ACCOUNTS.c.made_at).limit(1)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found or make_account(connection, role, now=now).id


def set_password(connection: Connection, account_id: str, *, name: str, password: str) -> None:
    """Give an account a name, and the hash of its password."""
    values = {"name": name.strip().casefold(), "password": password}
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(values))


def set_language(connection: Connection, account_id: str, language: str) -> None:
    """Keep in which language a person wants the pages."""
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(language=language))


def remove_account(connection: Connection, account_id: str) -> None:
    """Erase an account with its links and sessions."""
    for table in (SESSIONS, LINKS):
        connection.execute(delete(table).where(table.c.account_id == account_id))
    connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == account_id))


def make_link(connection: Connection, account_id: str, *, now: float, days: float, once: bool = False) -> str:
    """Return a new personal link's secret; the links before it lead nowhere from now on."""
    token = secret()
    revoke_links(connection, account_id)
    row = {"hash": hash_of(token), "account_id": account_id, "once": once, "ends_at": now + days * 86_400}
    connection.execute(insert(LINKS).values(row))
    return token


def revoke_links(connection: Connection, account_id: str) -> None:
    """Let no link lead to this account any more."""
    connection.execute(delete(LINKS).where(LINKS.c.account_id == account_id))


def follow_link(connection: Connection, token: str, *, now: float) -> Account | None:
    """Return whom a link leads to; one that is good once is used up by it."""
    row = connection.execute(select(LINKS).where(LINKS.c.hash == hash_of(token))).one_or_none()
    if row is None or row.ends_at <= now:
        return None
    if row.once and not connection.execute(delete(LINKS).where(LINKS.c.hash == row.hash)).rowcount:
        return None  # somebody else was faster
    return account_of(connection, row.account_id)
