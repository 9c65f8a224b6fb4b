"""A case is erased by destroying its key; what was erased is remembered outside of the database too.

A back-up that is older than an erasure holds the key. So the ids of erased cases stand in a file beside the anchors of
the journal, written before the key is destroyed, and whatever is restored is erased again by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, func, select, text, update

from cutis.serve.journal.entry import SERVER, Entry, Kind
from cutis.serve.journal.files import add_line, read_lines
from cutis.serve.journal.writing import write
from cutis.serve.record.cases import case_of
from cutis.serve.tables import CASES, CONTENTS, EXAMINATIONS, KEYS
from cutis.serve.vault import Vault
from cutis.web.database import Database

ERASED = "erased.jsonl"
DAY = 86_400.0


def erase_case(
    database: Database, vault: Vault, folder: Path, case_id: str, *, by: str, reason: str, now: float
) -> bool:
    """Destroy the key of a case and everything that it sealed; return whether there was such a case.

    Args:
        database: that holds it.
        vault: writes the journal.
        folder: of the journal, outside the database.
        case_id: of the case.
        by: account who asks, or `SERVER`.
        reason: "asked", "retention" or "restored".
        now: the time.
    """
    is_erased = _erase(database, vault, folder, case_id, by=by, reason=reason, now=now)
    if is_erased:
        blank(database)
    return is_erased


def apply_retention(database: Database, vault: Vault, folder: Path, *, days: float | None, now: float) -> int:
    """Erase every case whose last examination is older than so many days; return how many. None: nothing is too old."""
    if days is None:
        return 0
    last = select(EXAMINATIONS.c.case_id, func.max(EXAMINATIONS.c.made_at).label("at")).group_by(EXAMINATIONS.c.case_id)
    lasts = last.subquery()
    seen = func.coalesce(lasts.c.at, CASES.c.made_at)
    query = select(CASES.c.id).select_from(CASES.outerjoin(lasts, CASES.c.id == lasts.c.case_id))
    query = query.where(CASES.c.erased_at.is_(None), seen < now - days * DAY).order_by(CASES.c.made_at)
    with database.reading() as connection:
        old = list(connection.execute(query).scalars())
    return _erase_all(database, vault, folder, old, reason="retention", now=now)


def erase_remembered(database: Database, vault: Vault, folder: Path, *, now: float) -> int:
    """Erase again what is remembered as erased and is there, as after a restored back-up; return how many."""
    remembered = {str(line["case_id"]) for line in read_lines(folder / ERASED, "erased")}
    with database.reading() as connection:
        there = [case_id for case_id in connection.execute(select(KEYS.c.case_id)).scalars() if case_id in remembered]
    return _erase_all(database, vault, folder, there, reason="restored", now=now)


def _erase_all(
    database: Database, vault: Vault, folder: Path, case_ids: Iterable[str], *, reason: str, now: float
) -> int:
    """Erase one after the other, each in a block of its own: others may write in between."""
    count = sum(_erase(database, vault, folder, case_id, by=SERVER, reason=reason, now=now) for case_id in case_ids)
    if count:
        blank(database)
    return count


def blank(database: Database) -> bool:
    """Let no copy of a destroyed key lie in the database's own files: PostgreSQL keeps old rows until a vacuum.

    Returns:
        Whether it is done; not while somebody has been reading for long. It is asked for again at every start, and
        daily: what was killed in between, or came to a busy moment, is made up for.
    """
    is_done = database.forget()
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM FULL {KEYS.name}"))
            connection.execute(text(f"VACUUM {CONTENTS.name}"))
    return is_done


def _erase(database: Database, vault: Vault, folder: Path, case_id: str, *, by: str, reason: str, now: float) -> bool:
    with database.writing() as connection:
        case = case_of(connection, case_id, alone=True)
        if case is None or case.erased_at is not None:
            return False
        add_line(folder / ERASED, "erased", {"case_id": case_id, "at": now})
        connection.execute(delete(KEYS).where(KEYS.c.case_id == case_id))
        connection.execute(delete(CONTENTS).where(CONTENTS.c.case_id == case_id))
        empty = {"gist": None, "accession": None, "device": None}
        connection.execute(update(EXAMINATIONS).where(EXAMINATIONS.c.case_id == case_id).values(empty))
        connection.execute(update(CASES).where(CASES.c.id == case_id).values(erased_at=now))
        entry = Entry(kind=Kind.ERASED, by=by, case_id=case_id, open={"reason": reason})
        write(connection, vault, entry, now=now)
    return True
