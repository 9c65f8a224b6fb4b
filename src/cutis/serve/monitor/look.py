"""Alarms where nobody looks at the page: in the log, in the journal, and among the figures of operation."""

from __future__ import annotations

from collections.abc import Sequence

from cutis.serve.alarms import Alarms, keep_alarms, last_alarms
from cutis.serve.answering.opened import OpenRelease
from cutis.serve.clinic import Clinic
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.journal.entry import SERVER
from cutis.serve.journal.writing import take_the_pen
from cutis.serve.monitor.drifting import DAY, Watched, watched
from cutis.serve.monitor.past import Glimpse, glimpses_between
from cutis.serve.monitor.rules import Rules, rules_of
from cutis.web.ground import Ground


def drifts_of_release(
    release: OpenRelease, seen: Sequence[Glimpse], *, rules: Rules, now: float
) -> tuple[Watched, ...]:
    """Hold what a release answered against its own reference; nothing where it carries none."""
    if release.reference is None:
        return ()
    return watched(release.reference, seen, rules=rules, release_sha256=release.sha256, now=now)


def look_for_alarms(clinic: Clinic, ground: Ground) -> None:
    """Look, keep what was found, and write it into the journal where it is not what the look before found.

    An alarm that stands is in the log after every look. What was found of a release or by rules that have changed
    meanwhile is dropped: a new release begins without any, and whoever sets rules looks again.
    """
    release, now = clinic.answerer.release, ground.now()
    with ground.database.reading() as connection:
        rules, _ = rules_of(connection)
    since = now - rules.days * rules.windows * DAY
    seen = glimpses_between(ground.database, clinic.vault, release_sha256=release.sha256, since=since, until=now)
    drifts = drifts_of_release(release, seen, rules=rules, now=now)
    beyond = list(dict.fromkeys(each.what for each in drifts if each.state == "alarm"))  # by one figure or more
    found = Alarms(now, release.sha256, beyond)
    with ground.database.writing() as connection:
        take_the_pen(connection)
        if (clinic.answerer.release.sha256, rules_of(connection)[0]) != (release.sha256, rules):
            return
        before = last_alarms(connection) or Alarms(now, release.sha256, [])
        if (before.of or found.of) and before[1:] != found[1:]:
            told = {"alarms": found.of, "release_sha256": release.sha256}
            write(connection, clinic.vault, Entry(kind=Kind.MONITOR, by=SERVER, open=told), now=now)
        keep_alarms(connection, found)
    if found.of:
        ground.log.warning("monitor alarm", of=found.of, release=release.name)


def look_again(clinic: Clinic, ground: Ground) -> None:
    """Look after a change; what goes wrong is written down, and undoes nothing of the change."""
    try:
        look_for_alarms(clinic, ground)
    except Exception:
        ground.log.exception("monitor look failed")  # the next one is tomorrow's
