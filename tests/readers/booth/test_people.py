"""Who reads."""

import re
from dataclasses import replace

from sqlalchemy import select

from booths import a_booth, an_answer, answer_all, turns
from cutis.readers.booth.people import invite
from cutis.readers.booth.tables import ANSWERS, LEAVERS, READERS
from cutis.readers.protocol import Slot


def test_each_gets_a_place_and_nobody_two(booth):
    """Who was invited already stays as they are; who comes when all places are taken gets none."""
    labels = ["Li", " Wang ", "Li", "", "Zhao", "Chen"]
    with booth.site.database.writing() as connection:
        made = invite(connection, booth.study.protocol, labels, now=1, days=1)
        again = invite(connection, booth.study.protocol, ["wang", "Wang"], now=1, days=1)

    assert [(each.label, each.place) for each in made] == [("Li", "r1"), ("Wang", "r2"), ("Zhao", "r3"), ("Chen", None)]
    assert [each.token is None for each in again] == [True, True]


def test_nobody_reads_what_they_labelled(booth):
    """A rater of the dataset goes to the place that leaves their cases out, and to no other."""
    slots = (Slot(name="r1", rater="Dr. Li", cases=("case0",)), Slot(name="r2"), Slot(name="r3"))
    protocol = replace(booth.study.protocol, slots=slots, labellers=("Dr. Li", "Dr. Wang"))

    with booth.site.database.writing() as connection:
        made = invite(connection, protocol, ["Chen", "Dr. Wang", "dr. li", "Zhao", "Qian"], now=1, days=1)

    assert [each.place for each in made] == ["r2", None, "r1", "r3", None]


def test_withdrawing_erases_everything(booth, tmp_path):
    """Answers, profile, name, account, link, session; that somebody left is all that stays, and the place is free."""
    link = booth.invited("Dr. Planted")
    browser = booth.site.browser(accept="application/json")
    browser.post("/join", json={"token": link})
    from booths import consent
    from sites import proof_in

    browser.headers["x-proof"] = proof_in(browser)
    consent(browser)
    answer_all(browser)
    other = booth.reader("Wang")
    other.post("/booth/answers", json=an_answer(turns(other)[0]))

    unsure = browser.post("/booth/withdraw")
    sure = browser.post("/booth/withdraw", data={"sure": "true"})

    with booth.site.database.reading() as connection:
        labels = connection.execute(select(READERS.c.label)).scalars().all()
        answers = connection.execute(select(ANSWERS.c.number)).all()
        leavers = connection.execute(select(LEAVERS.c.had_begun)).scalars().all()
    assert (unsure.status_code, sure.headers["location"]) == (422, "/booth/left")
    assert (labels, len(answers), leavers) == (["Wang"], 1, [True])
    assert browser.get("/booth/turns").status_code == 401
    assert booth.site.browser().post("/join", json={"token": link}).status_code == 401
    assert booth.invited("Dr. Next")


def test_what_was_erased_is_not_left_in_the_file(tmp_path):
    """Neither in SQLite's file nor in its journal does a planted word remain."""
    with a_booth(tmp_path / "5", f"sqlite:///{tmp_path / 'booth.sqlite'}") as booth:
        browser = booth.reader("Dr. Planted-Word")
        answer_all(browser, confidence=0.5)
        before = b"Planted-Word" in _bytes(tmp_path)

        browser.post("/booth/withdraw", data={"sure": "true"})

        assert (before, b"Planted-Word" in _bytes(tmp_path)) == (True, False)


def test_consent_is_kept_with_the_words_that_were_shown(tmp_path, database_url):
    """The study's own words, where it has some: their hash, and when."""
    words = tmp_path / "consent"
    words.mkdir()
    (words / "en.txt").write_text("Our own words.\n\nAll of them.\n")

    with a_booth(tmp_path / "5", database_url, settings={"consent": words}) as booth:
        browser = booth.reader()
        shown = re.search(r'name="sha256" value="(\w+)"', browser.get("/booth/consent").text)[1]
        with booth.site.database.reading() as connection:
            row = connection.execute(select(READERS)).one()

        assert "Our own words." in browser.get("/booth/consent").text
        assert (row.consent_sha256, row.consented_at) == (shown, booth.site.time.now)
        assert (row.years, row.training, row.dermoscopy) == (7, "dermatologist", "daily")


def _bytes(folder):
    return b"".join(path.read_bytes() for path in folder.glob("booth.sqlite*"))
