"""The answer's page shows what may be shown, writes down what it shows, and keeps every word of the clinician."""

from __future__ import annotations

import html
import io
import json
import re

import pytest
from PIL import Image

from clinics import a_jpeg
from consulting import (
    FOREIGN,
    SURE,
    UNSURE,
    a_blurred_jpeg,
    a_consulting_room,
    a_doubting_release,
    ask,
    at_work,
    text_of,
)
from cutis.runtime.ready import Trusted
from cutis.serve.answering.answerer import Answerer
from cutis.serve.journal import Kind, entries, opened
from cutis.serve.record.examinations import examination_of
from cutis.serve.record.words import Source, Truth, note_truth, words_of
from cutis.serve.settings import ClinicSettings
from cutis.web.settings import read_settings

MARKUP = "<img src=x onerror=alert(1)>"


def _told(page):
    return json.loads(html.unescape(re.search(r'data-told="(.*?)"', page)[1]))


def _examination(clinic, to):
    with clinic.ground.database.reading() as connection:
        return examination_of(connection, to.rpartition("/")[2])


def _written(clinic, *kinds):
    with clinic.ground.database.reading() as connection:
        return [(each.kept, each.sealed) for each in opened(connection, clinic.clinic.vault, kinds=kinds)]


def test_an_answer_stands_there_with_all_that_qualifies_it(room_on_both):
    """Quality first, ranking, set, malignancy line, what cannot be said; what is shown is in the journal."""
    clinic = room_on_both()
    browser = at_work(clinic)
    to = ask(browser, a_jpeg(colour="lime"))

    page = browser.get(to).text
    order = [
        page.index(each)
        for each in (
            "Good enough to judge",
            "Melanocytic nevus <",
            "This does not exclude melanoma.",
            "In 9 of 10 cases like this clinic",
            "Basal cell carcinoma: 10 %.",
            "Not assessed: melanoma and squamous cell carcinoma.",
            "This network cannot say melanoma and squamous cell carcinoma",
            "Your word",
        )
    ]
    (kept, sealed), *_ = _written(clinic, Kind.SHOWN)

    assert order == sorted(order)
    assert _told(page)["place"] is not None
    assert _told(page)["likely"] == ["MN", "BCC", "SK"]
    assert kept.content["parts"] == ["answer", "atlas"]
    assert sealed["ranking"][0][0] == "MN"


@pytest.mark.parametrize(
    ("content", "name"),
    [(a_jpeg(colour=UNSURE), "Unsure"), (a_jpeg(colour=FOREIGN), "Foreign"), (a_blurred_jpeg(), "Cannot be judged")],
    ids=["unsure", "foreign", "blurred"],
)
def test_an_abstention_comes_instead_of_any_ranking(room_of, content, name):
    """With the reason and what to do; no probability, no map, no similar case, and nobody can agree with it."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser, content)

    page = browser.get(to).text
    maps = [browser.get(f"{to}/map?diagnosis={code}&depth=final").status_code for code in SURE]

    assert f"</span> {name}</h2>" in page
    assert "What to do" in page
    assert "<meter" not in page
    assert "keratosis 0" not in page
    assert not re.search(r"\d %</b>", page)
    assert (_told(page)["has_similar"], _told(page)["place"]) == (False, None)
    assert set(maps) == {404}
    assert browser.get(f"{to}/similar").status_code == 404
    assert 'value="agrees"' not in page


def test_a_map_is_of_the_diagnosis_that_was_asked_for(room_of):
    """In the shape of the picture; the journal names it. One that is not offered, or of no diagnosis, is 404."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser, a_jpeg(colour="red"))

    layer = browser.get(f"{to}/map?diagnosis=MN&depth=final")
    refused = [
        browser.get(f"{to}/map?{each}").status_code
        for each in ("diagnosis=MN&depth=stage_1", "diagnosis=X&depth=final", "diagnosis=MN&depth=final&picture=1")
    ]
    shown = [sealed for kept, sealed in _written(clinic, Kind.SHOWN) if kept.content["parts"] == ["map"]]

    with Image.open(io.BytesIO(layer.content)) as drawn:
        assert (drawn.mode, drawn.size) == ("RGBA", (320, 240))
    assert refused == [404, 404, 404]
    assert [(each["diagnosis"], each["depth"]) for each in shown] == [("MN", "final")]  # what was refused was not shown


def test_similar_cases_and_the_atlas_come_when_they_are_asked_for(room_of):
    """Cases of the archive with what confirmed them; the atlas of this release, and of no other."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser, a_jpeg(colour="red"))

    cases = browser.get(f"{to}/similar").json()["cases"]
    atlas = browser.get(_told(browser.get(to).text)["atlas"]).json()["points"]

    assert {each["name"] for each in cases} == {"basal cell carcinoma"}
    assert {each["confirmed"] for each in cases} == {"confirmed by histology"}
    assert len(atlas) == 240
    assert {point[2] for point in atlas} == set(SURE)
    assert browser.get(f"/atlas/{'0' * 64}").status_code == 404


def test_words_are_kept_one_after_the_other(room_on_both):
    """Agreement, then another diagnosis in the clinician's language, then free words, then doubt: all stay."""
    clinic = room_on_both()
    browser = at_work(clinic)
    to = ask(browser)
    browser.get(to)

    for said in (
        {"says": "agrees"},
        {"says": "other", "diagnosis": "色素痣"},
        {"says": "other", "diagnosis": "Merkel cell carcinoma"},
        {"says": "doubt"},
    ):
        assert browser.post(f"{to}/word", data=said).status_code == 303
    page = browser.get(to).text
    with clinic.ground.database.reading() as connection:
        words = words_of(connection, clinic.clinic.vault, to.rpartition("/")[2])

    assert [(each.says.value, each.diagnosis, each.other) for each in words] == [
        ("agrees", None, ""),
        ("other", "MN", ""),
        ("other", None, "Merkel cell carcinoma"),
        ("doubt", None, ""),
    ]
    assert all(each.aided for each in words)
    assert page.count('<li class="before">') == 3
    assert page.count('<li class="last">') == 1


def test_a_diagnosis_without_a_name_is_asked_for(room_of):
    """422, with the page and what is missing; a word that is none is refused."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)

    empty = browser.post(f"{to}/word", data={"says": "other", "diagnosis": "  "})
    unknown = browser.post(f"{to}/word", data={"says": "maybe"})

    assert (empty.status_code, unknown.status_code) == (422, 422)
    assert "Please name a diagnosis." in empty.text
    assert _written(clinic, Kind.WORD) == []


def test_stored_markup_is_text(room_of):
    """In note, device and diagnosis, on every page that shows them (threat 15)."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser, note=MARKUP, device=MARKUP)
    browser.post(f"{to}/word", data={"says": "other", "diagnosis": MARKUP})

    case_id = _examination(clinic, to).case_id
    pages = [browser.get(path).text for path in (to, f"/cases/{case_id}", "/history", "/diagnose")]

    assert all(MARKUP not in page for page in pages)
    assert all("&lt;img src=x" in page for page in pages)


def test_histology_stands_there_where_it_came_back(room_of):
    """On the page of the examination, of the case, and in the history."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)
    case_id = _examination(clinic, to).case_id
    truth = Truth(source=Source.HISTOLOGY, diagnosis="MN", day="2027-01-20")
    with clinic.ground.database.writing() as connection:
        note_truth(connection, clinic.clinic.vault, truth, case_id=case_id, by="curator", now=1.0)

    pages = [browser.get(path).text for path in (to, f"/cases/{case_id}", "/history")]

    assert "Histology:</b> melanocytic nevus" in pages[0]
    assert "2027-01-20" in pages[0]
    assert "Histology:</b> melanocytic nevus" in pages[1]
    assert "melanocytic nevus</span>" in pages[2]


def test_an_invented_release_says_so_on_every_page(tmp_path):
    """And in its answers, on paper too; also when another release answers by now, and while they are hidden."""
    settings = read_settings(ClinicSettings, engine="onnxruntime-fp32", folder=tmp_path)
    invented, real = (a_doubting_release(tmp_path / f"{each}", invented=each) for each in (True, False))
    url = f"sqlite:///{tmp_path / 'i.sqlite'}"
    with (
        Answerer(Trusted(invented), settings, memory=tmp_path) as answerer,
        a_consulting_room(tmp_path / "i", url, answerer=answerer) as clinic,
    ):
        browser = at_work(clinic)
        to = ask(browser)
        case_id = _examination(clinic, to).case_id
        of_it = [to, f"/cases/{case_id}", "/history"]
        before = [browser.get(path).text for path in ("/diagnose", *of_it)]
        answerer.swap(Trusted(real))
        after = [browser.get(path).text for path in of_it]
        on_paper = text_of(browser.get(f"/cases/{case_id}/report.pdf").content)
        asking = browser.get("/diagnose").text

    banner = "learned from invented pictures: nothing that it says means"
    assert [banner in page for page in before + after] == [True] * 7
    assert banner in on_paper
    assert "this answer means nothing for a patient" in after[0]
    assert [page.count('class="tag invented"') for page in after[1:]] == [1, 1]
    assert banner not in asking


def test_the_language_can_be_changed_on_a_page_that_answered_a_form(room_of):
    """The frame leads back to where the form was sent: from there to the examination."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)

    led = browser.get(f"{to}/word")

    assert (led.status_code, led.headers["location"]) == (303, to)


def test_every_answer_is_in_the_journal_before_it_is_shown(room_of):
    """The order of the entries says so."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)

    browser.get(to)
    browser.get("/history")
    with clinic.ground.database.reading() as connection:
        kinds = [each.kind for each in entries(connection)]

    assert kinds == ["answer", "shown", "access"]
