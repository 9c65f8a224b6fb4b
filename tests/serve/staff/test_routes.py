"""The administrator's page: people, programs, and whether the journal is whole."""

from __future__ import annotations

import re

import pytest

from cutis.serve.journal.anchors import anchor
from cutis.web.accounts import Role
from cutis.web.tables import ACCOUNTS


@pytest.fixture
def boss(past):
    """The administrator's browser, who can sign in."""
    return past.browser(Role.ADMINISTRATOR, account=past.knocked.site.account(Role.ADMINISTRATOR, name="Boss"))


def link_in(page):
    """The link that is shown once."""
    return re.search(r'/join#([\w-]+)"', page.text)[1]


def test_a_new_account_joins_by_its_link_once(past, boss):
    """And is led to where its role belongs."""
    page = boss.post("/staff/invite", data={"role": "auditor"})
    token = link_in(page)
    browser = past.knocked.site.browser()

    assert browser.post("/join", json={"token": token}).status_code == 200
    assert browser.get("/").headers["location"] == "/monitor"
    assert past.knocked.site.browser().post("/join", json={"token": token}).status_code == 401
    assert token not in boss.get("/staff").text
    assert token not in past.knocked.site.log.getvalue()


@pytest.mark.parametrize(
    ("role", "home"), [("curator", "/labels"), ("administrator", "/staff"), ("auditor", "/monitor")]
)
def test_each_role_has_its_home(small_past, role, home):
    """That it may open."""
    browser = small_past.browser(Role(role))

    assert browser.get("/").headers["location"] == home
    assert browser.get(home).status_code == 200


def test_the_last_administrator_is_told_why_they_stay(past, boss):
    """422 with the reason, on the same page."""
    own = past.knocked.ground.database
    with own.reading() as connection:
        account = connection.execute(ACCOUNTS.select()).one().id

    for path, more in (("remove", {}), ("role", {"to": "auditor"})):
        answered = boss.post(f"/staff/{path}", data={"account": account} | more)
        assert answered.status_code == 422
        assert "last administrator" in answered.text


def test_a_reader_of_a_study_is_not_made_here(small_past):
    """Readers are invited by the booth."""
    boss = small_past.browser(Role.ADMINISTRATOR)

    assert boss.post("/staff/invite", data={"role": "reader"}).status_code == 422
    assert boss.post("/staff/invite", data={"role": "emperor"}).status_code == 422


@pytest.mark.parametrize("path", ["link", "role", "sessions", "remove"])
def test_nobody_who_is_not_there_is_changed(small_past, path):
    """404."""
    boss = small_past.browser(Role.ADMINISTRATOR)

    assert boss.post(f"/staff/{path}", data={"account": "0" * 32, "to": "auditor"}).status_code == 404


def test_a_token_is_shown_once_and_withdrawn(past, boss):
    """Its secret stands on one page, and then nowhere."""
    page = boss.post("/staff/token", data={"name": "reporting", "scopes": ["read", "diagnose"], "days": "30"})
    secret = re.search(r'readonly value="(cutis_[\w-]+)"', page.text)[1]
    listed = boss.get("/staff").text
    token = re.search(r'name="token" value="(\w+)"', listed)[1]

    assert "reporting" in listed
    assert secret not in listed
    assert boss.post("/staff/token", data={"name": "reporting", "scopes": ["read"]}).status_code == 422
    assert boss.post("/staff/withdraw", data={"token": token}).status_code == 303
    assert 'name="token"' not in boss.get("/staff").text
    assert boss.post("/staff/withdraw", data={"token": token}).status_code == 404


def test_the_journal_is_verified_and_a_changed_entry_is_named(past, boss):
    """With how far its anchors vouch for it."""
    for _ in range(3):
        past.asked()
    anchor(past.knocked.ground.database, past.clinic.vault, past.clinic.settings.journal_folder, now=past.now)
    past.asked()

    whole = boss.post("/staff/verify", data={}).text
    with past.knocked.ground.database.engine.begin() as connection:
        if past.knocked.ground.database.is_sqlite:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS clinic_journal_no_update")
        for trigger in triggers(connection):
            connection.exec_driver_sql(trigger)
        connection.exec_driver_sql("UPDATE clinic_journal SET at = at + 1 WHERE number = 2")
    broken = boss.post("/staff/verify", data={}).text

    assert "4 entries are as they were written; signed anchors vouch for the first 3" in whole
    assert "Entry 2 is not as it was written" in broken


def triggers(connection):
    """Commands that take the triggers of the journal away, as somebody with the database in hand could."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").all()
        return [f"DROP TRIGGER {name}" for (name,) in rows]
    return ["ALTER TABLE clinic_journal DISABLE TRIGGER USER"]


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CURATOR, Role.AUDITOR, Role.READER])
def test_nobody_else_changes_people_or_releases(small_past, role):
    """403 on every route."""
    browser = small_past.browser(role)

    for path in ("invite", "link", "role", "sessions", "remove", "token", "withdraw", "verify"):
        assert browser.post(f"/staff/{path}", data={}).status_code == 403
    assert browser.post("/releases/change", data={}).status_code == 403
    assert browser.get("/staff").status_code == 403
    assert browser.get("/releases").status_code == 403
