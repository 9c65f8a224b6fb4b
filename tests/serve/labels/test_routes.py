"""The curator's pages: pictures and what was told, and nothing that was answered."""

from __future__ import annotations

import re

import pytest

from clinic_pasts import said_to_be
from cutis.serve.answer import State
from cutis.serve.journal import Kind, entries
from cutis.serve.labels.asked import Named, said_in
from cutis.serve.labels.truths import known_truths
from cutis.serve.record.erasure import erase_case
from cutis.serve.record.words import Says
from cutis.web.accounts import Role


@pytest.fixture
def curator(past):
    """A curator's browser."""
    return past.browser(Role.CURATOR)


def known(past, examination):
    """What is known of one examination."""
    with past.knocked.ground.database.reading() as connection:
        return known_truths(connection, past.clinic.vault).get(examination.id)


def test_a_curator_sees_pictures_and_what_was_told_and_nothing_of_the_answer(past, curator):
    """No diagnosis is marked or ranked, no probability, no clinician's word."""
    made = past.asked(said_to_be("c", 0.93), device="Lens A", note="itches")
    past.word(made, Says.OTHER, "b", by="doctor")

    page = curator.get(f"/labels/{made.id}").text
    listed = curator.get("/labels").text

    assert "Lens A" in page
    assert "itches" in page
    assert re.findall(r'name="diagnosis" value="(\w+)"', page) == ["a", "b", "c", "other"]
    assert "0.93" not in page + listed
    assert "93 %" not in page + listed
    assert not re.search(r'value="[abc]"[^>]*checked', page)
    assert curator.get(f"/labels/{made.id}/pictures/0").headers["content-type"] == "image/jpeg"


def test_a_diagnosis_leads_to_the_next_examination_until_none_is_left(past, curator):
    """The longest waiting comes first; pictures that cannot be judged are not asked about."""
    second, first = past.asked(ago=10), past.asked(ago=20)
    past.asked(said_to_be("a", state=State.UNUSABLE), ago=30)

    assert curator.get("/labels/next").headers["location"] == f"/labels/{first.id}"
    curator.post(f"/labels/{first.id}/diagnosis", data={"diagnosis": "a"})
    assert curator.get("/labels/next").headers["location"] == f"/labels/{second.id}"
    curator.post(f"/labels/{second.id}/diagnosis", data={"diagnosis": "other", "other": "wart", "malignant": "no"})

    assert curator.get("/labels/next").headers["location"] == "/labels"
    assert [said.word for said in known(past, second).votes.values()] == ["wart"]


def test_a_curator_who_was_shown_an_answer_is_told_that_it_is_no_label(past):
    """Their word is kept as aided; it is not asked for again."""
    account = past.knocked.site.account(Role.CURATOR)
    browser, made = past.browser(Role.CURATOR, account=account), past.asked(shown_to=account)

    answered = browser.post(f"/labels/{made.id}/diagnosis", data={"diagnosis": "a"})

    assert "never becomes a label" in answered.text
    assert known(past, made).votes == {}
    assert known(past, made).aided == 1
    assert browser.get("/labels/next").headers["location"] == "/labels"


@pytest.mark.parametrize(
    "form",
    [
        {"diagnosis": "x"},
        {"diagnosis": "other"},
        {"diagnosis": "other", "other": "?", "malignant": "no"},
        {"diagnosis": "other", "other": "none", "malignant": "no"},
        {"diagnosis": "other", "other": "N/A", "malignant": "no"},
        {"diagnosis": "other", "other": "wart"},
        {"diagnosis": "other", "other": "w" * 121, "malignant": "no"},
        {},
    ],
)
def test_a_form_that_says_nothing_is_refused_and_nothing_is_kept(small_past, form):
    """422, with the reason on the page."""
    browser, made = small_past.browser(Role.CURATOR), small_past.asked()

    assert browser.post(f"/labels/{made.id}/diagnosis", data=form).status_code == 422
    assert known(small_past, made) is None


def test_a_word_that_the_taxonomy_knows_is_its_diagnosis(small_past):
    """However it was typed."""
    browser, made = small_past.browser(Role.CURATOR), small_past.asked()

    browser.post(f"/labels/{made.id}/diagnosis", data={"diagnosis": "other", "other": " Disease  C "})

    assert [said.code for said in known(small_past, made).votes.values()] == ["c"]


def test_a_code_is_kept_with_whether_it_is_malignant(small_past):
    """The next release may know another taxonomy, and its acceptance counts what is malignant."""
    taxonomy = small_past.clinic.answerer.release.taxonomy
    for disease in taxonomy.diseases:
        assert said_in(Named(diagnosis=disease.code), taxonomy).is_malignant == disease.malignant
    assert said_in(Named(diagnosis="other", other=taxonomy.diseases[0].name), taxonomy).is_malignant is not None


def test_histology_is_found_by_its_number_which_stands_nowhere(past, curator):
    """The report's number is kept as a keyed hash; neither it nor the accession number is in database or log."""
    made = past.asked(accession="ACC-4711")
    found = curator.post("/labels/find", data={"number": " ACC-4711 "})
    form = {"diagnosis": "c", "day": "2027-01-15", "report": "HIST-0815"}

    kept = curator.post(f"/labels/{made.id}/histology", data=form)

    assert f'href="/labels/{made.id}"' in found.text
    assert kept.headers["location"] == "/labels"
    assert known(past, made).histology.code == "c"
    with past.knocked.ground.database.reading() as connection:
        everything = str(list(entries(connection)))
    assert "4711" not in everything + past.knocked.site.log.getvalue()
    assert "0815" not in everything + past.knocked.site.log.getvalue()


def test_what_a_curator_looks_for_and_opens_stands_in_the_journal(past):
    """Who it was and which case; the number that was looked for does not."""
    account = past.knocked.site.account(Role.CURATOR)
    browser, made = past.browser(Role.CURATOR, account=account), past.asked(accession="ACC-4711")

    browser.post("/labels/find", data={"number": "ACC-4711"})
    browser.get(f"/labels/{made.id}")

    with past.knocked.ground.database.reading() as connection:
        told = [(each.by, each.case_id, each.content) for each in entries(connection, kinds=[Kind.ACCESS])]
    assert told == [(account, None, {"what": "search"}), (account, made.case_id, {"what": "examination"})]


@pytest.mark.parametrize("day", ["2027-03-01", "1899-01-01", "yesterday", ""])
def test_a_report_of_an_impossible_day_is_refused(small_past, day):
    """It would speak for the wrong examinations."""
    browser, made = small_past.browser(Role.CURATOR), small_past.asked()

    status = browser.post(f"/labels/{made.id}/histology", data={"diagnosis": "a", "day": day}).status_code

    assert status == 422
    assert known(small_past, made) is None


def test_an_erased_or_unknown_examination_is_not_there(past, curator):
    """Page, picture and form answer 404."""
    made = past.asked()
    ground, folder = past.knocked.ground, past.clinic.settings.journal_folder
    erase_case(ground.database, past.clinic.vault, folder, made.case_id, by="boss", reason="asked", now=past.now)

    for name in (made.id, "0" * 32):
        assert curator.get(f"/labels/{name}").status_code == 404
        assert curator.get(f"/labels/{name}/pictures/0").status_code == 404
        assert curator.post(f"/labels/{name}/diagnosis", data={"diagnosis": "a"}).status_code == 404
    assert curator.get("/labels").status_code == 200


def test_the_export_lies_on_the_server_and_its_page_says_where(small_past):
    """With the command that reads it."""
    browser = small_past.browser(Role.CURATOR)
    refused = browser.post("/labels/export", data={})
    small_past.label(small_past.asked(), "a")

    page = browser.post("/labels/export", data={})

    (folder,) = (small_past.clinic.settings.folder / "labels").iterdir()
    assert refused.status_code == 422
    assert f"cutis curate {folder}" in page.text
    assert (folder / "labels.csv").is_file()
    assert folder.stat().st_mode & 0o077 == 0
