"""The ground's tables, as queries name them; migrations make them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Integer, MetaData, String, Table

GROUND = MetaData()

ACCOUNTS = Table(
    "accounts",
    GROUND,
    Column("id", String(32), primary_key=True),
    Column("name", String(80)),  # none: this person comes by a personal link alone
    Column("role", String(16)),
    Column("password", String(200)),  # argon2id, with its parameters and salt
    Column("language", String(16)),
    Column("made_at", Double),
)
LINKS = Table(
    "links",
    GROUND,
    Column("hash", String(64), primary_key=True),
    Column("account_id", String(32)),
    Column("once", Boolean),
    Column("ends_at", Double),
)
SESSIONS = Table(
    "sessions",
    GROUND,
    Column("hash", String(64), primary_key=True),
    Column("account_id", String(32)),
    Column("made_at", Double),
    Column("seen_at", Double),
    Column("ends_at", Double),
)
FAILURES = Table(
    "failures",
    GROUND,
    Column("of", String(64), primary_key=True),
    Column("count", Integer),
    Column("last_at", Double),
)
TOKENS = Table(
    "tokens",  # of programs; a row stays when it has ended, for what it did bears its id
    GROUND,
    Column("hash", String(64), primary_key=True),
    Column("id", String(32)),
    Column("name", String(80)),
    Column("scopes", String(200)),  # names with blanks between
    Column("made_at", Double),
    Column("ends_at", Double),
    Column("used_at", Double),  # when it was last seen, to the hour; none while it never was
)
