"""Programs ask."""

import io
import json
import socket
import threading
from contextlib import suppress

import pytest
from PIL import Image
from sqlalchemy import func, select

from clinics import a_jpeg
from cutis.client.contract import NO_MELANOMA
from cutis.runtime.batcher import Closed, TooManyWait
from cutis.serve.journal import Kind, opened
from cutis.serve.record.erasure import erase_case
from cutis.serve.tables import EXAMINATIONS, JOURNAL
from programs import ask, send
from sites import free_port, served

KEY = {"idempotency-key": "visit-2027-0001"}


def examinations(programs):
    """How many there are."""
    with programs.clinic.site.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(EXAMINATIONS)).scalar_one()


def journal(programs, *kinds):
    """What the journal holds, opened."""
    with programs.clinic.site.database.reading() as connection:
        return list(opened(connection, programs.clinic.clinic.vault, kinds=kinds))


def test_a_picture_is_answered_and_can_be_read_again(programs):
    """201 with its place; reading it again gives the same, and both are in the journal with what was shown."""
    program = programs.program("diagnose")

    asked = ask(program)
    read = program.get(asked.headers["location"])

    said = asked.json()
    assert (asked.status_code, read.status_code) == (201, 200)
    assert said == read.json()
    assert said["state"] == "answered"
    assert said["answer"]["findings"][0]["code"] == "a"
    assert sum(each["probability"] for each in said["answer"]["findings"]) == pytest.approx(1)
    kinds = [each.kept.kind for each in journal(programs)]
    assert kinds[-3:] == ["answer", "shown", "shown"]
    shown = journal(programs, Kind.SHOWN)[-1]
    assert shown.kept.content["to_program"]
    assert shown.sealed["ranking"][0][0] == "a"


def test_several_pictures_of_a_lesion_come_as_a_form(programs):
    """With what the clinic knows of them; the accession number is kept as a keyed hash alone."""
    program = programs.program("diagnose")

    first = send(program, a_jpeg(), a_jpeg(seed=2), accession="ACC-4711", device="dermatoscope 3", note="left arm")
    again = send(program, a_jpeg(seed=3), case_id=first.json()["case_id"])

    assert (first.status_code, again.status_code) == (201, 201)
    assert len(first.json()["answer"]["pictures"]) == 2
    assert again.json()["case_id"] == first.json()["case_id"]
    with programs.clinic.site.database.reading() as connection:
        rows = str(connection.execute(select(EXAMINATIONS)).all()) + str(connection.execute(select(JOURNAL)).all())
    assert "dermatoscope 3" in rows
    assert "4711" not in rows
    assert "left arm" not in rows


@pytest.mark.parametrize(("case_id", "status"), [("0" * 32, 404), ("nobody's", 404), ("../../etc/passwd", 404)])
def test_a_case_that_is_none_is_told_before_the_answer(few_programs, case_id, status):
    """And nothing is kept."""
    answer = send(few_programs.program("diagnose"), a_jpeg(), case_id=case_id)

    assert (answer.status_code, examinations(few_programs)) == (status, 0)


def test_an_erased_case_is_gone(few_programs):
    """410, for the answer, its map, and another picture of it."""
    program = few_programs.program("diagnose", "read")
    asked = ask(program).json()
    clinic = few_programs.clinic
    folder, vault = clinic.clinic.settings.journal_folder, clinic.clinic.vault
    told = {"by": "a test", "reason": "asked", "now": clinic.site.time.now}
    erase_case(clinic.site.database, vault, folder, asked["case_id"], **told)

    answers = [
        program.get(f"/v1/diagnoses/{asked['id']}"),
        program.get(f"/v1/diagnoses/{asked['id']}/maps/a"),
        send(program, a_jpeg(), case_id=asked["case_id"]),
    ]

    assert [answer.status_code for answer in answers] == [410, 410, 410]


def test_the_same_key_gives_the_same_examination(programs):
    """After a cut line nothing is doubled; another program's key of the same name is another one."""
    program, other = programs.program("diagnose"), programs.program("diagnose")

    answers = [ask(program, **KEY), ask(program, **KEY), ask(other, **KEY)]

    ids = [answer.json()["id"] for answer in answers]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert ids[0] == ids[1] != ids[2]
    assert examinations(programs) == 2


def test_a_key_that_came_with_other_pictures_is_refused(few_programs):
    """Or somebody would take the answer to one lesion for that to another."""
    program = few_programs.program("diagnose")
    ask(program, **KEY)

    answer = ask(program, a_jpeg(colour="blue"), **KEY)

    assert (answer.status_code, examinations(few_programs)) == (422, 1)
    assert "Idempotency-Key" in answer.json()["detail"]


def test_the_same_question_at_once_is_one_examination(programs):
    """Four lines at the same time, with one key."""
    headers = dict(programs.program("diagnose").headers)
    ids = []

    def one():
        browser = programs.clinic.site.browser(**{**headers, **KEY})
        del browser.headers["origin"]
        ids.append(ask(browser).json()["id"])

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == 4
    assert len(set(ids)) == 1
    assert examinations(programs) == 1


def test_a_silent_site_keeps_the_answer_and_tells_nothing_of_it(other_programs):
    """201 with the state "silent"; neither later nor by its map can more be learned."""
    with other_programs(demonstration=False) as programs:
        program = programs.program("diagnose", "read")

        asked = ask(program)
        read = program.get(asked.headers["location"])
        drawn = program.get(f"{asked.headers['location']}/maps/a")

        assert (asked.status_code, asked.json()["state"], asked.json()["answer"]) == (201, "silent", None)
        assert (read.json()["state"], read.json()["answer"], drawn.status_code) == ("silent", None, 404)
        assert "probability" not in asked.text
        assert journal(programs, Kind.SHOWN) == []
        assert len(journal(programs, Kind.ANSWER)) == 1
        assert not program.get("/v1/release").json()["is_shown"]


def test_a_hidden_map_is_not_drawn(other_programs, monkeypatch):
    """How long a refusal takes must not tell whether there is an answer."""
    drawn = []
    monkeypatch.setattr("cutis.serve.api.diagnoses.overlay", lambda *_, **__: drawn.append(1))
    with other_programs(demonstration=False) as programs:
        program = programs.program("diagnose", "read")
        where = ask(program).headers["location"]

        assert program.get(f"{where}/maps/a").status_code == 404
    assert drawn == []


def test_a_release_of_invented_pictures_says_so_in_every_answer(other_programs, tmp_path):
    """And a silent site says it too."""
    from clinics import an_answerer

    with an_answerer(tmp_path / "invented", invented=True) as answerer:
        for demonstration in (True, False):
            with other_programs(answerer, demonstration=demonstration) as programs:
                program = programs.program("diagnose")
                told = ask(program).json(), program.get("/v1/release").json()
            (tmp_path / "clinic.sqlite").unlink()
            assert all("invented pictures" in each["notice"] for each in told)
            assert told[0]["release"]["invented"]


def test_a_program_reads_what_it_asked_for_and_a_reader_everything(few_programs):
    """What another one asked for is not there for it."""
    mine, other, reader = (few_programs.program(scope) for scope in ("diagnose", "diagnose", "read"))
    place = ask(mine).headers["location"]

    assert [each.get(place).status_code for each in (mine, other, reader)] == [200, 404, 200]
    assert ask(reader).status_code == 403


def test_a_map_is_a_picture_to_lay_over(programs):
    """As large as the picture, by the name of a diagnosis; it is written down which."""
    program = programs.program("diagnose")
    asked = ask(program)
    depths = asked.json()["answer"]["maps"]

    drawn = program.get(f"{asked.headers['location']}/maps/b", params={"depth": depths[0]})

    with Image.open(io.BytesIO(drawn.content)) as layer:
        assert (layer.mode, layer.size) == ("RGBA", (320, 240))
    assert drawn.headers["content-type"] == "image/png"
    shown = journal(programs, Kind.SHOWN)[-1]
    assert (shown.sealed["diagnosis"], shown.sealed["depth"]) == ("b", depths[0])


@pytest.mark.parametrize("wrong", ["maps/none", "maps/a?depth=none", "maps/a?picture=2", "maps/..%2f..%2fetc"])
def test_a_map_that_is_none_is_not_found(few_programs, wrong):
    """And none is written down as shown."""
    program = few_programs.program("diagnose")
    place = ask(program).headers["location"]

    assert program.get(f"{place}/{wrong}").status_code == 404
    assert [each.sealed["depth"] for each in journal(few_programs, Kind.SHOWN)] == [None]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"no picture", "not an image"),
        (a_jpeg()[:2000], "truncated"),
        (b"GIF89a" + bytes(200), "unsupported format"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_reason(few_programs, sent, reason):
    """Which picture, in one word and in a sentence; nothing is kept."""
    answer = send(few_programs.program("diagnose"), a_jpeg(), sent)

    said = answer.json()
    assert (answer.status_code, said["picture"], said["reason"]) == (422, 2, reason)
    assert said["detail"].startswith("picture 2: ")
    assert examinations(few_programs) == 0


def test_a_picture_that_is_too_blurred_is_an_answer_of_its_own(few_programs):
    """Unusable, with the reason, and without a ranking."""
    dark = io.BytesIO()
    Image.new("RGB", (320, 240), (2, 2, 2)).save(dark, "JPEG")

    said = ask(few_programs.program("diagnose"), dark.getvalue()).json()

    assert (said["state"], said["answer"]["findings"]) == ("unusable", [])
    assert said["answer"]["reasons"][0]["picture"] == 0
    assert said["answer"]["pictures"][0]["verdict"] == "black"


class Full:
    """Something that answers, and has no room."""

    is_ready, waiting = True, 16

    def __init__(self, answerer, *, is_full, refusal):
        self.release, self.is_full, self._refusal = answerer.release, is_full, refusal

    async def answer(self, pictures, *, similar=True):  # noqa: ARG002  as the real one has it
        """Refuse."""
        raise self._refusal


@pytest.mark.parametrize(
    ("is_full", "refusal", "status"),
    [(True, TooManyWait("x"), 429), (False, TooManyWait("x"), 429), (False, Closed("x"), 503)],
)
def test_who_must_come_back_is_told_when(other_programs, answerer, is_full, refusal, status):
    """429 where others wait, 503 where nothing answers, both with the seconds (threat 13)."""
    with other_programs(Full(answerer, is_full=is_full, refusal=refusal)) as programs:
        answer = ask(programs.program("diagnose"))

        assert (answer.status_code, examinations(programs)) == (status, 0)
        assert int(answer.headers["retry-after"]) > 0


def test_a_gigabyte_in_pieces_is_refused_after_the_limit(other_programs):
    """Without a length: 413 when the limit is passed, and the line is cut; little more has come (threat 12)."""
    port = free_port()
    with other_programs(picture_bytes=200_000, pictures_of_a_lesion=2, port=port) as programs:
        head = f"POST /v1/diagnoses HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: image/jpeg\r\n"
        head += f"authorization: Bearer {programs.token('diagnose').secret}\r\ntransfer-encoding: chunked\r\n\r\n"
        piece, sent = b"10000\r\n" + bytes(65_536) + b"\r\n", 0
        with served(programs.clinic.site), socket.create_connection(("127.0.0.1", port)) as line:
            line.settimeout(20)
            line.sendall(head.encode())
            with suppress(ConnectionError):
                for _ in range(16_384):
                    line.sendall(piece)
                    sent += len(piece)
            with suppress(ConnectionError):
                said = line.recv(4096)

        assert sent < 20_000_000  # what lies in the buffers of the line
        assert said.startswith(b"HTTP/1.1 413")
        assert examinations(programs) == 0


def test_a_fault_of_ours_is_never_told_as_something_that_is_not_there(other_programs, answerer):
    """500, and the log has it; a program would else believe that its case was gone."""
    with other_programs(Full(answerer, is_full=False, refusal=KeyError("ours"))) as programs:
        assert ask(programs.program("diagnose")).status_code == 500
        assert "KeyError" in programs.clinic.site.log.getvalue()


def test_bodies_of_many_at_once_do_not_fill_the_memory(other_programs):
    """Beyond what may be held of all together one is told to come back, while what is held is answered (threat 13)."""
    with other_programs(picture_bytes=40_000, pictures_of_a_lesion=2, waiting=2) as programs:
        held = programs.clinic.clinic.held
        program = programs.program("diagnose")
        with held.by_one() as take:
            take(held.most - 10_000)
            refused = ask(program)
        answered = ask(program)

        assert (refused.status_code, answered.status_code) == (429, 201)
        assert held.count == 0


def test_nobody_who_may_not_ask_is_read(few_programs):
    """Before the body: a stranger costs a look, not a picture. Without any token it may be a browser's trick: 403."""
    wrong = few_programs.program(authorization="Bearer cutis_guessed")

    answers = [ask(each) for each in (wrong, few_programs.program("metrics"), few_programs.program())]

    assert [answer.status_code for answer in answers] == [401, 403, 403]


def test_an_answer_is_plain_json(few_programs):
    """Numbers that every language reads: no NaN, no infinity."""
    json.loads(ask(few_programs.program("diagnose")).text, parse_constant=pytest.fail)


def test_a_benign_answer_says_where_it_does_not_exclude_melanoma(few_programs):
    """In the notice, which must stand beside it: the release knows no melanoma."""
    program = few_programs.program("diagnose")

    benign, malignant = (ask(program, a_jpeg(colour=colour)).json() for colour in ("red", "blue"))

    assert benign["answer"]["excludes_no_melanoma"]
    assert benign["notice"] == NO_MELANOMA
    assert malignant["answer"]["findings"][0]["malignant"]
    assert malignant["notice"] is None
