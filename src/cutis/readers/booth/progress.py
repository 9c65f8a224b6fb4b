"""How far everybody is, for the administrator: places, counts and times, and nothing of what anybody answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from cutis.readers.booth.course import DAY, standing_from
from cutis.readers.booth.people import Reader, readers_of
from cutis.readers.booth.study import Study
from cutis.readers.booth.tables import ANSWERS, LEAVERS
from cutis.readers.protocol import PRACTICE


class Progress(NamedTuple):
    """One reader's progress."""

    account_id: str
    label: str
    place: str
    state: str  # invited, consented, practice, reading, pause, done
    answered: int  # of the cases that count
    total: int
    last_at: float | None
    seconds: float | None  # median of a case
    is_quiet: bool  # begun or invited, and nothing since many days


class Overview(NamedTuple):
    """All of a study's progress."""

    readers: tuple[Progress, ...]
    free: int  # places that nobody has
    left: int  # who withdrew, with everything erased
    left_begun: int  # of them after their first answer that counted


def overview_of(connection: Connection, study: Study, *, now: float, quiet_days: float) -> Overview:
    """Return how far everybody is."""
    columns = (ANSWERS.c.account_id, ANSWERS.c.session, func.count().label("answered"), func.max(ANSWERS.c.received_at))
    counts: dict[str, dict[int, tuple[int, float]]] = {}
    query = select(*columns).group_by(ANSWERS.c.account_id, ANSWERS.c.session)
    for account_id, session, answered, last in connection.execute(query):
        counts.setdefault(account_id, {})[session] = (answered, last)
    times: dict[str, list[float]] = {}
    counted = select(ANSWERS.c.account_id, ANSWERS.c.seconds).where(ANSWERS.c.session > PRACTICE)
    for account_id, seconds in connection.execute(counted):
        times.setdefault(account_id, []).append(seconds)
    readers = tuple(
        _progress(
            study,
            reader,
            counts=counts.get(reader.account_id, {}),
            times=times.get(reader.account_id, []),
            now=now,
            quiet_after=quiet_days * DAY,
        )
        for reader in readers_of(connection)
    )
    left = connection.execute(select(LEAVERS.c.had_begun)).scalars().all()
    return Overview(readers, len(study.protocol.slots) - len(readers), len(left), sum(map(bool, left)))


def _progress(
    study: Study,
    reader: Reader,
    *,
    counts: Mapping[int, tuple[int, float]],
    times: Sequence[float],
    now: float,
    quiet_after: float,
) -> Progress:
    standing = standing_from(study, reader.place, counts, now=now)
    state = "done" if standing.session is None else "pause" if standing.opens_at else "reading"
    if standing.session == PRACTICE:
        state = "practice" if reader.has_profile else "consented" if reader.has_consented else "invited"
    last = max((last for _, last in counts.values()), default=None)
    return Progress(
        account_id=reader.account_id,
        label=reader.label,
        place=reader.place,
        state=state,
        answered=sum(count for session, (count, _) in counts.items() if session != PRACTICE),
        total=sum(len(study.orders[reader.place, session]) for session in study.protocol.sessions),
        last_at=last,
        seconds=median(times) if times else None,
        is_quiet=state not in {"done", "pause"} and (last or reader.invited_at) < now - quiet_after,
    )
