"""The auditor's page of the journal: what tells of nobody, page by page."""

from __future__ import annotations

import json
import re

import pytest

from clinic_pasts import DAY, said_to_be
from cutis.serve.journal import Kind
from cutis.serve.staff.past import ON_A_PAGE, Wanted, page_of
from cutis.web.accounts import Role


@pytest.fixture
def auditor(past):
    """An auditor's browser."""
    return past.browser(Role.AUDITOR)


def numbers(past, **wanted):
    """The numbers of the entries on a page."""
    with past.knocked.ground.database.reading() as connection:
        return [line.kept.number for line in page_of(connection, Wanted(**wanted)).lines]


def test_the_newest_come_first_and_every_entry_is_on_one_page(past, auditor):
    """Page after page, until the first one."""
    for number in range(ON_A_PAGE + 7):
        past.asked(ago=1000.0 - number)
    path, seen = "/journal", []
    while path:
        page = auditor.get(path).text
        seen += [int(each) for each in re.findall(r'<th scope="row" class="number">(\d+)', page)]
        found = re.search(r'href="(/journal\?[^"]*before=\d+)"', page)
        path = found[1].replace("&amp;", "&") if found else None

    assert seen == list(range(ON_A_PAGE + 7, 0, -1))


def test_entries_are_found_by_kind_who_case_and_day(past):
    """Each by itself, and together."""
    first = past.asked(ago=10 * DAY)
    past.asked(ago=2 * DAY)
    past.label(first, "a", by="rater")

    assert numbers(past, kind=Kind.TRUTH.value) == [3]
    assert numbers(past, by="rater") == [3]
    assert numbers(past, case=first.case_id) == [3, 1]
    assert numbers(past, since=past.now - 5 * DAY) == [3, 2]
    assert numbers(past, until=past.now - 5 * DAY) == [1]
    assert numbers(past, kind=Kind.ANSWER.value, case=first.case_id, by="clinician") == [1]


def test_what_is_sealed_is_not_shown_nor_exported(past, auditor):
    """Neither diagnosis nor note; the hash of what is sealed is there."""
    made = past.asked(said_to_be("c", 0.9137), note="Mrs Zhang")
    past.histology(made, None, other="Kaposi sarcoma")

    page, lines = auditor.get("/journal").text, auditor.get("/journal/export").text

    assert "0.9137" not in page + lines
    assert "Zhang" not in page + lines
    assert "Kaposi" not in page + lines
    assert "sealed part" in page
    head, *told = [json.loads(line) for line in lines.splitlines()]
    assert head["is_opened"] is False
    assert [each["number"] for each in told] == [1, 2]
    assert all(each["sealed_sha256"] for each in told)


def test_a_date_that_is_none_and_a_number_that_is_none_do_no_harm(small_past):
    """The one is passed over, the other refused."""
    auditor = small_past.browser(Role.AUDITOR)

    assert auditor.get("/journal?since=yesterday&until=").status_code == 200
    assert auditor.get("/journal?before=x").status_code == 422
    assert auditor.get(f"/journal?kind={'x' * 40}").status_code == 422
    assert auditor.get("/journal?case=%27%3B--").status_code == 200


def test_the_journal_is_verified_here_too(small_past):
    """By whoever may read it."""
    small_past.asked()

    assert "1 entries are as they were written" in small_past.browser(Role.AUDITOR).post("/journal/verify").text


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CURATOR, Role.ADMINISTRATOR, Role.READER])
def test_it_is_the_auditors_page(small_past, role):
    """403 for everybody else."""
    browser = small_past.browser(role)

    assert browser.get("/journal").status_code == 403
    assert browser.get("/journal/export").status_code == 403
    assert browser.post("/journal/verify").status_code == 403
