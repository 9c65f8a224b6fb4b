"""After failed sign-ins one has to wait, longer each time; who and from where is kept as a hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from cutis.web.accounts import hash_of
from cutis.web.tables import FAILURES

LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 24 * 3600.0


class Attempt(NamedTuple):
    """One thing by which failures are counted, and how many of them cost nothing yet."""

    of: str
    free: int


def attempts_of(name: str, address: str) -> tuple[Attempt, Attempt]:
    """Count by name and address, and, more patiently, by address: others share it, and none locks another one out."""
    return Attempt(hash_of(f"{name.strip().casefold()}\0{address}"), 3), Attempt(hash_of(f"\0{address}"), 20)


def wait_of(connection: Connection, attempts: Sequence[Attempt], *, now: float) -> float:
    """Return for how many seconds no further attempt is looked at."""
    query = select(FAILURES.c.of, FAILURES.c["count"], FAILURES.c.last_at)
    rows = connection.execute(query.where(FAILURES.c.of.in_([attempt.of for attempt in attempts])))
    found = {of: (count, last_at) for of, count, last_at in rows}
    waits = [0.0]
    for attempt in attempts:
        count, last_at = found.get(attempt.of, (0, 0.0))
        if count >= attempt.free:
            waits.append(last_at + min(LONGEST_WAIT, 2.0 ** (count - attempt.free)) - now)
    return max(waits)


def count_failure(connection: Connection, attempts: Sequence[Attempt], *, now: float) -> None:
    """Write a failure down."""
    connection.execute(delete(FAILURES).where(FAILURES.c.last_at < now - FORGOTTEN_AFTER))
    for attempt in attempts:
        more = {"count": FAILURES.c["count"] + 1, "last_at": now}
        if not connection.execute(update(FAILURES).where(FAILURES.c.of == attempt.of).values(more)).rowcount:
            connection.execute(insert(FAILURES).values(of=attempt.of, count=1, last_at=now))


def forget_failures(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Start from nothing after a success; the address as a whole is not forgiven by it."""
    connection.execute(delete(FAILURES).where(FAILURES.c.of == attempts[0].of))
