"""Pictures go in, and what stands against them comes back in plain words; nothing lies on the disk in the clear."""

from __future__ import annotations

import tempfile

import pytest
from sqlalchemy import func, select

from clinics import a_jpeg
from consulting import a_consulting_room, ask, at_work
from cutis.serve.pages import examining, standing
from cutis.serve.record.erasure import erase_case
from cutis.serve.record.examinations import examination_of
from cutis.serve.tables import CONTENTS, EXAMINATIONS
from cutis.web.accounts import Role

JSON = {"accept": "application/json"}


def _post(browser, *contents, **texts):
    files = [("picture", ("picture", content, "image/jpeg")) for content in contents]
    return browser.post("/diagnose", files=files, data=texts, headers=JSON)


def _count(clinic):
    with clinic.ground.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(EXAMINATIONS)).scalar_one()


def test_pictures_of_one_lesion_lead_to_one_answer(room_on_both):
    """With device and note; what was typed is kept, what the files were called is not."""
    clinic = room_on_both()
    browser = at_work(clinic)

    to = ask(browser, a_jpeg(), a_jpeg(seed=1), device="DL5", note="left shoulder", accession="A-1")
    page = browser.get(to)

    assert page.status_code == 200
    assert "Basal cell carcinoma" in page.text
    assert "left shoulder" in page.text
    assert page.text.count('data-picture="') == 2
    assert _count(clinic) == 1


def test_a_question_that_is_sent_twice_is_one_examination(room_on_both):
    """As when the line is cut before the answer arrives, and the page tries again."""
    clinic = room_on_both()
    browser, other = at_work(clinic), at_work(clinic, name="wang")
    name = "0123456789abcdef0123456789abcdef"

    first, again, theirs = (ask(each, a_jpeg(), key=name) for each in (browser, browser, other))

    assert first == again != theirs
    assert _count(clinic) == 2


def test_a_question_of_the_same_name_with_another_picture_is_refused(room_of):
    """The page draws a new name for each lesion; were it ever mistaken, no answer would stand for another's."""
    clinic = room_of()
    browser = at_work(clinic)
    ask(browser, a_jpeg(), key="drawn-once")

    files = [("picture", ("picture", a_jpeg(colour="blue"), "image/jpeg"))]
    answer = browser.post("/diagnose", files=files, headers=JSON | {"idempotency-key": "drawn-once"})

    assert (answer.status_code, _count(clinic)) == (422, 1)


def test_a_lesion_is_examined_again(room_of):
    """Under the same case; a case that is not there is 404, an erased one 410."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)
    with clinic.ground.database.reading() as connection:
        case_id = examination_of(connection, to.rpartition("/")[2]).case_id

    ask(browser, a_jpeg(seed=2), case_id=case_id)
    page = browser.get(f"/diagnose?case={case_id}")
    nowhere = _post(browser, a_jpeg(), case_id="f" * 32)
    folder = clinic.clinic.settings.journal_folder
    told = {"by": "boss", "reason": "asked", "now": 1.0}
    erase_case(clinic.ground.database, clinic.clinic.vault, folder, case_id, **told)
    erased = [_post(browser, a_jpeg(), case_id=case_id), browser.get(f"/diagnose?case={case_id}"), browser.get(to)]

    assert "examinations so far: 2" in page.text
    assert nowhere.status_code == 404
    assert [each.status_code for each in erased] == [410, 410, 410]
    assert "erased" in erased[-1].text


def test_a_case_that_is_erased_between_two_looks_is_gone(room_of, monkeypatch):
    """410, as if it had been erased before; for a script too."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)
    looked = examining.reveal

    def erased(here, ground, found, *args, **named):
        told = {"by": "boss", "reason": "asked", "now": 1.0}
        erase_case(ground.database, here.vault, here.settings.journal_folder, found.case_id, **told)
        return looked(here, ground, found, *args, **named)

    monkeypatch.setattr(examining, "reveal", erased)
    monkeypatch.setattr(standing, "case_here", lambda *_: None)
    pages = [browser.get(to), browser.get(to, headers=JSON)]

    assert [each.status_code for each in pages] == [410, 410]
    assert "This case was erased" in pages[0].text


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ([b"no picture at all"], "The picture could not be read: this is no picture."),
        ([a_jpeg(), a_jpeg()[:900]], "Picture 2 could not be read: it breaks off in the middle."),
    ],
)
def test_a_picture_that_cannot_be_read_is_named_with_its_reason(room_of, contents, said):
    """422, and nothing is kept."""
    clinic = room_of()

    refused = _post(at_work(clinic), *contents)

    assert refused.status_code == 422
    assert refused.json()["said"].startswith(said)
    assert _count(clinic) == 0


def test_too_much_is_refused_before_it_is_looked_at(doubting, tmp_path):
    """413 for a picture that is too large and for a body beyond all of them; 422 for one too many, and for none."""
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    with a_consulting_room(tmp_path, url, answerer=doubting, picture_bytes=60_000, pictures_of_a_lesion=2) as clinic:
        browser = at_work(clinic)
        large = _post(browser, a_jpeg() + b"\0" * 60_000)
        body = _post(browser, b"\0" * 400_000)
        many = _post(browser, a_jpeg(), a_jpeg(), a_jpeg())
        none = browser.post("/diagnose", files=[("note", (None, "x"))], headers=JSON)
        plain = browser.post("/diagnose", content=b"x", headers=JSON | {"content-type": "text/plain"})

    assert [each.status_code for each in (large, body, many, none, plain)] == [413, 413, 422, 422, 415]


def test_pictures_of_all_who_send_count_in_one(room_of):
    """Where others fill the memory, who comes is told to come back; what was held for one is given back after it."""
    clinic = room_of()
    browser, held = at_work(clinic), clinic.clinic.held

    ask(browser)
    left = held.count
    held.count = held.most
    full = _post(browser, a_jpeg())

    assert left == 0
    assert full.status_code == 429
    assert held.count == held.most


class Full:
    """An answerer whose queue is full."""

    is_full = True

    def __init__(self, answerer):
        """Stand before another one."""
        self.release = answerer.release


def test_a_full_queue_says_when_to_come_back(doubting, tmp_path):
    """429 with Retry-After, before the pictures are read."""
    with a_consulting_room(tmp_path, f"sqlite:///{tmp_path / 'c.sqlite'}", answerer=Full(doubting)) as clinic:
        refused = _post(at_work(clinic), a_jpeg())

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1


def test_pictures_never_lie_in_a_temporary_file(room_of, monkeypatch):
    """A form of many parts is otherwise spooled to the disk from a megabyte on, in the clear."""
    clinic = room_of()
    browser = at_work(clinic)
    rolled = []
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda _: rolled.append(1))

    sent = _post(browser, a_jpeg() + b"\0" * 3_000_000)

    assert sent.status_code == 201
    assert rolled == []


def test_only_clinicians_ask_and_read(room_of):
    """Nobody else reaches a page with a patient's picture, and no form of another page is taken."""
    clinic = room_of()
    browser = at_work(clinic)
    to = ask(browser)
    others = [clinic.site.joined(clinic.site.account(role)) for role in Role if role is not Role.CLINICIAN]
    paths = ("/diagnose", "/history", to, f"{to}/pictures/0", f"{to}/thumbnails/0", f"{to}/similar")

    refused = {each.get(path).status_code for each in others for path in paths}
    stranger = clinic.site.browser(accept="application/json").get(to)
    del browser.headers["x-proof"]
    unproven = _post(browser, a_jpeg())
    foreign = browser.post(
        "/diagnose", files=[("picture", ("p", a_jpeg()))], headers={"origin": "https://evil.example"}
    )

    assert refused == {403}
    assert (stranger.status_code, unproven.status_code, foreign.status_code) == (401, 403, 403)


def test_what_was_sealed_holds_nothing_that_was_typed(room_of):
    """A planted word stands in no column of the record in the clear."""
    clinic = room_of()
    ask(at_work(clinic), note="PLANTED-7391", accession="PLANTED-7391")

    with clinic.ground.database.reading() as connection:
        rows = [*connection.execute(select(CONTENTS)), *connection.execute(select(EXAMINATIONS))]

    assert b"PLANTED-7391" not in repr(rows).encode()
