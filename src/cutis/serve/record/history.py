"""The history: examinations, the newest first, a page at a time; what is sealed is opened to be searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from cutis.serve.answer import State
from cutis.serve.journal.entry import Kind
from cutis.serve.record.examinations import COLUMNS, Examination, examination_from
from cutis.serve.record.gist import Gist, open_gist
from cutis.serve.record.words import Truth, Word, truths_among, words_among
from cutis.serve.tables import EXAMINATIONS, JOURNAL, KEYS
from cutis.serve.vault import Vault

PAGE = 50
AT_ONCE = 500  # rows that are fetched together


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What an examination must fit; None and an empty text ask for nothing."""

    accession: str = ""
    since: float | None = None
    until: float | None = None
    made_by: str | None = None
    state: State | None = None
    device: str | None = None
    first: str | None = None  # code that the release answered first
    words: str = ""  # each of them stands in the note or in a diagnosis that somebody wrote
    has_truth: bool | None = None

    @property
    def wanted(self) -> list[str]:
        """The words, each by itself, as they are looked for."""
        return self.words.casefold().split()


class Found(NamedTuple):
    """An examination of the history."""

    examination: Examination
    gist: Gist
    words: tuple[Word, ...]  # the oldest first
    truths: tuple[Truth, ...]  # of its case, the oldest first


@dataclass(frozen=True)
class Page:
    """A page of the history."""

    found: tuple[Found, ...]
    further: str | None  # after which id the next page begins; None where there is none


def examinations(
    connection: Connection,
    vault: Vault,
    filters: Filters | None = None,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> Page:
    """Return a page of the history, the newest first; cases that were erased are not among it.

    Args:
        connection: that reads.
        vault: opens what is searched.
        filters: what must fit.
        after: id of the last examination of the page before.
        limit: how many make a page.
    """
    found: list[tuple[Examination, Gist]] = []
    for each in _fitting(connection, vault, filters or Filters(), after=after, limit=limit + 1):
        found.append(each)
        if len(found) > limit:
            break
    page = found[:limit]
    words = list(words_among(connection, vault, [each.id for each, _ in page]))
    truths = list(truths_among(connection, vault, list({each.case_id for each, _ in page})))
    return Page(
        tuple(
            Found(
                each,
                gist,
                tuple(word for name, word in words if name == each.id),
                tuple(truth for name, truth in truths if name == each.case_id),
            )
            for each, gist in page
        ),
        page[-1][0].id if len(found) > limit else None,
    )


def devices(connection: Connection) -> tuple[str, ...]:
    """Return the names of devices that were told."""
    query = select(EXAMINATIONS.c.device).where(EXAMINATIONS.c.device.is_not(None)).distinct()
    return tuple(sorted(connection.execute(query).scalars()))


def _fitting(
    connection: Connection, vault: Vault, filters: Filters, *, after: str | None, limit: int
) -> Iterator[tuple[Examination, Gist]]:
    with_keys = EXAMINATIONS.join(KEYS, EXAMINATIONS.c.case_id == KEYS.c.case_id)
    query = select(*COLUMNS, EXAMINATIONS.c.gist, KEYS.c.wrapped).select_from(with_keys)
    query = query.where(*_conditions(vault, filters), *_after(connection, after))
    query = query.order_by(EXAMINATIONS.c.made_at.desc(), EXAMINATIONS.c.id.desc())
    wanted = filters.wanted
    if not wanted and filters.first is None:
        query = query.limit(limit)
    with connection.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        for *row, sealed, wrapped in rows:
            gist = open_gist(vault, wrapped, sealed, examination_id=str(row[0]))
            if (filters.first is None or gist.first == filters.first) and gist.holds(wanted):
                yield examination_from(row), gist


def _conditions(vault: Vault, filters: Filters) -> list[ColumnElement[bool]]:
    columns = EXAMINATIONS.c
    told: list[ColumnElement[bool]] = []
    if filters.accession.strip():
        told.append(columns.accession == vault.accession(filters.accession))
    if filters.since is not None:
        told.append(columns.made_at >= filters.since)
    if filters.until is not None:
        told.append(columns.made_at < filters.until)
    if filters.made_by:
        told.append(columns.made_by == filters.made_by)
    if filters.state:
        told.append(columns.state == filters.state.value)
    if filters.device:
        told.append(columns.device == filters.device)
    if filters.has_truth is not None:
        came = exists().where(JOURNAL.c.case_id == columns.case_id, JOURNAL.c.kind == Kind.TRUTH.value)
        told.append(came if filters.has_truth else ~came)
    return told


def _after(connection: Connection, after: str | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    columns = EXAMINATIONS.c
    at = connection.execute(select(columns.made_at).where(columns.id == after)).scalar_one_or_none()
    return [] if at is None else [or_(columns.made_at < at, and_(columns.made_at == at, columns.id < after))]
