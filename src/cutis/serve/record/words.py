"""What people say of an examination, and the truth that comes back; both stand in the journal and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select, update

from cutis.serve.journal.entry import Entry, Kind
from cutis.serve.journal.reading import entries, opened
from cutis.serve.journal.writing import take_the_pen, write
from cutis.serve.record.cases import case_of, key_of
from cutis.serve.record.examinations import Examination, examinations_of
from cutis.serve.record.gist import open_gist, seal_gist
from cutis.serve.tables import EXAMINATIONS, JOURNAL
from cutis.serve.vault import Vault


class Says(StrEnum):
    """What a clinician says."""

    AGREES = "agrees"  # with what was shown
    OTHER = "other"  # names a diagnosis: their own before they saw the answer, or another one after it
    DOUBT = "doubt"


class Source(StrEnum):
    """What a truth rests on."""

    HISTOLOGY = "histology"
    BLIND = "blind"  # a diagnosis by somebody who had not seen any answer of this case


class NotBlindError(ValueError):
    """This person was shown an answer of the case, so that their diagnosis is no truth."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A clinician's word of one examination."""

    says: Says
    diagnosis: str | None = None  # code of the taxonomy
    other: str = ""  # a diagnosis in free words, or the reason of a doubt
    by: str = ""
    aided: bool = False  # an answer had been shown to them; the journal says so
    by_rater: bool = False  # said while labelling, by somebody who knew too much for it to be a label
    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a lesion is."""

    source: Source
    diagnosis: str | None = None  # code of the taxonomy
    other: str = ""  # in free words, where the taxonomy has no code for it
    is_malignant: bool | None = None  # said, where it is in free words
    day: str | None = None  # of the histology, as YYYY-MM-DD
    report: str | None = None  # keyed HMAC of the report's number
    by: str = ""  # who entered it; the rater, where it is one
    at: float = 0.0


def saw_answer(connection: Connection, by: str, *, case_id: str, examination_id: str | None = None) -> bool:
    """Say whether an answer of this case, or examination, was shown to somebody.

    What was shown to a program counts as shown to everybody: nobody knows who looked at its screen.
    """
    conditions = [JOURNAL.c.case_id == case_id]
    if examination_id is not None:
        conditions.append(JOURNAL.c.examination_id == examination_id)
    shown = entries(connection, *conditions, kinds=[Kind.SHOWN])
    return any(each.by == by or each.content.get("to_program") for each in shown)


def note_word(
    connection: Connection, vault: Vault, examination: Examination, word: Word, *, by: str, now: float
) -> Word:
    """Keep a clinician's word; whether it was aided, the journal decides.

    Raises:
        ValueError: a diagnosis is named by nothing, or somebody agrees with what they were not shown.
        Erased: the case is no more.
    """
    _be_alone(connection, examination.case_id)
    aided = saw_answer(connection, by, case_id=examination.case_id, examination_id=examination.id)
    if word.says is Says.OTHER and not (word.diagnosis or word.other.strip()):
        raise ValueError("a diagnosis has a code or a text")
    if word.says is Says.AGREES and not aided:
        raise ValueError("nobody agrees with what they were not shown")
    entry = Entry(
        kind=Kind.WORD,
        by=by,
        case_id=examination.case_id,
        examination_id=examination.id,
        open={"says": word.says.value, "aided": aided} | ({"by_rater": True} if word.by_rater else {}),
        sealed={"says": word.says.value, "diagnosis": word.diagnosis, "other": word.other, "aided": aided},
    )
    _add_words(connection, vault, examination, word.other)
    write(connection, vault, entry, now=now)
    return replace(word, by=by, aided=aided, at=now)


def words_of(connection: Connection, vault: Vault, examination_id: str) -> tuple[Word, ...]:
    """Return what was said of an examination, the oldest first; none where the case was erased."""
    return tuple(word for _, word in words_among(connection, vault, [examination_id]))


def words_among(connection: Connection, vault: Vault, examination_ids: list[str]) -> Iterator[tuple[str, Word]]:
    """Return what was said of some examinations, each with its id, the oldest first."""
    found = opened(connection, vault, JOURNAL.c.examination_id.in_(examination_ids), kinds=[Kind.WORD])
    for kept, sealed in found:
        if sealed is not None and kept.examination_id is not None:
            yield kept.examination_id, word_from(kept.content | sealed, by=kept.by, at=kept.at)


def note_truth(
    connection: Connection,
    vault: Vault,
    truth: Truth,
    *,
    case_id: str,
    by: str,
    now: float,
    examination_id: str | None = None,
) -> Truth:
    """Keep what a lesion is.

    Raises:
        NotBlindError: a rater was shown an answer of this case.
        ValueError: it is named by nothing.
        Erased: the case is no more.
    """
    if not (truth.diagnosis or truth.other.strip()):
        raise ValueError("a truth has a code or a text")
    _be_alone(connection, case_id)
    if truth.source is Source.BLIND and saw_answer(connection, by, case_id=case_id):
        raise NotBlindError("an answer of this case was shown to this rater")
    said = {name: value for name, value in asdict(truth).items() if name not in {"by", "at"}}
    entry = Entry(
        kind=Kind.TRUTH,
        by=by,
        case_id=case_id,
        examination_id=examination_id,
        open={"source": truth.source.value},
        sealed=said,
    )
    for examination in examinations_of(connection, case_id):
        _add_words(connection, vault, examination, truth.other)
    write(connection, vault, entry, now=now)
    return replace(truth, by=by, at=now)


def truths_of(connection: Connection, vault: Vault, case_id: str) -> tuple[Truth, ...]:
    """Return what came back of a case, the oldest first; none where it was erased."""
    return tuple(truth for _, truth in truths_among(connection, vault, [case_id]))


def truths_among(connection: Connection, vault: Vault, case_ids: list[str]) -> Iterator[tuple[str, Truth]]:
    """Return what came back of some cases, each with its id, the oldest first."""
    for kept, sealed in opened(connection, vault, JOURNAL.c.case_id.in_(case_ids), kinds=[Kind.TRUTH]):
        if sealed is not None and kept.case_id is not None:
            yield kept.case_id, truth_from(kept.content | sealed, by=kept.by, at=kept.at)


def word_from(content: Mapping[str, Any], *, by: str, at: float) -> Word:
    """Read the two parts of a ``word`` entry."""
    return Word(**dict(content) | {"says": Says(content["says"]), "by": by, "at": at})


def truth_from(content: Mapping[str, Any], *, by: str, at: float) -> Truth:
    """Read the two parts of a ``truth`` entry."""
    return Truth(**dict(content) | {"source": Source(content["source"]), "by": by, "at": at})


def _be_alone(connection: Connection, case_id: str) -> None:
    """Let nobody be shown an answer, or add words, between the look and the end of the block.

    The case comes before the pen, as where it is erased: who held the pen would wait for who waits for it.
    """
    case_of(connection, case_id, alone=True)
    take_the_pen(connection)


def _add_words(connection: Connection, vault: Vault, examination: Examination, text: str) -> None:
    """Let the history find an examination by these words too."""
    if not text.strip():
        return
    this, wrapped = EXAMINATIONS.c.id == examination.id, key_of(connection, examination.case_id)
    sealed = connection.execute(select(EXAMINATIONS.c.gist).where(this)).scalar_one()
    gist = open_gist(vault, wrapped, sealed, examination_id=examination.id)
    longer = seal_gist(vault, wrapped, gist._replace(said=f"{gist.said}\n{text}"), examination_id=examination.id)
    connection.execute(update(EXAMINATIONS).where(this).values(gist=longer))
