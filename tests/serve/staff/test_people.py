"""Accounts by role: each change is written down, and an administrator who can sign in is always left."""

from __future__ import annotations

import threading

import pytest

from cutis.serve.journal import Kind, entries
from cutis.serve.staff import people
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.accounts import Role, account_of, follow_link


def do(past, what, *arguments, **more):
    """Do one thing, and have it on the disk."""
    with past.knocked.ground.database.writing() as connection:
        return what(connection, past.clinic.vault, *arguments, by="boss", now=past.now, **more)


def journal(past):
    """What was written down of accounts."""
    with past.knocked.ground.database.reading() as connection:
        return [(each.by, each.content) for each in entries(connection, kinds=(Kind.ACCOUNT,))]


def role_of(past, account_id):
    """The role of an account; None where it is gone."""
    with past.knocked.ground.database.reading() as connection:
        found = account_of(connection, account_id)
    return found.role if found else None


def test_a_link_is_good_once_and_leads_to_the_new_account(past):
    """Its secret stands neither in the database's journal nor in the list of people."""
    invited = do(past, people.invite, Role.CURATOR)

    with past.knocked.ground.database.writing() as connection:
        first = follow_link(connection, invited.token, now=past.now)
        second = follow_link(connection, invited.token, now=past.now)

    assert (first.id, first.role, second) == (invited.account_id, Role.CURATOR, None)
    told = {"did": "account made", "account": invited.account_id, "role": "curator"}
    assert journal(past) == [("boss", told)]


def test_everybody_is_listed_with_what_they_have(past):
    """A password, a link that waits, sessions that are open; readers of a study are not of the clinic."""
    named = past.knocked.site.account(Role.ADMINISTRATOR, name="Boss")
    past.knocked.site.joined(named)
    past.knocked.site.joined(named)
    invited = do(past, people.invite, Role.CLINICIAN)
    past.knocked.site.account(Role.READER)

    with past.knocked.ground.database.reading() as connection:
        found = {each.id: each for each in people.people(connection, now=past.now)}

    assert found.keys() == {named, invited.account_id}
    boss, doctor = found[named], found[invited.account_id]
    assert (boss.name, boss.has_password, boss.sessions) == ("boss", True, 2)
    assert (doctor.name, doctor.has_password, doctor.has_link, doctor.sessions) == (None, False, True, 0)


def test_the_last_administrator_who_can_sign_in_stays(past):
    """Neither removed nor given another role; one who has no password yet does not count."""
    last = past.knocked.site.account(Role.ADMINISTRATOR, name="Boss")
    nameless = past.knocked.site.account(Role.ADMINISTRATOR)

    with pytest.raises(SafetyRefusal, match="no administrator"):
        do(past, people.remove, last)
    with pytest.raises(SafetyRefusal, match="no administrator"):
        do(past, people.change_role, last, Role.AUDITOR)
    do(past, people.remove, nameless)
    assert role_of(past, last) is Role.ADMINISTRATOR
    assert role_of(past, nameless) is None

    other = past.knocked.site.account(Role.ADMINISTRATOR, name="Other")
    do(past, people.change_role, last, Role.AUDITOR)
    assert role_of(past, last) is Role.AUDITOR
    with pytest.raises(SafetyRefusal):
        do(past, people.remove, other)


def test_of_two_administrators_who_remove_each_other_at_once_one_stays(past):
    """On either database, ten times over."""
    for number in range(10):
        pair = [past.knocked.site.account(Role.ADMINISTRATOR, name=f"boss{number}{each}") for each in "ab"]
        refused, start = [], threading.Barrier(2)

        def remove(account_id, refused=refused, start=start):
            start.wait()
            try:
                do(past, people.remove, account_id)
            except SafetyRefusal:
                refused.append(account_id)

        threads = [threading.Thread(target=remove, args=(each,)) for each in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        left = [each for each in pair if role_of(past, each)]
        assert len(left) == len(refused) == 1
        with past.knocked.ground.database.writing() as connection:
            connection.exec_driver_sql(f"DELETE FROM accounts WHERE id = '{left[0]}'")  # noqa: S608  an id of ours


def test_another_role_ends_the_sessions_of_the_old_one(past):
    """What was opened as a clinician is not read as a curator."""
    account = past.knocked.site.account(Role.CURATOR)
    browser = past.browser(Role.CURATOR, account=account)
    assert browser.get("/labels").status_code == 200

    do(past, people.change_role, account, Role.AUDITOR)

    assert browser.get("/labels", headers={"accept": "application/json"}).status_code == 401
    assert journal(past)[-1][1]["before"] == "curator"
    do(past, people.change_role, account, Role.AUDITOR)
    assert len(journal(past)) == 1


def test_signing_somebody_out_and_removing_them_ends_their_sessions(past):
    """At once; the number of the account stays in the journal."""
    account = past.knocked.site.account(Role.AUDITOR)
    browser = past.browser(Role.AUDITOR, account=account)
    do(past, people.end_sessions, account)
    assert browser.get("/journal", headers={"accept": "application/json"}).status_code == 401

    do(past, people.remove, account)

    assert role_of(past, account) is None
    assert [told["did"] for _, told in journal(past)] == ["sessions ended", "account removed"]


@pytest.mark.parametrize("what", [people.renew, people.end_sessions, people.remove])
def test_an_account_that_is_not_there_is_told_so(small_past, what):
    """Nor does a reader of a study belong to the clinic."""
    for account in ("0" * 32, small_past.knocked.site.account(Role.READER)):
        with pytest.raises(people.Unknown):
            do(small_past, what, account)
    assert journal(small_past) == []
