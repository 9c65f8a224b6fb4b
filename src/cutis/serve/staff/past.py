"""The journal as an auditor reads it: the newest entries first, what is open in them, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from cutis.serve.journal import Kept, Kind
from cutis.serve.tables import JOURNAL
from cutis.web.tables import ACCOUNTS

ON_A_PAGE = 50
LONGEST = 160  # letters of one value


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries; an empty text asks for nothing."""

    kind: str = ""
    by: str = ""
    case: str = ""
    since: float | None = None
    until: float | None = None
    before: int | None = None  # the number that a page ends before


class Line(NamedTuple):
    """One entry, as it is shown."""

    kept: Kept
    told: tuple[tuple[str, str], ...]  # what is open in it, name and value
    is_sealed: bool


class PastPage(NamedTuple):
    """Some entries."""

    lines: tuple[Line, ...]
    further: int | None  # the number that the next page ends before
    names: Mapping[str, str]  # of the accounts, as they are now


def page_of(connection: Connection, wanted: Wanted) -> PastPage:
    """Return a page of the entries that are wanted, the newest first."""
    columns = JOURNAL.c
    asked = {columns.kind: wanted.kind, columns.by: wanted.by, columns.case_id: wanted.case}
    query = select(JOURNAL).where(*(column == value for column, value in asked.items() if value))
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.before is not None:
        query = query.where(columns.number < wanted.before)
    rows = [Kept(*row) for row in connection.execute(query.order_by(columns.number.desc()).limit(ON_A_PAGE + 1))]
    shown = rows[:ON_A_PAGE]
    return PastPage(
        tuple(Line(each, tuple(_told(each.content)), each.sealed is not None) for each in shown),
        shown[-1].number if len(rows) > ON_A_PAGE else None,
        names_of(connection),
    )


def names_of(connection: Connection) -> dict[str, str]:
    """Return the names of accounts by their ids; who has none yet, or is gone, is not among them."""
    rows = connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.name).where(ACCOUNTS.c.name.is_not(None)))
    return {row.id: row.name for row in rows}


def kinds() -> tuple[str, ...]:
    """Return what can have happened."""
    return tuple(kind.value for kind in Kind)


def _told(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _told(value, f"{before}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for place, each in enumerate(value):
                yield from _told(each, f"{before}{name}.{place}.")
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield before + name, text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
