"""What a reader meets: one case after the other, every answer kept once."""

import threading

import pytest
from sqlalchemy import select

from booths import CODES, a_booth, an_answer, answer_all, turns
from cutis.readers.booth.tables import ANSWERS, READERS

ASKS = ("confidence", "further", "management")


def kept(booth):
    """The answers in the database, in order."""
    with booth.site.database.reading() as connection:
        return connection.execute(select(ANSWERS).order_by(ANSWERS.c.number)).all()


def test_a_reader_reads_all_and_every_answer_is_kept_once(booth):
    """Practice first, then what counts; then it is done."""
    browser = booth.reader()

    count = answer_all(browser)

    assert count == len(kept(booth)) == 8
    assert browser.get("/booth/turns").json() == {"state": "done"}
    assert len({row.case_id for row in kept(booth)}) == 8


def test_practice_tells_the_diagnosis_and_the_rest_does_not(booth):
    """Right after the answer, and never before it."""
    browser = booth.reader()

    practice = browser.post("/booth/answers", json=an_answer(turns(browser)[0])).json()
    answer_all(browser, until=1)
    counted = browser.post("/booth/answers", json=an_answer(turns(browser)[0])).json()

    assert (practice["feedback"], counted["feedback"]) == ("nv", None)


def test_the_same_answer_sent_again_is_one_answer(booth):
    """The line was cut before the acknowledgement came: it is acknowledged again, and nothing is doubled."""
    browser = booth.reader()
    answer = an_answer(turns(browser)[0])

    said = [browser.post("/booth/answers", json=answer | {"ago": ago}) for ago in (0, 2, 90)]

    assert [each.status_code for each in said] == [200, 200, 200]
    assert {each.json()["kept"] for each in said} == {answer["answer_id"]}
    assert len(kept(booth)) == 1


def test_there_is_no_way_back(booth):
    """Another answer to an answered case is refused, and the first stays."""
    browser = booth.reader()
    first = turns(browser)[0]
    browser.post("/booth/answers", json=an_answer(first, diagnosis="mel"))

    again = browser.post("/booth/answers", json=an_answer(first, diagnosis="bcc"))

    assert (again.status_code, again.json()["kept"]) == (409, None)
    assert [row.diagnosis for row in kept(booth)] == ["mel"]


@pytest.mark.parametrize(("session", "position"), [(0, 2), (0, 99), (1, 1), (7, 1)])
def test_no_turn_is_skipped(booth, session, position):
    """An answer out of its turn is refused."""
    browser = booth.reader()

    answer = browser.post("/booth/answers", json=an_answer({"session": session, "position": position}))

    assert answer.status_code == 409
    assert kept(booth) == []


def test_ten_at_once_are_one(booth):
    """One reader in ten windows at the same moment: one answer is kept, the others are told."""
    browser = booth.reader()
    turn, said = turns(browser)[0], []
    gate = threading.Barrier(10)

    def send(number):
        gate.wait()
        said.append(browser.post("/booth/answers", json=an_answer(turn, diagnosis=CODES[number % 4])).status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == [200] + [409] * 9
    assert len(kept(booth)) == 1


def test_an_answer_that_waited_is_dated_when_it_was_given(booth):
    """By how long it waited, whatever the browser's clock says; and its time is what was seen of the case."""
    browser = booth.reader()
    turn = turns(browser)[0]
    booth.site.time.now += 500

    browser.post("/booth/answers", json=an_answer(turn, ago=120, seconds=9.25))

    row = kept(booth)[0]
    assert (row.received_at - row.answered_at, row.seconds) == (120, 9.25)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"diagnosis": "xyz"}, "diagnosis"),
        ({"diagnosis": "none"}, "diagnosis"),
        ({"confidence": None}, "confidence"),
        ({"confidence": 1.5}, "confidence"),
        ({"seconds": -1}, "seconds"),
        ({"further": ["mel"]}, "further"),
        ({"management": "biopsy"}, "management"),
        ({"ratings": {"mel": 0.5}}, "ratings"),
        ({"answer_id": "short"}, "answer_id"),
        ({"ago": -5}, "ago"),
        ({"truth": "mel"}, "truth"),
    ],
)
def test_what_was_not_asked_is_not_kept(small_booth, fields, named):
    """Each field that does not fit is named, and nothing is kept."""
    browser = small_booth.reader()

    answer = browser.post("/booth/answers", json=an_answer(turns(browser)[0]) | fields)

    assert (answer.status_code, answer.json()["fields"]) == (422, [named])
    assert kept(small_booth) == []


def test_ratings_that_were_never_given_are_no_ratings(tmp_path):
    """All at nought is how the sliders begin: only who says that it is none of these can mean it."""
    nothing = dict.fromkeys(CODES, 0.0)
    url = f"sqlite:///{tmp_path / 'b.sqlite'}"
    with a_booth(tmp_path / "5", url, asks=("confidence", "ratings"), none_of_these=True) as booth:
        browser = booth.reader()

        said = [
            browser.post("/booth/answers", json=an_answer(turns(browser)[0], diagnosis=diagnosis, ratings=nothing))
            for diagnosis in ("nv", "none")
        ]

    assert [answer.status_code for answer in said] == [422, 200]
    assert said[0].json()["fields"] == ["ratings"]


def test_further_choices_management_and_ratings_are_kept_where_they_are_asked(tmp_path, database_url):
    """As they were said; a choice twice is none."""
    asks = (*ASKS, "ratings")
    with a_booth(tmp_path / "5", database_url, asks=asks, none_of_these=True) as booth:
        browser = booth.reader()
        more = {"further": ["mel", "bcc"], "management": "biopsy", "ratings": dict.fromkeys(CODES, 0.25)}

        wrong = browser.post("/booth/answers", json=an_answer(turns(browser)[0], **more | {"further": ["nv"]}))
        right = browser.post("/booth/answers", json=an_answer(turns(browser)[0], diagnosis="none", **more))

        row = kept(booth)[0]
        assert (wrong.status_code, right.status_code) == (422, 200)
        assert (row.diagnosis, row.further, row.management, row.ratings["mel"]) == (
            "none",
            ["mel", "bcc"],
            "biopsy",
            0.25,
        )


def test_one_goes_on_where_one_stopped_on_any_device(booth):
    """The second device shows the same turn."""
    here = booth.reader()
    answer_all(here, until=1)
    here.post("/booth/answers", json=an_answer(turns(here)[0]))
    with booth.site.database.reading() as connection:
        account = connection.execute(select(READERS.c.account_id)).scalar_one()

    there = booth.site.joined(account)

    assert there.get("/booth/turns").json()["turns"] == turns(here)
    assert turns(here)[0]["position"] == 2


def test_nobody_reads_before_consent_and_profile(booth):
    """Neither page, nor turns, nor pictures, nor answers."""
    browser = booth.reader(ready=False)
    answer = an_answer({"session": 0, "position": 1})

    assert browser.get("/booth").headers["location"] == "/booth/consent"
    assert browser.get("/booth/turns").status_code == 403
    assert browser.post("/booth/answers", json=answer).status_code == 403
    assert (
        browser.post("/booth/profile", data={"years": 1, "training": "other", "dermoscopy": "none"}).status_code == 403
    )
    assert browser.post("/booth/consent", data={"sha256": "x", "agrees": "true"}).status_code == 422
    assert browser.get("/booth").headers["location"] == "/booth/consent"


@pytest.mark.parametrize(
    "wrong", [{"years": -1}, {"years": 99}, {"training": "king"}, {"dermoscopy": ""}, {"years": "x"}]
)
def test_a_profile_that_cannot_be_is_refused(small_booth, wrong):
    """Years, training and dermoscopy, each within what there is."""
    browser = small_booth.reader()
    told = {"years": 3, "training": "other", "dermoscopy": "none"}

    assert browser.post("/booth/profile", data=told | wrong).status_code == 422


def test_each_readers_order_is_their_own_and_stays(booth):
    """Drawn from the stored seed; asking twice is asking once."""
    one, two = booth.reader("Li"), booth.reader("Wang")
    orders = [[turn.case_id for turn in booth.study.orders[place, 1]] for place in ("r1", "r2")]

    assert orders[0] != orders[1]
    assert turns(one) == turns(one)
    assert turns(one)[0]["picture"] != turns(two)[0]["picture"]


def test_a_crossover_waits_for_its_washout(tmp_path, database_url):
    """The second session opens so many days after the last answer of the first was received."""
    fields = {"design": "crossover", "washout_days": 28, "aid": ("top3", "map")}
    with a_booth(tmp_path / "5", database_url, **fields) as booth:
        browser = booth.reader()
        answer_all(browser, until=2)

        early = browser.get("/booth/turns").json()
        refused = browser.post("/booth/answers", json=an_answer({"session": 2, "position": 1})).status_code
        booth.site.time.now += 28 * 86_400 + 1
        browser = booth.site.joined(_only_account(booth))
        late = browser.get("/booth/turns").json()

        assert (early["state"], refused, late["state"], late["session"]) == ("pause", 409, "reading", 2)
        assert early["opens_at"] == pytest.approx(booth.site.time.now, abs=2)


def test_in_one_sitting_the_network_speaks_after_the_reader(tmp_path, database_url):
    """Its answer comes with the second turn of a case, after the first is kept; what was said stands beside."""
    with a_booth(tmp_path / "5", database_url, design="sequential", aid=("top3",)) as booth:
        browser = booth.reader()
        answer_all(browser, until=1)

        before = turns(browser)
        after = browser.post("/booth/answers", json=an_answer(before[0], diagnosis="mel")).json()["turns"]

        assert [(turn["aided"], turn["aid"]) for turn in before] == [(False, None), (True, None)]
        assert after[0]["aid"] == {"top": [["nv", 0.7], ["mel", 0.2], ["bkl", 0.06]], "map": None}
        assert after[0]["said"]["diagnosis"] == "mel"
        assert after[1]["said"] is None


def test_a_map_is_sent_where_the_protocol_shows_it_and_only_in_its_turn(tmp_path, database_url):
    """Not the one of the turn ahead, and none where maps are not shown."""
    with a_booth(tmp_path / "5", database_url, design="sequential", aid=("top3", "map")) as booth:
        browser = booth.reader()
        answer_all(browser, until=1)
        first, second = turns(browser)
        path = second["picture"].replace("pictures", "maps")

        early = browser.get(path).status_code
        browser.post("/booth/answers", json=an_answer(first))
        in_time = browser.get(path)

        assert (early, in_time.status_code, in_time.headers["content-type"]) == (404, 200, "image/jpeg")
        assert turns(browser)[0]["aid"]["map"] == path


def _only_account(booth):
    with booth.site.database.reading() as connection:
        return connection.execute(select(READERS.c.account_id)).scalar_one()
