"""Where a reader stands: what is answered, what comes next, and what of it the browser may know already."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from cutis.readers.booth.people import Reader
from cutis.readers.booth.study import Study
from cutis.readers.booth.tables import ANSWERS
from cutis.readers.protocol import PRACTICE, Turn
from cutis.vocabulary.reading import AIDED

AHEAD = 2  # turns that a browser holds: the one that is read, and one more for when the line is cut
DAY = 86_400


class Standing(NamedTuple):
    """Where a reader stands."""

    session: int | None  # None when all is read
    position: int  # the next one, from 1
    opens_at: float | None  # when a session opens that must wait; None where none does


def standing_of(connection: Connection, study: Study, reader: Reader, *, now: float) -> Standing:
    """Return the first turn that has no answer."""
    columns = (ANSWERS.c.session, func.count().label("answered"), func.max(ANSWERS.c.received_at).label("last"))
    query = select(*columns).where(ANSWERS.c.account_id == reader.account_id).group_by(ANSWERS.c.session)
    return standing_from(
        study, reader.place, {row.session: (row.answered, row.last) for row in connection.execute(query)}, now=now
    )


def standing_from(study: Study, place: str, answered: Mapping[int, tuple[int, float]], *, now: float) -> Standing:
    """Return the same from how many answers each session has, and when the last of them was given."""
    before: float | None = None
    for session in study.sessions:
        count, last = answered.get(session, (0, None))
        if count < len(study.orders[place, session]):
            opens = before + study.protocol.washout_days * DAY if before is not None and not count else None
            return Standing(session, count + 1, opens if opens is not None and opens > now else None)
        if session != PRACTICE:
            before = last
    return Standing(None, 1, None)


def picture_name(reader: Reader, session: int, position: int) -> str:
    """Return the name by which one reader's browser gets one picture; it says nothing about the case."""
    about = f"{session}:{position}".encode()
    return hmac.new(bytes.fromhex(reader.picture_key), about, hashlib.sha256).hexdigest()[:32]


def turns_ahead(study: Study, reader: Reader, standing: Standing) -> tuple[tuple[int, Turn], ...]:
    """Return the turns that a browser may know of, each with its position."""
    if standing.session is None or standing.opens_at is not None:
        return ()
    order = study.orders[reader.place, standing.session]
    first = standing.position - 1
    return tuple(enumerate(order[first : first + AHEAD], start=standing.position))


def told(study: Study, reader: Reader, standing: Standing, *, said: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return all that a browser is told of where its reader stands.

    The network's answer comes with the turn that is next, never with the one after it.

    Args:
        study: that is read.
        reader: who reads.
        standing: where they stand.
        said: what they said of the same case just before, where a turn follows on it.
    """
    if standing.session is None:
        return {"state": "done"}
    order = study.orders[reader.place, standing.session]
    where = {
        "session": standing.session,
        "practice": standing.session == PRACTICE,
        "total": len(order),
        "aided": any(turn.arm == AIDED for turn in order),
    }
    if standing.opens_at is not None:
        return {"state": "pause", "opens_at": standing.opens_at, **where}
    turns = [
        _turn(study, reader, standing, position, turn, said=said if position == standing.position else None)
        for position, turn in turns_ahead(study, reader, standing)
    ]
    return {"state": "reading", "answered": standing.position - 1, "turns": turns, **where}


def _turn(
    study: Study, reader: Reader, standing: Standing, position: int, turn: Turn, *, said: Mapping[str, Any] | None
) -> dict[str, Any]:
    assert standing.session is not None
    name = picture_name(reader, standing.session, position)
    plain: dict[str, Any] = {
        "session": standing.session,
        "position": position,
        "picture": f"/booth/pictures/{name}",
        "beside": {each: study.cases[turn.case_id].beside.get(each) for each in study.protocol.shown},
        "aided": turn.arm == AIDED,
        "aid": None,
        "said": said,
    }
    if turn.arm == AIDED and position == standing.position:
        aid = study.aid[turn.case_id]
        plain["aid"] = {
            "top": [[code, share] for code, share in aid.top] if "top3" in study.protocol.aid else [],
            "map": f"/booth/maps/{name}" if aid.map and "map" in study.protocol.aid else None,
        }
    return plain
