"""An answer is checked, kept once, and acknowledged when it is on the disk."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, insert, select

from cutis.readers.booth.course import Standing, standing_of
from cutis.readers.booth.people import Reader
from cutis.readers.booth.study import Study
from cutis.readers.booth.tables import ANSWERS
from cutis.readers.protocol import PRACTICE, begin
from cutis.vocabulary.reading import AIDED, NONE_OF_THESE

MANAGEMENT = ("none", "follow_up", "biopsy", "treat", "refer")
LONGEST_AGO = 30 * 86_400.0  # seconds that an answer may have waited in a browser
Code = Annotated[str, Field(max_length=80)]
Share = Annotated[float, Field(ge=0, le=1)]


class Given(BaseModel):
    """What a browser sends. `ago` is how long it waited there for the line: nobody's clock but ours dates an answer."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    answer_id: str = Field(pattern=r"^[A-Za-z0-9_-]{16,40}$")
    session: int = Field(ge=0)
    position: int = Field(ge=1)
    diagnosis: Code
    further: tuple[Code, ...] = Field(default=(), max_length=2)
    management: str | None = Field(default=None, max_length=20)
    confidence: Share | None = None
    ratings: dict[Code, Share] | None = None
    seconds: float = Field(ge=0, lt=7 * 86_400)
    ago: float = Field(default=0, ge=0, le=LONGEST_AGO)


class Kept(NamedTuple):
    """What became of an answer."""

    is_kept: bool  # this answer is in the database, now or since it was sent before
    standing: Standing
    feedback: str | None  # the diagnosis of a practice case


def wrong_in(given: Given, study: Study) -> list[str]:
    """Return the fields that do not fit what the protocol asks."""
    protocol, choices = study.protocol, (given.diagnosis, *given.further)
    asked = {name: name in protocol.asks for name in ("confidence", "further", "management", "ratings")}
    ratings = given.ratings or {}
    fits = {
        "diagnosis": given.diagnosis in study.answers,
        "further": (not given.further or asked["further"])
        and len(set(choices)) == len(choices)
        and set(given.further) <= set(protocol.diagnoses),
        "management": (given.management in MANAGEMENT) if given.management is not None else True,
        "confidence": (given.confidence is not None) == asked["confidence"],
        "ratings": ratings.keys() == (set(protocol.diagnoses) if asked["ratings"] else set())
        and (not asked["ratings"] or any(ratings.values()) or given.diagnosis == NONE_OF_THESE),
        "seconds": math.isfinite(given.seconds),
    }
    fits["management"] = fits["management"] and (asked["management"] or given.management is None)
    return [name for name, is_right in fits.items() if not is_right]


def keep(connection: Connection, study: Study, reader: Reader, given: Given, *, now: float) -> Kept:
    """Keep an answer, unless it is there already or it is not this turn's time; what is kept is never changed.

    The caller holds this reader alone (`reader_of`), so that two browsers of one reader come one after the other.
    """
    place = (ANSWERS.c.account_id == reader.account_id, ANSWERS.c.session == given.session)
    query = select(ANSWERS.c.answer_id).where(*place, ANSWERS.c.position == given.position)
    there = connection.execute(query).scalar_one_or_none()
    standing = standing_of(connection, study, reader, now=now)
    if there is not None:
        return Kept(there == given.answer_id, standing, _feedback(study, reader, given))
    is_next = (given.session, given.position) == (standing.session, standing.position)
    if not is_next or standing.opens_at is not None or _is_known(connection, reader, given):
        return Kept(is_kept=False, standing=standing, feedback=None)
    if given.session != PRACTICE and not _any_counted(connection):
        begin(study.folder, study.protocol)
    connection.execute(insert(ANSWERS).values(_row(study, reader, given, now=now)))
    standing = standing_of(connection, study, reader, now=now)
    return Kept(is_kept=True, standing=standing, feedback=_feedback(study, reader, given))


def said_before(connection: Connection, study: Study, reader: Reader, standing: Standing) -> dict[str, Any] | None:
    """Return what a reader said of the same case just before, without the network's answer."""
    if standing.session is None or standing.position == 1:
        return None
    order = study.orders[reader.place, standing.session]
    now, before = order[standing.position - 1], order[standing.position - 2]
    if now.arm != AIDED or before.arm == AIDED or now.case_id != before.case_id:
        return None
    columns = (ANSWERS.c.diagnosis, ANSWERS.c.further, ANSWERS.c.management, ANSWERS.c.confidence, ANSWERS.c.ratings)
    where = (ANSWERS.c.account_id == reader.account_id, ANSWERS.c.session == standing.session)
    row = connection.execute(select(*columns).where(*where, ANSWERS.c.position == standing.position - 1)).one()
    return dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for it


def _row(study: Study, reader: Reader, given: Given, *, now: float) -> dict[str, Any]:
    turn = study.orders[reader.place, given.session][given.position - 1]
    said = given.model_dump(exclude={"ago", "further"})
    return said | {
        "account_id": reader.account_id,
        "case_id": turn.case_id,
        "occasion": turn.occasion,
        "arm": turn.arm,
        "further": list(given.further),
        "answered_at": now - given.ago,
        "received_at": now,
        "protocol_sha256": study.protocol.sha256,
    }


def _feedback(study: Study, reader: Reader, given: Given) -> str | None:
    if given.session != PRACTICE:
        return None
    return study.feedback.get(study.orders[reader.place, PRACTICE][given.position - 1].case_id)


def _is_known(connection: Connection, reader: Reader, given: Given) -> bool:
    where = (ANSWERS.c.account_id == reader.account_id, ANSWERS.c.answer_id == given.answer_id)
    return connection.execute(select(ANSWERS.c.number).where(*where)).first() is not None


def _any_counted(connection: Connection) -> bool:
    return connection.execute(select(ANSWERS.c.number).where(ANSWERS.c.session > PRACTICE).limit(1)).first() is not None
