"""One lesion over time, on the screen and on paper."""

from __future__ import annotations

import re

from clinics import a_jpeg
from consulting import FOREIGN, UNSURE, a_blurred_jpeg, a_consulting_room, a_doubting_release, ask, at_work, text_of
from cutis.runtime.ready import Trusted
from cutis.serve.answering.answerer import Answerer
from cutis.serve.journal import Kind, entries
from cutis.serve.record.examinations import examination_of
from cutis.serve.settings import ClinicSettings
from cutis.serve.vault import Vault
from cutis.web.settings import read_settings


def _case_of(clinic, to):
    with clinic.ground.database.reading() as connection:
        return examination_of(connection, to.rpartition("/")[2]).case_id


def _over_time(clinic, browser):
    """A lesion that was examined twice, the second time by two pictures."""
    to = ask(browser, a_jpeg(colour="red"), note="左肩 left shoulder")
    case_id = _case_of(clinic, to)
    clinic.site.time.now += 60
    ask(browser, a_jpeg(colour=UNSURE), a_jpeg(colour=UNSURE, seed=1), case_id=case_id)
    browser.get(to)
    browser.post(f"{to}/word", data={"says": "agrees"})
    return case_id


def test_the_first_and_the_last_picture_stand_side_by_side(room_of):
    """Any other can be chosen; the examinations are listed, the newest first."""
    clinic = room_of()
    browser = at_work(clinic)
    case_id = _over_time(clinic, browser)

    page = browser.get(f"/cases/{case_id}").text
    chosen = re.findall(r'<option value="([^"]+)"[^>]* selected>', page)
    states = re.findall(r'class="state-chip (\w+)"', page)

    assert len(chosen) == 2
    assert chosen[0].endswith("/pictures/0")
    assert chosen[1].endswith("/pictures/1")
    assert states == ["unsure", "answered"]
    assert "左肩 left shoulder" in page


def test_nothing_is_opened_but_what_is_sent(room_of, monkeypatch):
    """One picture for one, none to count them; a place that no column holds is 404."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser, a_jpeg(), a_jpeg(seed=1))
    case_id, names, opened = _case_of(clinic, to), [], Vault.open

    def watched(*args, about):
        names.append(about)
        return opened(*args, about=about)

    monkeypatch.setattr(Vault, "open", watched)
    browser.get(f"/cases/{case_id}")
    assert not [name for name in names if name.startswith(("thumbnail", "picture"))]
    sent = [browser.get(f"{to}/pictures/{place}").status_code for place in (1, 2, -1, 10**30)]

    assert sent == [200, 404, 404, 404]
    assert [name.split()[:2] for name in names if name.startswith("picture")] == [["picture", "1"]]


def test_a_report_holds_everything_that_qualifies_an_answer(room_of):
    """Ranking, set, malignancy line, what cannot be said, word, release, journal; in English and in Chinese."""
    clinic = room_of()
    browser = at_work(clinic)
    case_id = _over_time(clinic, browser)
    with clinic.ground.database.reading() as connection:
        answers = list(entries(connection, kinds=[Kind.ANSWER]))

    english = text_of(browser.get(f"/cases/{case_id}/report.pdf").content)
    browser.cookies.set("language", "zh")
    chinese = text_of(browser.get(f"/cases/{case_id}/report.pdf").content)
    joined = re.sub(r"\s+", "", english)

    for said in (
        "For research. Not a medical device.",
        "Basal cell carcinoma",
        "> 99 %",
        "Not assessed: melanoma",
        "This network cannot say melanoma",
        "Unsure",
        "Agrees",
        "after seeing the answer",
        "左肩",
        "left shoulder",
        *(each.hash for each in answers),
        answers[0].content["weights_sha256"],
    ):
        assert re.sub(r"\s+", "", said) in joined, said
    for said in ("仅供研究使用", "基底细胞癌", "不确定", "黑素瘤", "同意"):
        assert said in re.sub(r"\s+", "", chinese), said


def test_a_report_holds_the_remarks_of_the_page(tmp_path):
    """On single pictures, and beside an answer that is none: paper says no less than the screen."""
    settings = read_settings(ClinicSettings, engine="onnxruntime-fp32", folder=tmp_path)
    release = Trusted(a_doubting_release(tmp_path / "release", invented=True))
    url = f"sqlite:///{tmp_path / 'i.sqlite'}"
    with (
        Answerer(release, settings, memory=tmp_path) as answerer,
        a_consulting_room(tmp_path / "i", url, answerer=answerer) as clinic,
    ):
        browser = at_work(clinic)
        asked = {
            "Picture 2 is left out: Too blurred to judge": ask(browser, a_jpeg(colour="red"), a_blurred_jpeg()),
            "this answer means nothing for a patient.": ask(browser, a_jpeg(colour=FOREIGN)),
        }
        pages = {said: browser.get(to).text for said, to in asked.items()}
        papers = {
            said: text_of(browser.get(f"/cases/{_case_of(clinic, to)}/report.pdf").content)
            for said, to in asked.items()
        }

    for said in asked:
        assert said in pages[said]
        assert re.sub(r"\s+", "", said) in re.sub(r"\s+", "", papers[said])


def test_that_a_case_was_taken_out_is_written_down(room_on_both):
    """Who, which case, and what each answer in it was shown as."""
    clinic = room_on_both()
    browser = at_work(clinic)
    case_id = _over_time(clinic, browser)

    sent = browser.get(f"/cases/{case_id}/report.pdf")
    with clinic.ground.database.reading() as connection:
        access = list(entries(connection, kinds=[Kind.ACCESS]))
        shown = [each for each in entries(connection, kinds=[Kind.SHOWN]) if each.content["parts"] == ["report"]]

    assert sent.headers["content-type"] == "application/pdf"
    assert sent.headers["content-disposition"] == f'attachment; filename="case-{case_id[:8]}.pdf"'
    assert [(each.case_id, each.content["what"]) for each in access] == [(case_id, "report")]
    assert len(shown) == 2


def test_markup_in_a_note_does_not_break_a_report(room_of):
    """It is printed as it was typed."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser, note="<b>5 < 6 & 7</font>\nnext line")

    text = text_of(browser.get(f"/cases/{_case_of(clinic, to)}/report.pdf").content)

    assert "<b>5 < 6 & 7</font>" in text
    assert "next line" in text


def test_a_case_that_is_not_there_is_404(room_of):
    """For the page and for the report."""
    browser = at_work(room_of())

    assert browser.get(f"/cases/{'0' * 32}").status_code == 404
    assert browser.get(f"/cases/{'0' * 32}/report.pdf").status_code == 404
