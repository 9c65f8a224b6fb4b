"""Which examinations wait for a rater: their pictures and what was told beside them, and nothing that was answered."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from cutis.serve.answer import State
from cutis.serve.labels.truths import known_truths
from cutis.serve.record.examinations import COLUMNS, Examination, Part, contents_of, count_of, examination_from
from cutis.serve.tables import EXAMINATIONS, JOURNAL, KEYS
from cutis.serve.vault import Vault

AT_ONCE = 40  # on one page


class Waiting(NamedTuple):
    """What is left for one rater, and how far all are."""

    examinations: tuple[Examination, ...]  # the first of them, those that wait longest first
    left: int  # without histology, and without this rater's word
    mine: int  # that this rater has labelled
    blind: int  # examinations with any blind word
    by_histology: int
    aided: int  # words that become no label


class Looked(NamedTuple):
    """What a rater sees of one examination."""

    examination: Examination
    pictures: int
    note: str


def waiting_for(connection: Connection, vault: Vault, rater: str) -> Waiting:
    """Return what is left for a rater; pictures that cannot be judged are not asked about."""
    known = known_truths(connection, vault)
    settled = {name for name, each in known.items() if each.histology is not None}
    mine = {name for name, each in known.items() if rater in each.votes}
    aided = _said_by(connection, rater)
    both = EXAMINATIONS.join(KEYS, KEYS.c.case_id == EXAMINATIONS.c.case_id)
    query = select(*COLUMNS).select_from(both).where(EXAMINATIONS.c.state != State.UNUSABLE.value)
    rows = connection.execute(query.order_by(EXAMINATIONS.c.made_at, EXAMINATIONS.c.id))
    left = [examination_from(row) for row in rows if row.id not in settled | mine | aided]
    return Waiting(
        examinations=tuple(left[:AT_ONCE]),
        left=len(left),
        mine=len(mine),
        blind=sum(bool(each.votes) for each in known.values()),
        by_histology=len(settled),
        aided=sum(each.aided for each in known.values()),
    )


def looked_at(connection: Connection, vault: Vault, examination: Examination) -> Looked:
    """Return what a rater sees.

    Raises:
        Erased: the case is no more.
    """
    pictures = count_of(connection, examination, Part.THUMBNAIL)
    notes = contents_of(connection, vault, examination, Part.NOTE)
    return Looked(examination, pictures, notes[0].decode() if notes else "")


def _said_by(connection: Connection, rater: str) -> set[str]:
    """Return the examinations of which somebody said something as a clinician, or knew too much to be a rater."""
    where = (JOURNAL.c.by == rater, JOURNAL.c.kind == "word")
    return {str(name) for name in connection.execute(select(JOURNAL.c.examination_id).where(*where)).scalars()}
