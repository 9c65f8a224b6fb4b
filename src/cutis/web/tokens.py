"""Programs come with a token: 256 random bits, shown once, that open what its scopes name until a day it ends."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from cutis.vocabulary.errors import UserError
from cutis.web.accounts import hash_of, secret
from cutis.web.failures import Attempt, count_failure, wait_of
from cutis.web.tables import TOKENS

MARK = "cutis_"  # by which those who look for lost secrets know ours
LONGEST_NAME = 80
SECONDS_BETWEEN_SIGNS = 3600  # a use is written down this often, not at every request
FREE_FAILURES = 20  # of one address, before it has to wait
DAY = 86_400


@dataclass(frozen=True)
class Token:
    """What is known of a token; its secret is known to its program alone."""

    id: str
    name: str
    scopes: frozenset[str]
    made_at: float
    ends_at: float
    used_at: float | None = None


class Made(NamedTuple):
    """A new token, and the secret that nobody will see again."""

    token: Token
    secret: str


class Looked(NamedTuple):
    """Whose a secret is; or, where it is nobody's, for how many seconds the next one is not looked at."""

    token: Token | None
    wait: float = 0.0


def make_token(connection: Connection, name: str, *, scopes: Iterable[str], now: float, days: float) -> Made:
    """Make a token.

    Raises:
        UserError: it has no name or too long a one, no scope or one with a blank in it, no day, or a token of this
            name is in use.
    """
    name, wanted = " ".join(name.split()), sorted(set(scopes))
    is_named = 0 < len(name) <= LONGEST_NAME and name.isprintable()
    if not is_named or not wanted or days <= 0 or any(len(each.split()) != 1 for each in wanted):
        what = f"a token needs a name of at most {LONGEST_NAME} letters, scopes, and days"
        raise UserError(what, where="tokens", mend="say what it is for, such as 'reporting system'")
    if name in {token.name for token in tokens(connection) if token.ends_at > now}:
        mend = "revoke that one first, or take another name"
        raise UserError(f"a token called {name!r} is in use", where="tokens", mend=mend)
    token, hidden = Token(secrets.token_hex(16), name, frozenset(wanted), now, now + days * DAY), MARK + secret()
    row = {"id": token.id, "name": name, "scopes": " ".join(wanted), "made_at": now, "ends_at": token.ends_at}
    connection.execute(insert(TOKENS).values(row | {"hash": hash_of(hidden)}))
    return Made(token, hidden)


def tokens(connection: Connection) -> tuple[Token, ...]:
    """Return all tokens that ever were, the newest first."""
    query = select(TOKENS).order_by(TOKENS.c.made_at.desc(), TOKENS.c.id)
    return tuple(_token(row) for row in connection.execute(query))


def revoke_token(connection: Connection, token_id: str, *, now: float) -> bool:
    """Let a token open nothing from now on; say whether it opened anything until now."""
    good = (TOKENS.c.id == token_id, TOKENS.c.ends_at > now)
    return bool(connection.execute(update(TOKENS).where(*good).values(ends_at=now)).rowcount)


def token_of(connection: Connection, hidden: str, *, now: float) -> Token | None:
    """Return whose a secret is; None where it ended or never was.

    It is found by its hash: how long that takes says nothing about 256 random bits.
    """
    row = connection.execute(select(TOKENS).where(TOKENS.c.hash == hash_of(hidden))).one_or_none()
    return _token(row) if row is not None and row.ends_at > now else None


def is_to_be_noted(token: Token, *, now: float) -> bool:
    """Say whether it is time to write a use down."""
    return token.used_at is None or token.used_at + SECONDS_BETWEEN_SIGNS <= now


def note_use(connection: Connection, token: Token, *, now: float) -> None:
    """Write down that a token is in use."""
    connection.execute(update(TOKENS).where(TOKENS.c.id == token.id).values(used_at=now))


def wait_after_failures(connection: Connection, address: str, *, now: float) -> float:
    """Return for how many seconds an address gets no other answer to a wrong token."""
    return wait_of(connection, [_attempt(address)], now=now)


def count_wrong_token(connection: Connection, address: str, *, now: float) -> None:
    """Write a wrong token down; people who sign in from the same address do not pay for it."""
    count_failure(connection, [_attempt(address)], now=now)


def _attempt(address: str) -> Attempt:
    return Attempt(hash_of(f"token\0{address}"), FREE_FAILURES)


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.name, frozenset(row.scopes.split()), row.made_at, row.ends_at, row.used_at)
