"""An alarm is told where nobody looks at the page, once in the journal, and as long as it stands elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

from clinic_pasts import DAY, fill
from cutis.serve.alarms import last_alarms
from cutis.serve.api.meters import Meters
from cutis.serve.journal import Kind, entries
from cutis.serve.monitor import look
from cutis.serve.monitor import past as past_of_the_monitor
from cutis.serve.monitor.look import look_for_alarms
from cutis.serve.monitor.past import glimpses_between, glimpses_of, seen_between
from cutis.serve.monitor.rules import Rules, rules_of, set_rules
from cutis.serve.record.erasure import erase_case
from cutis.web.accounts import Role
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


def test_who_sets_the_rules_ends_or_begins_an_alarm(small_past):
    """At once, and the journal says in which order."""
    fill(small_past, darker=0.12)
    boss, before = small_past.browser(Role.ADMINISTRATOR), _look(small_past)
    wide = {"days": "28", "windows": "2", "lesions": "50", "index": "9", "distance": "0.9", "share": "0.9"}

    boss.post("/monitor/rules", data=wide)

    with small_past.knocked.ground.database.reading() as connection:
        written = [sorted(each.content) for each in entries(connection, kinds=[Kind.MONITOR])]
        assert last_alarms(connection).of == []
    assert "brightness" in before
    assert written == [["alarms", "release_sha256"], ["rules"], ["alarms", "release_sha256"]]


def test_the_look_sees_what_the_page_sees(past, monkeypatch):
    """Answers of this release alone, the oldest first, without those of erased cases, also read piece by piece."""
    made = fill(past, 12)
    ground, vault = past.knocked.ground, past.clinic.vault
    folder, case = past.clinic.settings.journal_folder, made[3][0].case_id
    erase_case(ground.database, vault, folder, case, by="boss", reason="asked", now=past.now)
    time = {"since": past.now - 50 * DAY, "until": past.now}
    sha256 = past.clinic.answerer.release.sha256

    monkeypatch.setattr(past_of_the_monitor, "AT_ONCE", 5)
    with ground.database.reading() as connection:
        page = glimpses_of(seen_between(connection, vault, **time), release_sha256=sha256)
    looked = glimpses_between(ground.database, vault, release_sha256=sha256, **time)
    others = glimpses_between(ground.database, vault, release_sha256="another", **time)

    assert 0 < len(looked) < 12
    assert looked == page
    assert others == ()


def test_a_look_that_was_overtaken_is_dropped(past, monkeypatch):
    """Rules that were set while it read are looked at by whoever set them; nothing of the old ones is kept."""
    fill(past, darker=0.12)
    ground, vault = past.knocked.ground, past.clinic.vault

    def set_meanwhile(*arguments, **named):
        with ground.database.writing() as connection:
            set_rules(connection, vault, Rules(index=9, distance=0.9, share=0.9), by="boss", now=past.now)
        return glimpses_between(*arguments, **named)

    monkeypatch.setattr(look, "glimpses_between", set_meanwhile)
    logged = _look(past)

    with ground.database.reading() as connection:
        assert last_alarms(connection) is None
        assert len(list(entries(connection, kinds=[Kind.MONITOR]))) == 1
    assert "monitor alarm" not in logged


def test_a_look_that_fails_undoes_no_change(small_past, monkeypatch):
    """The rules are in force; what went wrong is in the log."""
    boss = small_past.browser(Role.ADMINISTRATOR)
    monkeypatch.setattr(look, "glimpses_between", lambda *_, **__: 1 / 0)
    wanted = {"days": "7", "windows": "1", "lesions": "50", "index": "1", "distance": "1", "share": "1"}

    answered = boss.post("/monitor/rules", data=wanted)

    with small_past.knocked.ground.database.reading() as connection:
        assert rules_of(connection)[0].days == 7
    assert answered.status_code == 303


def test_an_alarm_leads_from_the_other_pages_to_the_monitor(small_past):
    """For who may look at it; the curator is told nothing of what is answered."""
    fill(small_past, darker=0.12)
    boss, curator = small_past.browser(Role.ADMINISTRATOR), small_past.browser(Role.CURATOR)
    before = boss.get("/staff").text

    _look(small_past)

    told = "The monitor raises an alarm."
    assert [told in each for each in (before, boss.get("/staff").text)] == [False, True]
    assert told not in boss.get("/monitor").text
    assert told not in curator.get("/labels").text


def test_where_nothing_is_wrong_nothing_is_written(past):
    """The look itself is known by its time."""
    fill(past)
    before = _figures(past)

    logged = _look(past)

    with past.knocked.ground.database.reading() as connection:
        found = last_alarms(connection)
    assert (found.at, found.of) == (past.now, [])
    assert (_written(past), logged) == ([], "")
    assert before == ["cutis_monitor_looked_timestamp_seconds 0.0"]
    assert float(_figures(past)[0].split()[1]) == past.now
