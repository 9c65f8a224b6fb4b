"""The monitor's page: counts and curves, nobody's examination, and nothing that would tell when to stop."""

from __future__ import annotations

import re
import time

import pytest

from clinic_pasts import fill
from cutis.serve.journal import Kind, entries
from cutis.serve.monitor.rules import Rules, rules_of
from cutis.serve.record.words import Says
from cutis.web.accounts import Role

RULES = {"days": "14", "windows": "3", "lesions": "60", "index": "0,2", "distance": "0.3", "share": "0.15"}


def rules(past):
    """Those in force."""
    with past.knocked.ground.database.reading() as connection:
        return rules_of(connection)


def test_who_may_look_sees_counts_drift_and_who_was_verified(past):
    """Auditor and administrator; an alarm stands at the top, with what it is about."""
    fill(past, darker=0.12)

    for role in (Role.AUDITOR, Role.ADMINISTRATOR):
        page = past.browser(role).get("/monitor?days=91").text
        assert re.search(r"Alarms: \d", page)
        assert 'href="#drift-brightness"' in page
        assert "160" in page


@pytest.mark.parametrize("role", [Role.CURATOR, Role.READER, Role.CLINICIAN])
def test_who_labels_blind_or_commits_first_does_not_see_what_is_answered(small_past, role):
    """403: shares of answers would tell what to expect, and of a quiet day what was answered."""
    assert small_past.browser(role).get("/monitor").status_code == 403


def test_how_right_the_answers_are_is_held_back_until_the_test(small_past):
    """Neither calibration nor overrides, though truths and words are there."""
    for made, code in fill(small_past, 40):
        small_past.histology(made, code)
        small_past.word(made, Says.OTHER, code)

    page = small_past.browser(Role.AUDITOR).get("/monitor?days=91").text

    assert "Held back until the acceptance test" in page
    assert "held back until the acceptance test" in page
    assert "Came true" not in page
    assert "words name another diagnosis" not in page


def test_after_the_test_calibration_stands_beside_the_bias_of_who_was_verified(small_past):
    """Counts in every bin, and the words that name the bias."""
    boss = small_past.browser(Role.ADMINISTRATOR)
    boss.post(
        "/acceptance/plan", data={"cases": "20", "truth": "histology", "limit accuracy": "0.1", "side accuracy": "low"}
    )
    for made, code in fill(small_past, 40):
        small_past.histology(made, code)
    assert boss.post("/acceptance/test", data={}).status_code == 303

    page = boss.get("/monitor?days=91").text

    assert "Mind who gets verified" in page
    assert "Came true" in page
    assert 'class="reliability"' in page


def test_the_page_names_no_examination_and_carries_no_style(small_past):
    """Neither ids of cases nor inline styles, which the policy would refuse."""
    made = fill(small_past, 60)

    page = small_past.browser(Role.AUDITOR).get("/monitor").text

    assert not any(each.id in page or each.case_id in page for each, _ in made)
    assert " style=" not in page
    assert "<style" not in page


def test_rules_are_set_by_the_administrator_and_told_with_who_and_when(past):
    """In the words of the page; a comma is a decimal point."""
    account = past.knocked.site.account(Role.ADMINISTRATOR, name="Boss")
    boss = past.browser(Role.ADMINISTRATOR, account=account)

    assert boss.post("/monitor/rules", data=RULES).status_code == 303

    wanted = Rules(days=14, windows=3, lesions=60, index=0.2, distance=0.3, share=0.15)
    assert rules(past) == (wanted, {"by": account, "at": past.now})
    with past.knocked.ground.database.reading() as connection:
        (written,) = entries(connection, kinds=[Kind.MONITOR])
    assert (written.by, written.content) == (account, {"rules": wanted.model_dump()})
    page = boss.get("/monitor").text
    assert "last 3 windows of 14 days, with at least 60 lesions" in page
    assert "Set by boss" in page


@pytest.mark.parametrize(
    "changed", [{"days": "0"}, {"windows": "7"}, {"lesions": "10"}, {"index": "x"}, {"share": "2"}, {"days": "1.5"}]
)
def test_rules_that_do_not_fit_are_refused(small_past, changed):
    """Those in force stay."""
    boss = small_past.browser(Role.ADMINISTRATOR)

    assert boss.post("/monitor/rules", data=RULES | changed).status_code == 422
    assert rules(small_past)[0] == Rules()


def test_nobody_else_sets_rules(small_past):
    """Whoever may look may not turn the alarm off."""
    for role in (Role.AUDITOR, Role.CLINICIAN):
        assert small_past.browser(role).post("/monitor/rules", data=RULES).status_code == 403
    assert 'id="rules"' not in small_past.browser(Role.AUDITOR).get("/monitor").text


@pytest.mark.parametrize("days", ["0", "365", "-1", "x"])
def test_another_time_than_a_year_at_most_is_refused(small_past, days):
    """The page reads everything of the time that is asked for."""
    assert small_past.browser(Role.AUDITOR).get(f"/monitor?days={days}").status_code == 422


@pytest.mark.slow
def test_a_year_of_a_clinic_is_told_within_seconds(small_past):
    """5,000 examinations."""
    fill(small_past, 5_000)
    browser = small_past.browser(Role.AUDITOR)

    began = time.perf_counter()
    page = browser.get("/monitor?days=364")
    took = time.perf_counter() - began

    assert page.status_code == 200
    assert took < 20, f"it took {took:.1f} s"
