"""The programs that may ask: their tokens are made and withdrawn on the record."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from cutis.serve.journal import SERVER, Entry, Kind, write
from cutis.serve.vault import Vault
from cutis.vocabulary.errors import UserError
from cutis.web.tokens import Made, Token, make_token, revoke_token, tokens

__all__ = ["DAYS", "SCOPES", "SERVER", "give_token", "withdraw_token"]

SCOPES = {
    "diagnose": "send pictures, and read back what was answered to them",
    "read": "read every examination",
    "metrics": "read the figures of operation, which tell of nobody",
}
DAYS = 365.0


def give_token(
    connection: Connection, vault: Vault, name: str, *, scopes: Iterable[str], by: str, now: float, days: float = DAYS
) -> Made:
    """Make a token and write down who made it; its secret is in what is returned and nowhere else.

    Raises:
        UserError: a scope is unknown, or see `make_token`.
    """
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        mend = f"use one or more of: {', '.join(SCOPES)}"
        raise UserError(f"there is no scope {unknown[0]!r}", where="tokens", mend=mend)
    made = make_token(connection, name, scopes=wanted, now=now, days=days)
    told = {"token": made.token.id, "name": made.token.name, "scopes": wanted, "ends_at": made.token.ends_at}
    write(connection, vault, Entry(kind=Kind.ACCOUNT, by=by, open={"did": "token made"} | told), now=now)
    return made


def withdraw_token(connection: Connection, vault: Vault, called: str, *, by: str, now: float) -> Token:
    """Let a token open nothing from now on, and write it down.

    Args:
        connection: that writes.
        vault: of the clinic.
        called: its id, or the name under which it is in use.
        by: who does it.
        now: the time.

    Raises:
        UserError: no token in use is called so.
    """
    in_use = [token for token in tokens(connection) if token.ends_at > now]
    token = next((token for token in in_use if called in (token.id, token.name)), None)
    if token is None:
        mend = f"in use are: {', '.join(sorted(each.name for each in in_use)) or 'none'}"
        raise UserError(f"no token in use is called {called!r}", where="tokens", mend=mend)
    revoke_token(connection, token.id, now=now)
    told = {"did": "token revoked", "token": token.id, "name": token.name}
    write(connection, vault, Entry(kind=Kind.ACCOUNT, by=by, open=told), now=now)
    return token
