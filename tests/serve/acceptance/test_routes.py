"""The administrator's page of the acceptance test."""

from __future__ import annotations

import re

import pytest

from clinic_pasts import said_to_be
from cutis.serve.journal import Kind, entries
from cutis.web.accounts import Role

FORM = {
    "cases": "12",
    "malignant": "3",
    "truth": "histology",
    "raters": "2",
    "limit accuracy": "0,6",
    "side accuracy": "value",
    "limit unanswered": "",
    "side unanswered": "high",
}


@pytest.fixture
def boss(past):
    """The administrator's browser."""
    return past.browser(Role.ADMINISTRATOR)


def cases(past, count):
    """Let so many be answered, with their truth."""
    for number in range(count):
        past.knocked.site.time.now += 1
        past.histology(past.asked(said_to_be("abc"[number % 3], 0.83), silent=True), "abc"[number % 3])


def test_from_limits_to_visible_by_the_page(past, boss):
    """A comma is a decimal point, an empty limit is none; figures appear with the test, and not before."""
    assert boss.post("/acceptance/plan", data=FORM).status_code == 303
    cases(past, 12)
    before = boss.get("/acceptance").text
    assert boss.post("/acceptance/test", data={}).status_code == 303
    tested = boss.get("/acceptance").text
    assert boss.post("/acceptance/visible", data={}).status_code == 303
    shown = boss.get("/acceptance").text

    assert "12 <small>of 12" in before
    assert "1.000" not in before
    assert "Run the test" in before
    assert "1.000" in tested
    assert "passed" in tested
    assert "Go back to silent" in shown
    with past.knocked.ground.database.reading() as connection:
        told = [each.content for each in entries(connection, kinds=(Kind.ACCEPTANCE,))]
    assert told[0]["plan"]["limits"] == [{"figure": "accuracy", "limit": 0.6, "side": "value"}]
    assert boss.post("/acceptance/silent", data={}).status_code == 303
    assert "Show answers from now on" in boss.get("/acceptance").text


@pytest.mark.parametrize(
    "changed",
    [{"cases": ""}, {"cases": "5"}, {"limit accuracy": ""}, {"limit accuracy": "2"}, {"side accuracy": "high"}],
)
def test_a_form_that_does_not_fit_is_refused_and_keeps_what_was_typed(small_past, changed):
    """Nothing goes into the journal."""
    boss = small_past.browser(Role.ADMINISTRATOR)

    answered = boss.post("/acceptance/plan", data=FORM | changed)

    assert answered.status_code == 422
    assert 'role="alert"' in answered.text
    assert re.search(r'id="least"[^>]*value="3"', answered.text)
    with small_past.knocked.ground.database.reading() as connection:
        assert list(entries(connection, kinds=(Kind.ACCEPTANCE,))) == []


def test_an_empty_number_of_raters_is_two(small_past):
    """One voice is no majority unless somebody asks for it."""
    boss = small_past.browser(Role.ADMINISTRATOR)

    boss.post("/acceptance/plan", data=FORM | {"truth": "raters", "raters": ""})

    assert "at least 2 raters" in boss.get("/acceptance").text


def test_what_comes_too_early_is_refused(small_past):
    """The test before its truths, visible before the test, and limits over limits."""
    boss = small_past.browser(Role.ADMINISTRATOR)

    assert boss.post("/acceptance/test", data={}).status_code == 422
    assert boss.post("/acceptance/visible", data={}).status_code == 422
    boss.post("/acceptance/plan", data=FORM)
    assert boss.post("/acceptance/test", data={}).status_code == 422
    assert boss.post("/acceptance/plan", data=FORM).status_code == 422
    assert boss.post("/acceptance/withdraw", data={}).status_code == 303
    assert boss.post("/acceptance/plan", data=FORM).status_code == 303


def test_only_figures_that_the_release_can_have_are_offered(small_past):
    """This one has three diagnoses, no prediction sets and no operating point for the summed malignancy."""
    page = small_past.browser(Role.ADMINISTRATOR).get("/acceptance").text

    offered = re.findall(r'name="limit ([^"]+)"', page)

    assert offered == ["sensitivity/c", "accuracy", "balanced_accuracy", "unanswered", "expected_calibration_error"]


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CURATOR, Role.AUDITOR, Role.READER])
def test_nobody_else_sets_limits_or_shows_answers(small_past, role):
    """403, and nothing changes."""
    browser = small_past.browser(role)

    for path in ("plan", "withdraw", "test", "visible", "silent"):
        assert browser.post(f"/acceptance/{path}", data=FORM).status_code == 403
    assert browser.get("/acceptance").status_code == 403
