"""Sessions live on the server: a browser holds 256 random bits, the database their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select, update

from cutis.web.accounts import Account, Role, hash_of, secret
from cutis.web.tables import ACCOUNTS, SESSIONS

SECONDS_BETWEEN_SIGNS = 60  # a sign of life is written down this often, not at every request


@dataclass(frozen=True)
class Limits:
    """How long a session lasts, in seconds."""

    idle: float
    whole: float


@dataclass(frozen=True)
class Visitor:
    """Who asks, as far as the session says; `proof` is what a form of theirs must carry."""

    account: Account
    session: str  # the stored hash
    proof: str
    is_to_be_noted: bool  # whether it is time for another sign of life


def open_session(connection: Connection, account_id: str, *, now: float, limits: Limits) -> str:
    """Return a new session's secret, and sweep out those that ended."""
    token = secret()
    connection.execute(delete(SESSIONS).where(or_(SESSIONS.c.ends_at <= now, SESSIONS.c.seen_at <= now - limits.whole)))
    row = {"hash": hash_of(token), "account_id": account_id, "made_at": now, "seen_at": now}
    connection.execute(insert(SESSIONS).values(row | {"ends_at": now + limits.whole}))
    return token


def visitor_of(
    connection: Connection, token: str, *, now: float, limits_of: Callable[[Role], Limits]
) -> Visitor | None:
    """Return who a session's secret belongs to; None where it ended, was idle too long or never was."""
    query = (
        select(SESSIONS.c.hash, SESSIONS.c.seen_at, SESSIONS.c.ends_at, ACCOUNTS)
        .join(ACCOUNTS, ACCOUNTS.c.id == SESSIONS.c.account_id)
        .where(SESSIONS.c.hash == hash_of(token))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    account = Account(row.id, Role(row.role), row.name, row.password, row.language)
    idle = limits_of(account.role).idle
    if row.ends_at <= now or row.seen_at + idle <= now:
        return None
    due = row.seen_at + min(SECONDS_BETWEEN_SIGNS, idle / 4) <= now
    return Visitor(account, row.hash, proof_of(token), due)


def note(connection: Connection, session: str, *, now: float) -> None:
    """Write down a sign of life."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.hash == session).values(seen_at=now))


def close_session(connection: Connection, session: str) -> None:
    """End one session."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.hash == session))


def close_sessions(connection: Connection, account_id: str) -> None:
    """End all sessions of an account."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.account_id == account_id))


def proof_of(token: str) -> str:
    """Return what only a page of ours can know of a session: it follows from the secret, and does not tell it."""
    return hashlib.sha256(b"form" + token.encode()).hexdigest()[:32]
