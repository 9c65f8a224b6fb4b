"""What is known of the truth of each examination: histology, and who said what without having seen an answer.

A clinician's first word counts as a rater's vote where it names a diagnosis. Whether somebody was blind, the journal
alone decides: no answer of the same lesion had been shown to them, nor to a program, whose screen anybody may have
seen. What was said afterwards is aided; it is only counted here, so that it can be told how much of it there is.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from cutis.serve.journal import Kept, Kind, entries, opened
from cutis.serve.record.words import Source
from cutis.serve.tables import EXAMINATIONS, JOURNAL
from cutis.serve.vault import Vault

HISTOLOGY, BLIND = Source.HISTOLOGY.value, Source.BLIND.value
MAJORITY, SINGLE = "majority", "single"
HOLDS_DAYS = 180  # histology of a lesion tells what it was so many days before, and no earlier
DAY = 86_400.0


@dataclass(frozen=True)
class Said:
    """One diagnosis: of the release's taxonomy, or another one in words."""

    code: str | None
    other: str = ""  # in words, where the taxonomy does not know it
    is_malignant: bool | None = None  # by the taxonomy that it was said in, or by the rater; None in a clinician's word

    @property
    def word(self) -> str:
        """What stands in a table."""
        return self.code or self.other

    @property
    def meaning(self) -> str:
        """By which two of them are the same."""
        return self.word.strip().casefold()


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one examination."""

    examination_id: str
    case_id: str
    histology: Said | None = None
    votes: Mapping[str, Said] = field(default_factory=dict)  # of blind raters, by account
    aided: int = 0  # words that were said after the answer was seen

    @property
    def is_told(self) -> bool:
        """Whether anything of it may become a label."""
        return self.histology is not None or bool(self.votes)


class Told(NamedTuple):
    """An entry of the journal, and everything that it says."""

    kept: Kept
    content: dict[str, Any]


class Settled(NamedTuple):
    """One diagnosis that counts as the truth, and what settled it."""

    said: Said
    by: str


def settled(known: Known, *, histology_only: bool = False, raters: int = 2) -> Settled | None:
    """Return the truth of an examination; None where it is not known.

    Args:
        known: of it.
        histology_only: nothing else counts.
        raters: how many blind raters must have spoken; more than half of them must agree.
    """
    if known.histology is not None:
        return Settled(known.histology, HISTOLOGY)
    if histology_only or len(known.votes) < raters or not known.votes:
        return None
    meaning, agreeing = Counter(said.meaning for said in known.votes.values()).most_common(1)[0]
    if 2 * agreeing <= len(known.votes):
        return None
    said = next(said for said in known.votes.values() if said.meaning == meaning)
    return Settled(said, MAJORITY if len(known.votes) > 1 else SINGLE)


def known_truths(connection: Connection, vault: Vault, *, case_id: str | None = None) -> dict[str, Known]:
    """Return what is known of every examination of which anything is, or of those of one case, by its id."""
    of_case = [] if case_id is None else [JOURNAL.c.case_id == case_id]
    told = [
        Told(each.kept, each.kept.content | each.sealed)
        for each in opened(connection, vault, *of_case, kinds=(Kind.TRUTH, Kind.WORD))
        if each.sealed is not None and each.kept.examination_id is not None
    ]
    seen = _first_shown(connection, *of_case)
    reports = _spread(connection, [each for each in told if each.content.get("source") == HISTOLOGY])
    votes: defaultdict[str, dict[str, Said]] = defaultdict(dict)
    spoken: set[tuple[str, str]] = set()  # by whom a clinician's word was said of which examination
    aided: Counter[str] = Counter()
    cases: dict[str, str] = {name: str(report.kept.case_id) for name, report in reports.items()}
    for each in told:
        name = str(each.kept.examination_id)
        cases[name] = str(each.kept.case_id)
        if not _names_a_diagnosis(each):
            continue
        if _is_blind(each.kept, seen):
            # A rater may correct a slip; a clinician may have heard others after the first word, which so stays.
            if each.kept.by not in votes[name] or (name, each.kept.by) not in spoken:
                votes[name][each.kept.by] = _said(each.content)
            if each.kept.kind == Kind.WORD:
                spoken.add((name, each.kept.by))
        else:
            aided[name] += 1
    return {
        name: Known(
            examination_id=name,
            case_id=case,
            histology=_said(reports[name].content) if name in reports else None,
            votes=votes.get(name, {}),
            aided=aided[name],
        )
        for name, case in cases.items()
    }


def _first_shown(connection: Connection, *conditions: ColumnElement[bool]) -> dict[tuple[str, str], int]:
    """Return which entry first showed an answer of a case to somebody; a program counts as everybody, under ""."""
    first: dict[tuple[str, str], int] = {}
    for each in entries(connection, *conditions, kinds=(Kind.SHOWN,)):
        whom = "" if each.content.get("to_program") else each.by
        first.setdefault((str(each.case_id), whom), each.number)
    return first


def _is_blind(kept: Kept, seen: Mapping[tuple[str, str], int]) -> bool:
    shown = [seen.get((str(kept.case_id), whom)) for whom in ("", kept.by)]
    return all(number is None or number > kept.number for number in shown)


def _names_a_diagnosis(each: Told) -> bool:
    if each.content.get("source") == HISTOLOGY:
        return False
    return bool(each.content.get("source") == BLIND or each.content.get("diagnosis"))


def _said(content: Mapping[str, Any]) -> Said:
    return Said(content.get("diagnosis"), str(content.get("other") or ""), content.get("is_malignant"))


def _spread(connection: Connection, reports: Iterable[Told]) -> dict[str, Told]:
    """Let a report speak for its examination, and for those of its lesion that were made not long before its day."""
    newest = {str(each.kept.examination_id): each for each in reports}
    cases = {each.kept.case_id for each in newest.values()}
    made: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    query = select(EXAMINATIONS.c.id, EXAMINATIONS.c.case_id, EXAMINATIONS.c.made_at)
    for row in connection.execute(query) if newest else ():
        if row.case_id in cases:
            made[row.case_id].append((row.id, row.made_at))
    spoken_for = {}
    for report in newest.values():
        ends = _end_of(report.content.get("day"))
        for name, at in made[str(report.kept.case_id)]:
            if ends is not None and ends - HOLDS_DAYS * DAY <= at <= ends:
                spoken_for[name] = report
    return spoken_for | newest


def _end_of(day: object) -> float | None:
    """Return when a day is over, wherever on earth."""
    if not day:
        return None
    start = dt.datetime.combine(dt.date.fromisoformat(str(day)), dt.time(), dt.UTC)
    return start.timestamp() + 1.5 * DAY
