"""Examinations: one question each, with its pictures and the whole answer, sealed by the key of their case."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select

from cutis.serve.answer import Answer, State, answer_from
from cutis.serve.record.cases import key_of
from cutis.serve.record.gist import Gist, seal_gist
from cutis.serve.tables import CONTENTS, EXAMINATIONS
from cutis.serve.vault import Erased, Vault

COLUMNS = [column for column in EXAMINATIONS.c if column.name not in {"asked_as", "accession", "gist"}]
LAST_PLACE = 2**31 - 1  # that a column holds; a path may name any number


class Part(StrEnum):
    """What is kept of an examination."""

    ANSWER = "answer"  # JSON of `Answer.to_dict`
    PICTURE = "picture"  # JPEG without metadata
    THUMBNAIL = "thumbnail"
    MAPS = "maps"  # as the answerer packs them
    NOTE = "note"  # text


@dataclass(frozen=True)
class Examination:
    """One question, without what is sealed of it; fields in the order of the table's columns."""

    id: str
    case_id: str
    made_at: float
    made_by: str  # account or token
    state: State
    release_sha256: str
    silent: bool  # the answer was kept and not shown
    device: str | None
    seconds: float  # that the answer took


def keep_examination(  # noqa: PLR0913  everything that comes with one
    connection: Connection,
    vault: Vault,
    answer: Answer,
    *,
    case_id: str,
    by: str,
    silent: bool,
    parts: Mapping[Part, Sequence[bytes]],
    now: float,
    asked_as: str | None = None,
    accession: str | None = None,
    device: str | None = None,
    note: str | None = None,
) -> Examination:
    """Keep an examination with everything that was seen and answered.

    Args:
        connection: that writes.
        vault: seals it.
        answer: of the release.
        case_id: whose lesion it is; the case is there.
        by: account or token that asked.
        silent: the answer is kept and not shown.
        parts: pictures, thumbnails and maps, in their order.
        now: the time.
        asked_as: what who asked drew for this question; it is kept once.
        accession: number under which the clinic keeps this visit.
        device: the dermatoscope.
        note: of the clinician.

    Raises:
        Erased: the case is no more.
        IntegrityError: this question was kept before.
    """
    made = Examination(
        secrets.token_hex(16),
        case_id,
        now,
        by,
        answer.state,
        answer.release_sha256,
        silent,
        device.strip()[:80] or None if device else None,
        answer.seconds,
    )
    wrapped = key_of(connection, case_id)
    is_ranked = answer.state is State.ANSWERED and answer.findings  # what was abstained from is not searched by either
    gist = Gist(first=answer.findings[0].code if is_ranked else None, note=note or "")
    row = dict(zip((column.name for column in COLUMNS), vars(made).values(), strict=True))
    row |= {"gist": seal_gist(vault, wrapped, gist, examination_id=made.id)}
    row |= {"asked_as": asked_as, "accession": vault.accession(accession) if accession and accession.strip() else None}
    connection.execute(insert(EXAMINATIONS).values(row))
    whole = {Part.ANSWER: [json.dumps(answer.to_dict(), allow_nan=False).encode()], **parts}
    if note:
        whole[Part.NOTE] = [note.encode()]
    for part, contents in whole.items():
        for place, content in enumerate(contents):
            keep_part(connection, vault, made, part, content, place=place, wrapped=wrapped)
    return made


def keep_part(
    connection: Connection,
    vault: Vault,
    examination: Examination,
    part: Part,
    content: bytes,
    *,
    place: int,
    wrapped: bytes | None,
) -> None:
    """Seal one content and keep it."""
    about = _name_of(examination.id, part, place)
    row = {
        "id": secrets.token_hex(16),
        "case_id": examination.case_id,
        "examination_id": examination.id,
        "kind": part.value,
        "place": place,
        "sealed": vault.seal(wrapped, content, about=about),
    }
    connection.execute(insert(CONTENTS).values(row))


def examination_of(connection: Connection, examination_id: str) -> Examination | None:
    """Return an examination by its id."""
    row = connection.execute(select(*COLUMNS).where(EXAMINATIONS.c.id == examination_id)).one_or_none()
    return examination_from(row) if row else None


def examination_asked_as(connection: Connection, asked_as: str) -> Examination | None:
    """Return what was kept of a question."""
    row = connection.execute(select(*COLUMNS).where(EXAMINATIONS.c.asked_as == asked_as)).one_or_none()
    return examination_from(row) if row else None


def examinations_of(connection: Connection, case_id: str) -> tuple[Examination, ...]:
    """Return the examinations of a case, the oldest first."""
    query = select(*COLUMNS).where(EXAMINATIONS.c.case_id == case_id)
    rows = connection.execute(query.order_by(EXAMINATIONS.c.made_at, EXAMINATIONS.c.id))
    return tuple(map(examination_from, rows))


def contents_of(
    connection: Connection, vault: Vault, examination: Examination, part: Part, *, place: int | None = None
) -> tuple[bytes, ...]:
    """Return what was kept of an examination, opened, in its order; where a place is named the one there, or none.

    Raises:
        Erased: the case is no more.
    """
    query = select(CONTENTS.c.place, CONTENTS.c.sealed)
    where = [CONTENTS.c.examination_id == examination.id, CONTENTS.c.kind == part.value]
    wrapped = key_of(connection, examination.case_id)
    if wrapped is None:
        raise Erased(examination.case_id)
    if place is not None:
        if not 0 <= place <= LAST_PLACE:
            return ()
        where.append(CONTENTS.c.place == place)
    rows = connection.execute(query.where(*where).order_by(CONTENTS.c.place)).all()
    return tuple(vault.open(wrapped, sealed, about=_name_of(examination.id, part, place)) for place, sealed in rows)


def count_of(connection: Connection, examination: Examination, part: Part) -> int:
    """Return how many contents of a part are kept; none is opened, and of an erased case there are none."""
    where = (CONTENTS.c.examination_id == examination.id, CONTENTS.c.kind == part.value)
    return int(connection.execute(select(func.count()).select_from(CONTENTS).where(*where)).scalar_one())


def answer_of(connection: Connection, vault: Vault, examination: Examination) -> Answer:
    """Return the whole answer as it was given; whether it may be shown is for `reveal` to say.

    Raises:
        Erased: the case is no more.
    """
    wrapped = key_of(connection, examination.case_id)
    where = (CONTENTS.c.examination_id == examination.id, CONTENTS.c.kind == Part.ANSWER.value)
    sealed = connection.execute(select(CONTENTS.c.sealed).where(*where)).scalar_one_or_none()
    return answer_from(json.loads(vault.open(wrapped, sealed or b"", about=_name_of(examination.id, Part.ANSWER, 0))))


def examination_from(row: Sequence[object]) -> Examination:
    """Read a row of `COLUMNS`."""
    made = Examination(*row)  # type: ignore[arg-type]
    return Examination(**vars(made) | {"state": State(made.state)})


def _name_of(examination_id: str, part: Part, place: int) -> str:
    return f"{part.value} {place} of {examination_id}"
