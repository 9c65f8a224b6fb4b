"""As long as an answer is hidden, no byte that leaves the server depends on it."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from clinics import a_jpeg
from consulting import FOREIGN, SURE, UNSURE, a_blurred_jpeg, ask, at_work, text_of
from cutis.serve.journal import Kind, entries
from cutis.serve.record.examinations import examination_of
from cutis.serve.record.words import Source, Truth, note_truth

# What differs between two lesions whatever the answer is: names drawn at random, times, hashes, journal numbers.
OF_THE_LESION = re.compile(r"[0-9a-f]{8,64}|data-at=\"[\d.]+\"|<dd>\d+ <code>|\b\d{10}\.\d\b")


def _plain(browser, path):
    return OF_THE_LESION.sub("", browser.get(path).text)


def _case_of(clinic, to):
    with clinic.ground.database.reading() as connection:
        return examination_of(connection, to.rpartition("/")[2]).case_id


def _made_by(clinic, to):
    with clinic.ground.database.reading() as connection:
        return examination_of(connection, to.rpartition("/")[2]).made_by


def _shown(clinic):
    with clinic.ground.database.reading() as connection:
        return list(entries(connection, kinds=[Kind.SHOWN]))


@pytest.mark.parametrize("settings", [{"demonstration": False}, {"commit_first": True}], ids=["silent", "commit first"])
def test_a_hidden_answer_changes_no_byte(room_of, settings):
    """Pages of lesions that are answered, doubted and refused are the same to the letter; so are case and history."""
    clinic = room_of(**settings)
    browser = at_work(clinic)
    colours = [*SURE.values(), UNSURE, FOREIGN]
    asked = [ask(browser, a_jpeg(colour=colour)) for colour in colours]

    pages = {_plain(browser, to) for to in asked}
    cases = {_plain(browser, f"/cases/{_case_of(clinic, to)}") for to in asked}
    rows = set(re.findall(r"<tr>.*?</tr>", _plain(browser, "/history"), re.DOTALL)[1:])
    parts = [
        browser.get(f"{to}/{part}").status_code
        for to in asked
        for part in ("similar", "map?diagnosis=BCC&depth=final", "map?diagnosis=MN&depth=final")
    ]

    assert (len(pages), len(cases), len(rows)) == (1, 1, 1)
    assert set(parts) == {404}
    assert _shown(clinic) == []
    assert " %" not in "".join(pages)


@pytest.mark.parametrize("settings", [{"demonstration": False}, {"commit_first": True}], ids=["silent", "commit first"])
def test_no_filter_of_the_history_tells_of_a_hidden_answer(room_of, settings):
    """Neither by diagnosis nor by state: what may not be seen is left out of both."""
    clinic = room_of(**settings)
    browser = at_work(clinic)
    for colour in (*SURE.values(), UNSURE, FOREIGN):
        ask(browser, a_jpeg(colour=colour))

    asked = [f"diagnosis={code}" for code in SURE] + [f"state={each}" for each in ("answered", "unsure", "foreign")]
    found = [browser.get(f"/history?{each}").text.count('class="thumb"') for each in asked]

    assert found == [0] * len(asked)
    assert browser.get("/history").text.count('class="thumb"') == 5


def test_a_report_of_a_hidden_answer_holds_nothing_of_it(room_of):
    """The reports of two lesions, the same in pictures and different in answers, would be the same: they say so."""
    clinic = room_of(demonstration=False)
    browser = at_work(clinic)
    to = ask(browser, a_jpeg(colour="red"))

    report = browser.get(f"/cases/{_case_of(clinic, to)}/report.pdf")
    text = text_of(report.content)

    assert "kept and not shown" in text
    assert "Basal" not in text
    assert "%" not in text


def test_the_answer_comes_with_the_first_word(room_of):
    """Commit first: what was said counts as unaided, what is said after it as aided; others still have to speak."""
    clinic = room_of(commit_first=True)
    browser, other = at_work(clinic), at_work(clinic, name="wang")
    to = ask(browser)

    agreed = browser.post(f"{to}/word", data={"says": "agrees"})
    said = browser.post(f"{to}/word", data={"says": "other", "diagnosis": "Melanocytic nevus"})
    seen = browser.get(to).text
    browser.post(f"{to}/word", data={"says": "agrees"})
    corrected = browser.get(to).text
    theirs = other.get(to).text

    assert agreed.status_code == 422
    assert "not shown to them" in agreed.text
    assert said.status_code == 303
    assert "> 99 %" in seen or "&gt; 99 %" in seen
    assert "without the answer" in seen
    assert corrected.count("without the answer") == 1
    assert corrected.count("after seeing the answer") == 1
    assert "99 %" not in theirs
    assert "melanocytic nevus</strong>" in seen
    assert "melanocytic nevus</strong>" not in theirs  # what a colleague said is no help for a first word either


def test_silent_mode_takes_the_word_and_shows_nothing(room_of):
    """The word is unaided, and the answer is in the journal all the same."""
    clinic = room_of(demonstration=False)
    browser = at_work(clinic)
    to = ask(browser)

    browser.post(f"{to}/word", data={"says": "other", "diagnosis": "basal cell carcinoma"})
    page = browser.get(to).text

    assert "Silent mode" in page
    assert "without the answer" in page
    assert "99 %" not in page
    with clinic.ground.database.reading() as connection:
        assert [each.kind for each in entries(connection)] == ["answer", "word", "access"]


def test_a_verdict_of_the_network_is_no_verdict_on_quality(room_of):
    """A foreign picture looks good while the answer is hidden; a blurred one is named at once, that is no answer."""
    clinic = room_of(demonstration=False)
    browser = at_work(clinic)

    foreign, blurred = (browser.get(ask(browser, each)).text for each in (a_jpeg(colour=FOREIGN), a_blurred_jpeg()))

    assert "Good enough to judge" in foreign
    assert "dermoscopic, or unlike" not in foreign
    assert "Too blurred to judge" in blurred


def test_pictures_are_there_all_along(room_of):
    """They are the clinician's own: made anew, without what their file told."""
    clinic = room_of(demonstration=False)
    browser = at_work(clinic)
    exif = Image.Exif()
    exif[0x010E] = "PLANTED-7391"
    to = ask(browser, a_jpeg(exif=exif.tobytes()))

    sent = browser.get(f"{to}/pictures/0")

    assert Image.open(io.BytesIO(sent.content)).size == (320, 240)
    assert b"PLANTED" not in sent.content
    assert sent.headers["cache-control"] == "no-store"
    assert browser.get(f"{to}/pictures/1").status_code == 404
    assert browser.get(f"{to}/pictures/-1").status_code == 404


def test_what_others_say_is_kept_from_who_has_not_spoken(room_of):
    """Words and truths on the page, in the history with its filters, on the case's page and on paper."""
    clinic = room_of(commit_first=True)
    li, wang = at_work(clinic), at_work(clinic, name="wang")
    to = ask(li)
    case_id = _case_of(clinic, to)
    li.post(f"{to}/word", data={"says": "other", "diagnosis": "Seborrheic keratosis"})
    truth = Truth(source=Source.HISTOLOGY, diagnosis="SK")
    with clinic.ground.database.writing() as connection:
        note_truth(connection, clinic.clinic.vault, truth, case_id=case_id, by="curator", now=1.0)

    def seen():
        pages = [wang.get(path).text for path in (to, f"/cases/{case_id}", "/history")]
        return [page.split("<datalist")[0].split('class="filters"')[-1] for page in pages] + [
            text_of(wang.get(f"/cases/{case_id}/report.pdf").content)
        ]

    before, found = seen(), wang.get("/history?word=other").text.count('class="thumb"')
    wang.post(f"{to}/word", data={"says": "doubt"})
    after, found_after = seen(), wang.get("/history?word=other").text.count('class="thumb"')

    said = re.compile(r"<strong>seborrheic keratosis|Histology:|◉|Diagnosis: seborrheic")
    assert [bool(said.search(page)) for page in before] == [False] * 4
    assert [bool(said.search(page)) for page in after] == [True] * 4
    assert (found, found_after) == (0, 1)


def test_histology_waits_for_a_word_on_every_examination_of_the_lesion(room_of):
    """A truth is the lesion's: who spoke on one examination would read it there before a word on the other one."""
    clinic = room_of(commit_first=True)
    browser = at_work(clinic)
    first = ask(browser, a_jpeg(colour="red"))
    case_id = _case_of(clinic, first)
    clinic.site.time.now += 60
    second = ask(browser, a_jpeg(colour="lime"), case_id=case_id)
    truth = Truth(source=Source.HISTOLOGY, diagnosis="SK")
    with clinic.ground.database.writing() as connection:
        note_truth(connection, clinic.clinic.vault, truth, case_id=case_id, by="curator", now=1.0)

    def hears():
        pages = [browser.get(path).text for path in (first, second, f"/cases/{case_id}", "/history")]
        listed = browser.get(f"/history?clinician={_made_by(clinic, first)}&state=answered").text  # only what is heard
        paper = text_of(browser.get(f"/cases/{case_id}/report.pdf").content)
        return [bool(re.search(r"Histology:|◉", each)) for each in (*pages, listed, paper)]

    browser.post(f"{first}/word", data={"says": "doubt"})
    before = hears()
    browser.post(f"{second}/word", data={"says": "doubt"})

    assert before == [False] * 6
    assert hears() == [True] * 6


def test_reading_of_a_hidden_answer_is_written_down(room_of):
    """Pictures, note and words are read all the same."""
    clinic = room_of(demonstration=False)
    browser = at_work(clinic)
    to = ask(browser)

    browser.get(to)
    with clinic.ground.database.reading() as connection:
        written = [(each.kind, each.content.get("what")) for each in entries(connection)]

    assert written == [("answer", None), ("access", "examination")]
