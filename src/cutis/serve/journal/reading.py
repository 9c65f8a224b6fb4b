"""Looking entries up, and opening what is sealed in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from cutis.serve.journal.entry import Kept, Kind
from cutis.serve.journal.writing import name_of
from cutis.serve.tables import JOURNAL, KEYS
from cutis.serve.vault import Vault

AT_ONCE, SEALED_AT_ONCE = 2000, 200  # rows that are fetched together; what is sealed in them may be long


class Opened(NamedTuple):
    """An entry with its sealed part."""

    kept: Kept
    sealed: dict[str, Any] | None  # empty where nothing was sealed; None where the case was erased


def entries(
    connection: Connection, *conditions: ColumnElement[bool], kinds: Sequence[Kind] = (), after: int = 0
) -> Iterator[Kept]:
    """Return entries in their order; few are in memory at a time.

    Args:
        connection: that reads.
        conditions: on the columns of `JOURNAL`.
        kinds: of entries; all, if none is given.
        after: the number after which they begin.
    """
    query = select(JOURNAL).where(*conditions, *_these(kinds), JOURNAL.c.number > after).order_by(JOURNAL.c.number)
    with connection.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        for row in rows:
            yield Kept(*row)


def opened(
    connection: Connection,
    vault: Vault,
    *conditions: ColumnElement[bool],
    kinds: Sequence[Kind] = (),
    after: int = 0,
    most: int | None = None,
) -> Iterator[Opened]:
    """Return entries as `entries` does, with what is sealed in them; so many at most, where it is said."""
    both = JOURNAL.outerjoin(KEYS, JOURNAL.c.case_id == KEYS.c.case_id)
    query = select(*JOURNAL.c, KEYS.c.wrapped).select_from(both).order_by(JOURNAL.c.number)
    query = query.where(*conditions, *_these(kinds), JOURNAL.c.number > after).limit(most)
    with connection.execute(query.execution_options(yield_per=SEALED_AT_ONCE)) as rows:
        for *row, wrapped in rows:
            kept = Kept(*row)
            yield Opened(kept, _content(vault, kept, wrapped))


def sealed_in(connection: Connection, vault: Vault, kept: Kept) -> dict[str, Any] | None:
    """Return the sealed part of one entry; None where its case was erased."""
    wrapped = connection.execute(select(KEYS.c.wrapped).where(KEYS.c.case_id == kept.case_id)).scalar_one_or_none()
    return _content(vault, kept, wrapped)


def _content(vault: Vault, kept: Kept, wrapped: bytes | None) -> dict[str, Any] | None:
    if kept.sealed is None:
        return {}
    if wrapped is None:
        return None
    return dict(json.loads(vault.open(wrapped, kept.sealed, about=name_of(kept.number))))


def _these(kinds: Sequence[Kind]) -> list[ColumnElement[bool]]:
    return [JOURNAL.c.kind.in_([kind.value for kind in kinds])] if kinds else []
