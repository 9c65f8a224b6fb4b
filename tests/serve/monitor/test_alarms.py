"""An alarm is told where nobody looks at the page, once in the journal, and as long as it stands elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

from clinic_pasts import DAY, fill
from cutis.serve.api.meters import Meters
from cutis.serve.journal import Kind, entries
from cutis.serve.monitor.alarms import alarms_of, look_for_alarms
from cutis.web.logs import open_log


def _written(past):
    with past.knocked.ground.database.reading() as connection:
        return [each.content["alarms"] for each in entries(connection, kinds=[Kind.MONITOR])]


def _figures(past):
    """Return what Prometheus reads of alarms."""
    page = Meters(since=past.now).page(past.clinic, past.knocked.ground.database).decode()
    return [line for line in page.splitlines() if line.startswith("cutis_monitor")]


def _look(past):
    """Look, and return what stands in the log afterwards."""
    ground, log = past.knocked.ground, io.StringIO()
    look_for_alarms(past.clinic, replace(ground, log=open_log(log)))
    return log.getvalue()


def test_an_alarm_begins_stands_and_ends(past):
    """Written down when it begins and ends; in the log and the figures for as long as it stands."""
    fill(past, darker=0.12)

    logged = [_look(past), _look(past)]
    while_it_stands = _figures(past)
    past.knocked.site.time.now += 90 * DAY
    logged.append(_look(past))

    began, ended = _written(past)
    assert "brightness" in began
    assert ended == []
    assert ["monitor alarm" in each and "brightness" in each for each in logged] == [True, True, False]
    assert 'cutis_monitor_alarm{of="brightness"} 1.0' in while_it_stands
    assert [line.split()[0] for line in _figures(past)] == ["cutis_monitor_looked_timestamp_seconds"]


def test_where_nothing_is_wrong_nothing_is_written(past):
    """The look itself is known by its time."""
    fill(past)
    before = _figures(past)

    logged = _look(past)

    with past.knocked.ground.database.reading() as connection:
        found = alarms_of(connection)
    assert (found.at, found.of) == (past.now, [])
    assert (_written(past), logged) == ([], "")
    assert before == ["cutis_monitor_looked_timestamp_seconds 0.0"]
    assert float(_figures(past)[0].split()[1]) == past.now
