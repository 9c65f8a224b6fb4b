"""Entries are added, one after the other; nothing else is possible."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, text

from cutis.serve.journal.entry import BEGINNING, Entry, Kept, Kind, canonical, hash_of
from cutis.serve.tables import JOURNAL, KEYS
from cutis.serve.vault import Vault

THE_JOURNAL = 0x63757469  # number of the lock; any would do that no other part of cutis takes


def write(connection: Connection, vault: Vault, entry: Entry, *, now: float) -> int:
    """Write an entry, and return its number; it is there when the caller's block has ended well.

    From here on other writers wait until the block ends. So write last what is written down, and one case in a block.

    Raises:
        Erased: something is to be sealed for a case that was erased.
        ValueError: something is to be sealed, and no case is named.
    """
    take_the_pen(connection)
    head = connection.execute(select(JOURNAL.c.number, JOURNAL.c.hash).order_by(JOURNAL.c.number.desc()).limit(1))
    last, previous = head.one_or_none() or (0, BEGINNING)
    bare = Kept(
        number=last + 1,
        at=float(now),
        kind=Kind(entry.kind).value,
        by=entry.by,
        case_id=entry.case_id,
        examination_id=entry.examination_id,
        open=canonical(entry.open),
        sealed=_sealed(connection, vault, entry, number=last + 1),
        previous=previous,
        hash="",
    )
    connection.execute(insert(JOURNAL).values(bare._replace(hash=hash_of(bare))._asdict()))
    return bare.number


def take_the_pen(connection: Connection) -> None:
    """Be the only one who writes the journal until the block ends: for who must look before they write.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": THE_JOURNAL})


def name_of(number: int) -> str:
    """Return under which name the sealed part of an entry is sealed."""
    return f"journal {number}"


def _sealed(connection: Connection, vault: Vault, entry: Entry, *, number: int) -> bytes | None:
    if not entry.sealed:
        return None
    if entry.case_id is None:
        raise ValueError("what is sealed belongs to a case")
    wrapped = connection.execute(select(KEYS.c.wrapped).where(KEYS.c.case_id == entry.case_id)).scalar_one_or_none()
    return vault.seal(wrapped, canonical(entry.sealed).encode(), about=name_of(number))
