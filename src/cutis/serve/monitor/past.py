"""What happened in some weeks: each examination with its answer and what was said of it, or what drift needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from cutis.serve.answer import Answer, State, answer_from
from cutis.serve.journal import Kind, opened
from cutis.serve.record.words import Says, Word, word_from
from cutis.serve.tables import EXAMINATIONS, JOURNAL
from cutis.serve.vault import Vault
from cutis.web.database import Database

AT_ONCE = 200  # answers that are read before others have their turn


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
    word: Word | None = None  # the newest of a clinician

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


class Glimpse(NamedTuple):
    """What of an examination is held against a reference, by its first picture; it is small, for there are many."""

    case_id: str
    at: float
    device: str | None
    first: str | None  # the most probable diagnosis
    probability: float | None  # of it
    sharpness: float | None
    brightness: float | None
    contrast: float | None
    width: float | None
    height: float | None
    distance: float | None
    is_marked: bool | None
    is_withheld: bool | None  # unsure or foreign; None: it could not be judged
    is_unusual: bool | None  # for its distance


def glimpse_of(answer: Answer, *, case_id: str, at: float, device: str | None) -> Glimpse:
    """Return what drift needs of an answer."""
    picture = answer.pictures[0] if answer.pictures else None
    first, is_judged = answer.findings[0] if answer.findings else None, answer.state is not State.UNUSABLE
    return Glimpse(
        case_id=case_id,
        at=at,
        device=device,
        first=first.code if first else None,
        probability=first.probability if first and is_judged else None,
        sharpness=picture.sharpness if picture else None,
        brightness=picture.brightness if picture else None,
        contrast=picture.contrast if picture else None,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        distance=picture.distance if picture else None,
        is_marked=bool(picture.marks) if picture else None,
        is_withheld=answer.state is not State.ANSWERED if is_judged else None,
        is_unusual=any(reason.key == "distance" for reason in answer.reasons) if is_judged else None,
    )


def glimpses_of(seen: Sequence[Seen], *, release_sha256: str) -> tuple[Glimpse, ...]:
    """Return what drift needs of what a release answered; nothing of what was erased."""
    return tuple(
        glimpse_of(each.answer, case_id=each.case_id, at=each.at, device=each.device)
        for each in seen
        if each.answer is not None and each.release_sha256 == release_sha256
    )


def glimpses_between(
    database: Database, vault: Vault, *, release_sha256: str, since: float, until: float
) -> tuple[Glimpse, ...]:
    """Return the same of a time, the oldest first; few answers are open at once, and nobody has to wait for long.

    Whoever erases waits until all who read have ended, so that this reads a piece at a time.
    """
    of_this_time = (JOURNAL.c.at >= since, JOURNAL.c.at < until)
    glimpses: list[Glimpse] = []
    read, last = AT_ONCE, 0
    while read == AT_ONCE:
        with database.reading() as connection:
            read = 0
            answers = opened(connection, vault, *of_this_time, kinds=[Kind.ANSWER], after=last, most=AT_ONCE)
            for kept, sealed in answers:
                read, last = read + 1, kept.number
                if sealed is None or kept.case_id is None or kept.content["release_sha256"] != release_sha256:
                    continue
                answer = answer_from(sealed["answer"])
                glimpses.append(glimpse_of(answer, case_id=kept.case_id, at=kept.at, device=sealed["device"]))
    return tuple(sorted(glimpses, key=lambda each: each.at))


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
            word = word_from(kept.content | sealed, by=kept.by, at=kept.at)
            if not word.by_rater:
                words[kept.examination_id] = word
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
