"""The visit: pictures come, an answer is kept and written down, and only then may anything of it be shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from cutis.serve.answer import Answer
from cutis.serve.clinic import Clinic
from cutis.serve.journal.entry import Entry, Kind
from cutis.serve.journal.writing import write
from cutis.serve.record.cases import case_of, new_case
from cutis.serve.record.examinations import (
    Examination,
    Part,
    answer_of,
    examination_asked_as,
    keep_examination,
)
from cutis.serve.record.words import words_of
from cutis.serve.vault import Erased, Vault
from cutis.serve.visibility import shows
from cutis.web.ground import Ground

if TYPE_CHECKING:
    from cutis.serve.answering.answerer import Answered


RANKED = frozenset({"answer", "list", "report"})  # parts that tell what comes first


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants to know."""

    pictures: Sequence[bytes]  # files, as they came
    by: str  # account or token
    case_id: str | None = None  # of the lesion, where it was seen before; a new case otherwise
    accession: str | None = None
    device: str | None = None
    note: str | None = None
    key: str | None = None  # drawn for this question by who asks: sent twice, it is one examination


class OtherPictures(Exception):
    """A question of this name came before, with other pictures: the answer to one lesion is none to another."""


class Hidden(StrEnum):
    """Why an answer is not shown."""

    SILENT = "silent"  # the site had not passed its acceptance test when this was answered
    COMMIT_FIRST = "commit_first"  # they have not said yet what they think


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What of an answer goes to somebody."""

    parts: tuple[str, ...] = ("answer",)  # "answer", "map", "similar", "atlas", "list", "report"
    diagnosis: str | None = None  # of the map
    depth: str | None = None  # of the map
    to_program: bool = False  # by a token: who looks at its screen, nobody knows


@dataclass(frozen=True)
class Revealed:
    """An answer, or why it stays hidden."""

    answer: Answer | None
    hidden: Hidden | None = None
    number: int | None = None  # of the journal's entry


async def examine(
    clinic: Clinic,
    ground: Ground,
    asked: Asked,
    *,
    keeping: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Examination:
    """Answer, keep and write down, in this order; what is returned is on the disk, and nothing of it is shown yet.

    Args:
        clinic: whose release answers.
        ground: of the site.
        asked: what somebody wants to know.
        keeping: lasts as long as a new answer is being kept; it never begins where one was kept before.

    Raises:
        TooManyWait, UnreadablePicture: see the answerer.
        LookupError: there is no such case (`Erased` where it was erased).
        OtherPictures: see there.
    """
    if before := await to_thread.run_sync(_known, clinic, ground, asked):
        return before
    answered = await clinic.answerer.answer(asked.pictures)
    try:
        with keeping():
            return await to_thread.run_sync(_keep, clinic, ground, asked, answered)
    except IntegrityError:  # the same question came twice at once
        if before := await to_thread.run_sync(_known, clinic, ground, asked):
            return before
        raise


def reveal(clinic: Clinic, ground: Ground, examination: Examination, by: str, *, shown: Shown) -> Revealed:
    """Write down what somebody is shown, and return what may be shown; nothing of it where the answer is hidden.

    Raises:
        Erased: the case is no more.
    """
    with ground.database.writing() as connection:
        if hidden := hidden_from(connection, clinic, examination, by, to_program=shown.to_program):
            return Revealed(None, hidden)
        answer = answer_of(connection, clinic.vault, examination).as_shown()
        entry = Entry(
            kind=Kind.SHOWN,
            by=by,
            case_id=examination.case_id,
            examination_id=examination.id,
            open={"parts": list(shown.parts), "to_program": shown.to_program},
            sealed=_told(answer, shown),
        )
        number = write(connection, clinic.vault, entry, now=ground.now())
    return Revealed(answer, None, number)


def hidden_from(
    connection: Connection, clinic: Clinic, examination: Examination, by: str, *, to_program: bool = False
) -> Hidden | None:
    """Say why an answer is not shown to somebody; None where it may be. To show it is for `reveal`.

    What the site was when it was answered decides: what was silent then is scored against the truth, and stays hidden.
    """
    if examination.silent:
        return Hidden.SILENT
    if clinic.settings.commit_first and not to_program:
        said = words_of(connection, clinic.vault, examination.id)
        if not any(word.by == by for word in said):
            return Hidden.COMMIT_FIRST
    return None


def _known(clinic: Clinic, ground: Ground, asked: Asked) -> Examination | None:
    """Return what was kept of this question; look, before pictures are read in vain, whether there is its case."""
    with ground.database.reading() as connection:
        if before := examination_asked_as(connection, _asked_as(clinic.vault, asked)) if asked.key else None:
            seen = [picture.sha256 for picture in answer_of(connection, clinic.vault, before).pictures]
            if seen != [hashlib.sha256(picture).hexdigest() for picture in asked.pictures]:
                raise OtherPictures
            return before
        case = case_of(connection, asked.case_id) if asked.case_id else None
    if asked.case_id and case is None:
        raise LookupError(asked.case_id)
    if case is not None and case.erased_at is not None:
        raise Erased(asked.case_id)
    return None


def _asked_as(vault: Vault, asked: Asked) -> str:
    """Return what is kept of a question's name: another one's is never met, and a program may draw it of a number."""
    return vault.question(f"{asked.by}\0{asked.key}")


def _keep(clinic: Clinic, ground: Ground, asked: Asked, answered: Answered) -> Examination:
    now, vault, answer = ground.now(), clinic.vault, answered.answer
    parts = {
        Part.PICTURE: answered.pictures,
        Part.THUMBNAIL: answered.thumbnails,
        Part.MAPS: [answered.maps] if answered.maps else [],
    }
    with ground.database.writing() as connection:
        case = case_of(connection, asked.case_id, alone=True) if asked.case_id else None
        if case is None:
            case = new_case(connection, vault, now=now)
        made = keep_examination(
            connection,
            vault,
            answer,
            case_id=case.id,
            by=asked.by,
            silent=not shows(connection, clinic.settings, answer.release_sha256),
            parts=parts,
            now=now,
            asked_as=_asked_as(vault, asked) if asked.key else None,
            accession=asked.accession,
            device=asked.device,
            note=asked.note,
        )
        write(connection, vault, _entry(made, answer, asked), now=now)
    return made


def _entry(made: Examination, answer: Answer, asked: Asked) -> Entry:
    told: dict[str, Any] = {
        "release": answer.release,
        "release_sha256": answer.release_sha256,
        "weights_sha256": answer.weights_sha256,
        "answers_by": answer.answers_by,
        "state": answer.state.value,
        "seconds": answer.seconds,
        "silent": made.silent,
        "pictures": len(answer.pictures),
    }
    return Entry(
        kind=Kind.ANSWER,
        by=asked.by,
        case_id=made.case_id,
        examination_id=made.id,
        open=told,
        sealed={"answer": answer.to_dict(), "device": made.device, "note": asked.note},
    )


def _told(answer: Answer, shown: Shown) -> dict[str, Any]:
    """Return what was on the screen: the ranking as it was read, where there was one, and of what a map was shown."""
    whole = answer.to_dict()
    told: dict[str, Any] = {"diagnosis": shown.diagnosis, "depth": shown.depth}
    if RANKED.intersection(shown.parts):
        ranking = [[each.code, each.probability] for each in answer.findings]
        told |= {"ranking": ranking, "prediction_set": whole["prediction_set"], "reasons": whole["reasons"]}
    if "similar" in shown.parts:
        told["similar"] = [each.case_id for each in answer.neighbours]
    return told
