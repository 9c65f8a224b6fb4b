"""What goes into the report of a case: everything that was seen and said, with the answers that may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from cutis.serve.answer import Answer
from cutis.serve.journal import Kept, Kind, entries
from cutis.serve.pages.listing import Told, has_spoken, may_hear_truths
from cutis.serve.pages.saying import Quality, quality_of
from cutis.serve.pages.standing import Here, Said, names_here, names_of, said_of, truth_of
from cutis.serve.record.cases import Case
from cutis.serve.record.examinations import Examination, Part, answer_of, contents_of
from cutis.serve.tables import JOURNAL
from cutis.serve.visit import Shown, reveal


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One examination of a report."""

    at: str
    by: str
    device: str | None
    note: str
    pictures: tuple[bytes, ...]
    quality: Quality
    answer: Answer | None  # as it may be shown
    hidden: str | None  # why it may not
    cannot_say: tuple[str, ...]
    words: tuple[Said, ...]
    journal: Kept


@dataclass(frozen=True, kw_only=True)
class Report:
    """A case as it goes onto paper."""

    case_id: str
    made: str
    made_by: str
    invented: bool  # an answer of the case comes from a release that learned from invented pictures
    visits: tuple[Visit, ...]  # the oldest first
    truths: tuple[Said, ...]


def report_of(here: Here, case: Case, told: Sequence[Told]) -> Report:
    """Return a case as it goes onto paper; each answer that is shown by it is written down first."""
    shown = Shown(parts=("report",))
    revealed = {
        each.examination.id: reveal(here.clinic, here.ground, each.examination, here.by, shown=shown) for each in told
    }
    with here.ground.database.reading() as connection:
        ids = {here.by} | {one.examination.made_by for one in told} | {each.by for one in told for each in one.words}
        ids |= {each.by for one in told for each in one.truths}
        people, diagnoses = names_of(connection, ids, here.words), names_here(here)
        visits, invented = [], False
        truths = told[-1].truths if told and may_hear_truths(connection, here, case.id) else ()
        for one in told:
            found, seen = one.examination, revealed[one.examination.id]
            whole = answer_of(connection, here.clinic.vault, found)
            may_hear = seen.hidden is None or has_spoken(here.by, one.words)
            invented = invented or whole.invented
            visits.append(
                Visit(
                    at=moment(found.made_at),
                    by=people[found.made_by],
                    device=found.device,
                    note=one.note,
                    pictures=contents_of(connection, here.clinic.vault, found, Part.PICTURE),
                    quality=quality_of(whole, here.words, hidden=seen.hidden is not None),
                    answer=seen.answer.as_shown() if seen.answer else None,
                    hidden=seen.hidden.value if seen.hidden else None,
                    cannot_say=whole.cannot_say,
                    words=tuple(said_of(each, people, diagnoses) for each in one.words) if may_hear else (),
                    journal=_entry(connection, found),
                )
            )
    return Report(
        case_id=case.id,
        made=moment(here.ground.now()),
        made_by=people[here.by],
        invented=invented,
        visits=tuple(visits),
        truths=tuple(truth_of(each, people, diagnoses) for each in truths),
    )


def moment(at: float) -> str:
    """Return a time as it stands on paper: nobody there knows whose clock it was."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _entry(connection: Connection, found: Examination) -> Kept:
    return next(entries(connection, JOURNAL.c.examination_id == found.id, kinds=[Kind.ANSWER]))
