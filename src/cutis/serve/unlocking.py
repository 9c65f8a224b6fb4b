"""From a master key's file to the vault of a database."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from cutis.serve.facts import fact, state_fact
from cutis.serve.tables import CASES
from cutis.serve.vault import Vault, make_vault, read_vault
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.database import Database

MASTER_KEY = "master_key"


class Key(NamedTuple):
    """What lies in the key's place, and what the database knows of it."""

    vault: Vault | None  # None where nothing was kept yet: the first start makes it
    known: str | None  # fingerprint of the key that the database knows


def unlock(database: Database, file: Path) -> Vault:
    """Return the vault of a database with its tables; the first start makes the master key.

    Raises:
        UserError, SafetyRefusal: see `key_of`.
    """
    with database.reading() as connection:
        key = key_of(connection, file)
    vault = key.vault or make_vault(file)
    if key.known is None:
        with database.writing() as connection:
            state_fact(connection, MASTER_KEY, vault.fingerprint)
    return vault


def key_of(connection: Connection | None, file: Path) -> Key:
    """Return the key that a start would use, and make nothing; no connection where the tables are still to come.

    Raises:
        UserError: the key is damaged.
        SafetyRefusal: it is missing though the database holds cases, is another site's, or others may read it.
    """
    known = fact(connection, MASTER_KEY) if connection else None
    vault = read_vault(file) if file.exists() else None
    if vault is None and (known or (connection and _holds_cases(connection))):
        what = "the master key is missing, and the database holds what only it opens"
        mend = "bring it back from where it is kept beside the back-ups, or name another database"
        raise SafetyRefusal(what, where=str(file), mend=mend)
    if vault and known not in {None, vault.fingerprint}:
        what = "this master key does not open what is in the database"
        raise SafetyRefusal(what, where=str(file), mend="bring back the key and the database of the same site")
    return Key(vault, known)


def _holds_cases(connection: Connection) -> bool:
    return connection.execute(select(CASES.c.id).limit(1)).first() is not None
