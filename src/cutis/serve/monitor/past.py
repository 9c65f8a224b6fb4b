"""What happened in some weeks: every examination with its answer and what a clinician said of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cutis.serve.answer import Answer, State, answer_from
from cutis.serve.journal import Kind, opened
from cutis.serve.record.words import Says, Word, word_from
from cutis.serve.tables import EXAMINATIONS, JOURNAL
from cutis.serve.vault import Vault


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One examination; of an erased case only what tells of nobody is left."""

    id: str
    case_id: str
    at: float
    state: State
    is_silent: bool
    device: str | None
    seconds: float
    release_sha256: str
    answer: Answer | None = None  # None: erased
    word: Word | None = None  # the newest

    @property
    def first(self) -> str | None:
        """The most probable diagnosis, whether or not it was shown."""
        return self.answer.findings[0].code if self.answer and self.answer.findings else None

    @property
    def is_override(self) -> bool | None:
        """Whether a clinician named another diagnosis than the answer's first; None where there is nothing to tell."""
        if self.word is None or self.state is not State.ANSWERED or self.first is None:
            return None
        if self.word.says is Says.DOUBT:
            return None
        return self.word.says is Says.OTHER and self.word.diagnosis != self.first


def seen_between(connection: Connection, vault: Vault, *, since: float, until: float) -> tuple[Seen, ...]:
    """Return the examinations of a time, the oldest first."""
    columns = EXAMINATIONS.c
    query = select(
        columns.id,
        columns.case_id,
        columns.made_at,
        columns.state,
        columns.silent,
        columns.device,
        columns.seconds,
        columns.release_sha256,
    )
    rows = connection.execute(
        query.where(columns.made_at >= since, columns.made_at < until).order_by(columns.made_at, columns.id)
    ).all()
    answers: dict[str, Answer] = {}
    words: dict[str, Word] = {}
    # A word may come long after its answer, so that words are looked for until now.
    for kept, sealed in opened(connection, vault, JOURNAL.c.at >= since, kinds=(Kind.ANSWER, Kind.WORD)):
        if sealed is None or kept.examination_id is None:
            continue
        if kept.kind == Kind.ANSWER and kept.at < until:
            answers[kept.examination_id] = answer_from(sealed["answer"])
        elif kept.kind == Kind.WORD:
            words[kept.examination_id] = word_from(kept.content | sealed, by=kept.by, at=kept.at)
    return tuple(
        Seen(
            id=row.id,
            case_id=row.case_id,
            at=row.made_at,
            state=State(row.state),
            is_silent=row.silent,
            device=row.device,
            seconds=row.seconds,
            release_sha256=row.release_sha256,
            answer=answers.get(row.id),
            word=words.get(row.id),
        )
        for row in rows
    )
