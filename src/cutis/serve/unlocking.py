"""From a master key's file to the vault of a database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from cutis.serve.facts import fact, state_fact
from cutis.serve.tables import CASES
from cutis.serve.vault import Vault, make_vault, read_vault
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.database import Database

MASTER_KEY = "master_key"


def unlock(database: Database, file: Path) -> Vault:
    """Return the vault of a database with its tables; the first start makes the master key.

    Raises:
        UserError: the key is damaged.
        SafetyRefusal: it is missing though the database holds cases, is another site's, or others may read it.
    """
    with database.reading() as connection:
        known = fact(connection, MASTER_KEY)
        holds_cases = connection.execute(select(CASES.c.id).limit(1)).first() is not None
    if file.exists():
        vault = read_vault(file)
    elif known is None and not holds_cases:
        vault = make_vault(file)
    else:
        what = "the master key is missing, and the database holds what only it opens"
        mend = "bring it back from where it is kept beside the back-ups, or name another database"
        raise SafetyRefusal(what, where=str(file), mend=mend)
    if known not in {None, vault.fingerprint}:
        what = "this master key does not open what is in the database"
        raise SafetyRefusal(what, where=str(file), mend="bring back the key and the database of the same site")
    if known is None:
        with database.writing() as connection:
            state_fact(connection, MASTER_KEY, vault.fingerprint)
    return vault
