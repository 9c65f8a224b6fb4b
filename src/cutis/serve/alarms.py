"""What the monitor's last look found to be an alarm: for pages and programs that do not look themselves."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from cutis.serve.facts import fact, state_fact

KEPT = "monitor alarms"


class Alarms(NamedTuple):
    """What a look found."""

    at: float  # seconds since 1970
    release_sha256: str  # of the release whose reference was looked at
    of: list[str]  # what was beyond its limit for long enough, such as brightness

    def standing(self, release_sha256: str) -> list[str]:
        """Return what is an alarm while this release answers: those of another one are over."""
        return self.of if release_sha256 == self.release_sha256 else []


def last_alarms(connection: Connection) -> Alarms | None:
    """Return what the last look found; None before the first one."""
    kept = fact(connection, KEPT)
    return None if kept is None else Alarms(*kept)


def keep_alarms(connection: Connection, found: Alarms) -> None:
    """Keep what a look found, over what the one before found."""
    state_fact(connection, KEPT, found)
