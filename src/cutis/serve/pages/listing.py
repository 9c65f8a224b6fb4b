"""Examinations in a list: each with its answer as far as it may be shown, written down before it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from cutis.serve.answer import Answer
from cutis.serve.journal import Entry, Kind, entries, write
from cutis.serve.pages.saying import heading_of, within
from cutis.serve.pages.standing import Here, Said, names_here, names_of, said_of, truth_of
from cutis.serve.record.examinations import Examination, answer_of, examinations_of
from cutis.serve.record.words import Truth, Word, words_of
from cutis.serve.tables import JOURNAL
from cutis.serve.visit import Shown, hidden_from, reveal
from cutis.web.translations import Words


class Listed(NamedTuple):
    """An examination as a list shows it."""

    id: str
    case_id: str
    at: float
    by: str
    device: str | None
    kind: str  # of the answer: its state, or "hidden"
    sign: str
    state: str  # in words
    invented: bool  # it is of a release that learned from invented pictures
    within: tuple[str, ...]  # what must stand inside the answer itself, wherever it is read
    words: tuple[Said, ...]  # the last one of each person
    truths: tuple[Said, ...]
    note: str


class Told(NamedTuple):
    """What a list is made of: an examination with what people said of it."""

    examination: Examination
    words: Sequence[Word]
    truths: Sequence[Truth]
    note: str = ""


def listed(here: Here, told: Sequence[Told]) -> tuple[Listed, ...]:
    """Return examinations as a list shows them."""
    revealed = _revealed(here, [each.examination for each in told])
    with here.ground.database.reading() as connection:
        confirmed = {each.examination.case_id for each in told if each.truths}
        unheard = {case_id for case_id in confirmed if not may_hear_truths(connection, here, case_id)}
        ids = {one.examination.made_by for one in told} | {each.by for one in told for each in one.words}
        people = names_of(connection, ids, here.words)
    diagnoses = names_here(here)
    return tuple(
        Listed(
            one.examination.id,
            one.examination.case_id,
            one.examination.made_at,
            people[one.examination.made_by],
            one.examination.device,
            *heading_of(revealed[one.examination.id], here.words),
            invented=_is_invented(revealed[one.examination.id]),
            within=_within(revealed[one.examination.id], here.words),
            words=tuple(said_of(each, people, diagnoses) for each in last_words(one.words))
            if _may_hear(here, one, revealed)
            else (),
            truths=tuple(truth_of(each, people, diagnoses) for each in one.truths)
            if one.examination.case_id not in unheard
            else (),
            note=one.note,
        )
        for one in told
    )


def has_spoken(by: str, words: Sequence[Word]) -> bool:
    """Say whether somebody gave their word: before it, what others know of a hidden answer is kept from them."""
    return any(each.by == by for each in words)


def may_hear_truths(connection: Connection, here: Here, case_id: str) -> bool:
    """Say whether somebody may hear what a lesion is: it would help with each examination they still have to judge."""
    return all(
        hidden_from(connection, here.clinic, each, here.by) is None
        or has_spoken(here.by, words_of(connection, here.clinic.vault, each.id))
        for each in examinations_of(connection, case_id)
    )


def last_words(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return what each person said last."""
    return tuple({each.by: each for each in words}.values())


def write_access(here: Here, what: str, *, case_id: str | None = None) -> int:
    """Write down that somebody read of a case, or of many, or took something out; return the number of the entry."""
    entry = Entry(kind=Kind.ACCESS, by=here.by, case_id=case_id, open={"what": what})
    with here.ground.database.writing() as connection:
        return write(connection, here.clinic.vault, entry, now=here.ground.now())


def _may_hear(here: Here, one: Told, revealed: Mapping[str, Answer | None]) -> bool:
    return revealed[one.examination.id] is not None or has_spoken(here.by, one.words)


def _within(answer: Answer | None, words: Words) -> tuple[str, ...]:
    return within(answer, words) if answer is not None else ()


def _is_invented(answer: Answer | None) -> bool:
    return answer is not None and answer.invented


def _revealed(here: Here, examinations: Sequence[Examination]) -> dict[str, Answer | None]:
    """Return each answer that may be shown; that a list shows what somebody saw before is not written down again."""
    with here.ground.database.reading() as connection:
        seen = _seen_before(connection, here, [each.id for each in examinations])
        known = {
            each.id: None
            if hidden_from(connection, here.clinic, each, here.by)
            else answer_of(connection, here.clinic.vault, each)
            for each in examinations
            if each.id in seen
        }
    shown = Shown(parts=("list",))
    new = {
        each.id: reveal(here.clinic, here.ground, each, here.by, shown=shown).answer
        for each in examinations
        if each.id not in seen
    }
    return {name: answer.as_shown() if answer else None for name, answer in (known | new).items()}


def _seen_before(connection: Connection, here: Here, ids: Sequence[str]) -> set[str]:
    """Return which answers were shown to this person before."""
    shown = entries(connection, JOURNAL.c.examination_id.in_(ids), JOURNAL.c.by == here.by, kinds=[Kind.SHOWN])
    return {each.examination_id for each in shown if each.examination_id is not None}
