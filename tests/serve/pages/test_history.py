"""The history is searched and filtered; nothing that tells of a patient comes to stand in an address."""

from __future__ import annotations

import re

import pytest

from clinics import a_jpeg
from consulting import SURE, UNSURE, ask, at_work
from cutis.serve.journal import Kind, entries
from cutis.serve.pages.searches import Searches
from cutis.serve.record.examinations import examination_of

DAY = 86_400


def _rows(browser, path="/history"):
    """Return which examinations a page lists, in its order."""
    return re.findall(r'<th scope="row"><a href="/examinations/(\w+)"', browser.get(path).text)


def _row_of(row):
    return re.search(r"/examinations/(\w+)\"", row)[1]


def _id(to):
    return to.rpartition("/")[2]


def test_filters_find_what_fits(room_on_both):
    """By date, state, clinician, diagnosis, device, word and truth, and by two of them together."""
    clinic = room_on_both()
    li, wang = at_work(clinic), at_work(clinic, name="wang")
    red = _id(ask(li, a_jpeg(colour=SURE["BCC"]), device="DL5"))
    clinic.site.time.now += 2 * DAY
    li, wang = at_work(clinic, name="li2"), at_work(clinic, name="wang2")
    lime = _id(ask(wang, a_jpeg(colour=SURE["MN"])))
    clinic.site.time.now += 1
    unsure = _id(ask(wang, a_jpeg(colour=UNSURE)))
    li.post(f"/examinations/{lime}/word", data={"says": "doubt"})
    with clinic.ground.database.reading() as connection:
        by = examination_of(connection, red).made_by

    assert _rows(li) == [unsure, lime, red]
    assert _rows(li, "/history?diagnosis=BCC") == [red]
    assert _rows(li, "/history?state=unsure") == [unsure]
    assert _rows(li, f"/history?clinician={by}") == [red]
    assert _rows(li, "/history?device=DL5") == [red]
    assert _rows(li, "/history?word=doubt") == [lime]
    assert _rows(li, "/history?word=none") == [unsure, red]
    assert _rows(li, "/history?truth=yes") == []
    assert _rows(li, "/history?since=2027-01-16") == [unsure, lime]
    assert _rows(li, "/history?until=2027-01-15") == [red]
    assert _rows(li, "/history?since=2027-01-16&word=none&state=&diagnosis=") == [unsure]
    assert li.get("/history?since=tomorrow").status_code == 422


def test_a_list_says_of_a_benign_answer_that_it_does_not_exclude_melanoma(room_on_both):
    """Wherever such an answer is read, and not of a malignant or a hidden one, or where there is none."""
    clinic = room_on_both(commit_first=True)
    li = at_work(clinic)
    naevus, carcinoma, unsure, hidden = (
        _id(ask(li, a_jpeg(colour=colour, seed=seed)))
        for seed, colour in enumerate((SURE["MN"], SURE["BCC"], UNSURE, SURE["MN"]))
    )
    for each in (naevus, carcinoma, unsure):
        li.post(f"/examinations/{each}/word", data={"says": "doubt"})
    with clinic.ground.database.reading() as connection:
        case = examination_of(connection, naevus).case_id

    rows = li.get("/history").text.split("<tr>")[2:]

    said = {_row_of(row): "does not exclude melanoma" in row for row in rows}
    assert said == {naevus: True, carcinoma: False, unsure: False, hidden: False}
    assert "does not exclude melanoma" in li.get(f"/cases/{case}").text


def test_a_number_or_a_word_finds_and_is_never_in_an_address(room_on_both):
    """One case: led to it. Words: a list under a random name, which nobody else can use."""
    clinic = room_on_both()
    li, wang = at_work(clinic), at_work(clinic, name="wang")
    first = _id(ask(li, a_jpeg(), accession="ACC-77", note="left shoulder"))
    clinic.site.time.now += 1
    second = _id(ask(li, a_jpeg(seed=1), note="right shoulder"))

    by_number = li.post("/history/find", data={"number": " ACC-77 "})
    by_word = li.post("/history/find", data={"number": "shoulder"})
    by_two = li.post("/history/find", data={"number": "RIGHT shoulder"})
    nothing = li.post("/history/find", data={"number": "elbow"})

    assert by_number.headers["location"].startswith("/cases/")
    assert all("shoulder" not in each.headers["location"] for each in (by_word, by_two))
    assert _rows(li, by_word.headers["location"]) == [second, first]
    assert _rows(li, by_two.headers["location"]) == [second]
    assert _rows(li, nothing.headers["location"]) == []
    theirs = wang.get(by_word.headers["location"]).text
    assert "no longer known" in theirs
    assert _rows(wang, by_word.headers["location"]) == []


@pytest.mark.parametrize("settings", [{"commit_first": True}, {"demonstration": False}], ids=["commit first", "silent"])
def test_words_of_others_find_nothing_until_ones_own_is_given(room_on_both, settings):
    """Else who commits first could ask what a colleague wrote, diagnosis by diagnosis; the note finds at once."""
    clinic = room_on_both(**settings)
    li, wang = at_work(clinic), at_work(clinic, name="wang")
    asked = _id(ask(li, a_jpeg(), note="left shoulder"))
    wang.post(f"/examinations/{asked}/word", data={"says": "other", "diagnosis": "Spitz naevus"})

    def finds(browser, words):
        return _rows(browser, browser.post("/history/find", data={"number": words}).headers["location"])

    before = [finds(li, "shoulder"), finds(li, "spitz"), finds(li, "shoulder spitz"), finds(wang, "spitz")]
    li.post(f"/examinations/{asked}/word", data={"says": "doubt"})

    assert before == [[asked], [], [], [asked]]
    assert finds(li, "shoulder spitz") == [asked]


def test_a_long_history_is_paged(room_on_both, monkeypatch):
    """The next page begins where the last one ended; together they hold everything once."""
    monkeypatch.setattr("cutis.serve.pages.history.PAGE", 3)
    clinic = room_on_both()
    browser = at_work(clinic)
    asked = []
    for seed in range(7):
        clinic.site.time.now += 1
        asked.append(_id(ask(browser, a_jpeg(seed=seed), device="DL5")))

    pages, path = [], "/history?device=DL5"
    while path:
        pages.append(_rows(browser, path))
        older = re.search(r'href="(/history\?[^"]*after=[^"]*)"', browser.get(path).text)
        path = older[1].replace("&amp;", "&") if older else None

    assert [len(each) for each in pages] == [3, 3, 1]
    assert [each for page in pages for each in page] == asked[::-1]


def test_who_opens_the_history_is_written_down(room_on_both):
    """Once for every page that is opened; an answer that a list shows for the first time counts as shown."""
    clinic = room_on_both()
    li, wang = at_work(clinic), at_work(clinic, name="wang")
    ask(li)

    for _ in range(2):
        wang.get("/history")
    with clinic.ground.database.reading() as connection:
        written = [(each.kind, each.content.get("what") or each.content.get("parts")) for each in entries(connection)]

    assert written[1:] == [("access", "history"), ("shown", ["list"]), ("access", "history")]
    assert Kind.ACCESS.value == "access"


def test_old_searches_are_forgotten():
    """A thousand are kept, the newest; each belongs to one person."""
    searches = Searches()
    first = searches.keep("li", "first")
    names = [searches.keep("li", f"{number}") for number in range(1000)]

    assert searches.of("li", first) is None
    assert searches.of("li", names[-1]) == "999"
    assert searches.of("wang", names[-1]) is None
