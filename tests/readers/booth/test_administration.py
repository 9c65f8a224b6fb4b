"""The administrator's page."""

import re

import pytest

from booths import a_booth, an_answer, answer_all, turns
from cutis.readers.booth.export import READINGS
from cutis.vocabulary.reading import read_readings
from cutis.web.accounts import Role
from sites import proof_in


@pytest.fixture
def desk(booth):
    """The administrator's browser."""
    browser = booth.site.joined(booth.site.account(Role.ADMINISTRATOR))
    browser.headers["x-proof"] = proof_in(browser)
    return browser


def test_links_are_shown_once_and_open_the_door(booth, desk):
    """One a line; asked again, the page has none."""
    shown = desk.post("/booth/readers/invite", data={"names": "Li\nWang\n"}).text
    links = re.findall(r'value="(http://[^"]+/join#([\w-]+))"', shown)

    again = desk.post("/booth/readers/invite", data={"names": "Li\nWang\n"}).text

    assert len(links) == 2
    assert booth.site.browser().post("/join", json={"token": links[0][1]}).status_code == 200
    assert "/join#" not in again + desk.get("/booth/readers").text
    assert "was invited before" in again


def test_a_new_link_takes_the_place_of_the_lost_one(booth, desk):
    """The answers stay with the reader."""
    lost = booth.invited("Li")
    account = re.search(r'name="account" value="(\w+)"', desk.get("/booth/readers").text)[1]

    shown = desk.post("/booth/readers/link", data={"account": account}).text
    new = re.search(r"/join#([\w-]+)", shown)[1]

    joined = [booth.site.browser().post("/join", json={"token": token}).status_code for token in (lost, new)]
    assert joined == [401, 200]


def test_locking_out_ends_link_and_sessions(booth, desk):
    """What was answered stays."""
    reader = booth.reader("Li")
    reader.post("/booth/answers", json=an_answer(turns(reader)[0]))
    account = re.search(r'name="account" value="(\w+)"', desk.get("/booth/readers").text)[1]

    desk.post("/booth/readers/close", data={"account": account})

    assert reader.get("/booth/turns").status_code == 401
    assert desk.post("/booth/readers/close", data={"account": "nobody"}).status_code == 404


def test_progress_and_dropouts_are_shown_and_no_diagnosis_is(booth, desk):
    """States, counts and times; two weeks without an answer is quiet; who withdrew is counted."""
    done, begun, gone = booth.reader("Done"), booth.reader("Begun"), booth.reader("Gone")
    answer_all(done, seconds=12.4)
    answer_all(begun, until=1)
    gone.post("/booth/withdraw", data={"sure": "true"})

    early = desk.get("/booth/readers").text
    booth.site.time.now += 15 * 86_400
    late = booth.site.joined(_administrator(booth)).get("/booth/readers").text

    assert re.search(r"Done.*?Finished.*?6 of 6.*?>12<", early, re.DOTALL)
    assert re.search(r"Begun.*?Reading.*?0 of 6", early, re.DOTALL)
    assert "0 quiet, 1 withdrew" in early
    assert "1 quiet, 1 withdrew" in late
    assert "melanocytic" not in early


def test_export_writes_what_the_score_reads(booth, desk):
    """One row per reader and case, practice left out, names drawn at random, and what readers told of themselves."""
    li, wang = booth.reader("Li"), booth.reader("Wang")
    answer_all(li)
    answer_all(wang, until=1)
    wang.post("/booth/answers", json=an_answer(turns(wang)[0], diagnosis="mel", confidence=0.25, seconds=7, ago=60))

    shown = desk.post("/booth/export").text

    readings = read_readings(booth.study.folder / READINGS)
    profiles = desk.get("/booth/export/readers.csv").text
    assert "7 answers of 2 readers" in shown
    assert [reading.position for reading in readings if reading.diagnosis == "nv"] == [1, 2, 3, 4, 5, 6]
    only = next(reading for reading in readings if reading.diagnosis == "mel")
    assert (only.position, only.confidence, only.seconds, only.arm) == (1, 0.25, 7, "unaided")
    assert only.protocol_sha256 == booth.study.protocol.sha256
    assert only.case_id == booth.study.orders["r2", 1][0].case_id
    assert profiles.splitlines()[0] == "reader_id,years,training,dermoscopy"
    assert f"{only.reader_id},7,dermatologist,daily" in profiles
    assert "Wang" not in profiles + desk.get("/booth/export/readings.csv").text
    assert desk.get("/booth/export/readings.parquet").content == (booth.study.folder / READINGS).read_bytes()
    assert desk.get("/booth/export/plan.json").status_code == 404


def test_the_first_counted_answer_freezes_the_protocol(booth):
    """Practice does not."""
    from cutis.readers.protocol import begun_under

    reader = booth.reader()
    answer_all(reader, until=1)
    before = begun_under(booth.study.folder)
    reader.post("/booth/answers", json=an_answer(turns(reader)[0]))

    assert (before, begun_under(booth.study.folder)) == (None, booth.study.protocol.sha256)


def test_positions_run_on_over_the_sessions(tmp_path, database_url):
    """In a crossover the second session begins where the first one ended."""
    from cutis.readers.booth.export import readings_of

    with a_booth(tmp_path / "5", database_url, design="crossover", washout_days=0, aid=("top3",)) as booth:
        answer_all(booth.reader())
        with booth.site.database.reading() as connection:
            readings = readings_of(connection, booth.study)

    assert [reading.position for reading in readings] == list(range(1, 13))
    assert {reading.arm for reading in readings} == {"aided", "unaided"}


def _administrator(booth):
    from sqlalchemy import select

    from cutis.web.tables import ACCOUNTS

    with booth.site.database.reading() as connection:
        return connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.role == "administrator")).scalar_one()
