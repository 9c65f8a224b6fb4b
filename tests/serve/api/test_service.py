"""What answers, whether it does, and what is written down of it."""

import io
import json

import pytest
from PIL import Image

from clinics import a_jpeg
from cutis.serve.api import meters
from cutis.web.accounts import Role
from programs import ask, figures, send

HOSTILE = "x\r\nlevel: admin\x1b[31m\u2028\x85{}"


def test_the_release_says_what_it_can_and_how_much_it_takes(few_programs):
    """By name and hash, with all its diagnoses."""
    said = few_programs.program("read").get("/v1/release").json()

    now = few_programs.clinic.clinic.answerer.release
    assert (said["name"], said["sha256"], said["is_shown"]) == (now.name, now.sha256, True)
    assert [each["code"] for each in said["diagnoses"]] == list(now.bundle.taxonomy.codes)
    assert (said["pictures_of_a_lesion"], said["picture_bytes"]) == (6, 32 << 20)


def test_it_is_ready_while_a_release_and_the_database_answer(programs):
    """Without a token."""
    answer = programs.program().get("/ready")

    assert (answer.status_code, answer.json()) == (200, {"ready": True})


class Away:
    """Something that does not answer yet, or no more."""

    is_ready, is_full, waiting = False, False, 0


def test_it_is_not_ready_before_the_self_test(other_programs):
    """503 with the seconds after which to look again; it lives all the while."""
    with other_programs(Away()) as programs:
        ready, alive = programs.program().get("/ready"), programs.program().get("/health")

        assert (ready.status_code, alive.status_code) == (503, 200)
        assert int(ready.headers["retry-after"]) > 0
        assert figures(programs)[("cutis_ready",)] == 0


def test_it_is_not_ready_without_its_database(few_programs, tmp_path):
    """503, and not 500."""
    few_programs.clinic.site.database.close()
    (tmp_path / "clinic.sqlite").unlink()
    (tmp_path / "clinic.sqlite").mkdir()

    answer = few_programs.program().get("/ready")

    assert (answer.status_code, answer.json()["detail"]) == (503, "the database does not answer")


def test_the_figures_count_what_was_asked_and_answered(programs):
    """Requests by route and status, answers by state, seconds by part, the journal's number."""
    program = programs.program("diagnose")
    black = io.BytesIO()
    Image.new("RGB", (320, 240), (2, 2, 2)).save(black, "JPEG")
    for picture in (a_jpeg(), a_jpeg(seed=2), black.getvalue(), b"none"):
        ask(program, picture)
    first = figures(programs)
    ask(program)

    found = figures(programs)

    route = (("method", "POST"), ("route", "/v1/diagnoses"))
    assert found["cutis_requests_total", *route, ("status", "201")] == 4
    assert found["cutis_requests_total", *route, ("status", "422")] == 1
    release = ("release", "invented")
    assert found["cutis_answers_total", release, ("state", "answered")] == 3
    assert found["cutis_answers_total", release, ("state", "unusable")] == 1
    times = {"receiving": 5, "answering": 4, "keeping": 4, "showing": 4}
    assert {part: found["cutis_answer_seconds_count", ("part", part)] for part in times} == times
    assert found[("cutis_journal_number",)] == first[("cutis_journal_number",)] + 3  # a token, an answer, a sight of it
    assert found[("cutis_waiting",)] == 0
    assert found[("cutis_ready",)] == 1


def test_a_read_that_fails_midway_counts_no_answer_twice(programs, monkeypatch):
    """The next one goes on after the last answer that was counted."""
    program, few = programs.program("diagnose"), meters.entries
    ask(program)
    ask(program, a_jpeg(seed=2))

    def broken(*args, **named):
        yield next(few(*args, **named))
        raise OSError("the database went away")

    with monkeypatch.context() as patched:
        patched.setattr(meters, "entries", broken)
        assert programs.program("metrics").get("/metrics").status_code == 500

    found = figures(programs)
    assert found["cutis_answers_total", ("release", "invented"), ("state", "answered")] == 2


def test_what_was_kept_before_is_not_counted_as_kept_again(programs):
    """A question that is asked again with its key: in no time, it would say."""
    program = programs.program("diagnose")
    first, again = (ask(program, **{"idempotency-key": "visit-2027-0001"}).json()["id"] for _ in range(2))

    found = figures(programs)

    assert first == again
    assert found["cutis_answer_seconds_count", ("part", "keeping")] == 1
    assert found["cutis_answer_seconds_sum", ("part", "keeping")] > 0


def test_of_an_answer_that_is_not_shown_no_figure_tells_more(other_programs):
    """A silent site's, whoever asked: who asks and watches at once would else read each answer's state."""
    black = io.BytesIO()
    Image.new("RGB", (320, 240), (2, 2, 2)).save(black, "JPEG")
    with other_programs(demonstration=False) as programs:
        ask(programs.program("diagnose"), black.getvalue())
        programs.clinic.examined()

        found = figures(programs)

        states = {dict(name[1:])["state"]: count for name, count in found.items() if name[0] == "cutis_answers_total"}
        assert states == {"silent": 2}


def test_figures_are_for_those_who_watch(few_programs):
    """A token for it, the administrator, the auditor; nobody else."""
    site = few_programs.clinic.site
    allowed = {role for role in Role if site.joined(site.account(role)).get("/metrics").status_code == 200}

    assert allowed == {Role.ADMINISTRATOR, Role.AUDITOR}
    assert few_programs.program("diagnose").get("/metrics").status_code == 403
    assert few_programs.program().get("/metrics").status_code == 401


def test_no_figure_has_a_name_that_a_stranger_chose(few_programs):
    """Or the memory would fill with them: routes and methods are ours."""
    for number in range(50):
        few_programs.program().request(f"ODD{number}", f"/nothing/{number}")

    labels = [name for name in figures(few_programs) if name[0] == "cutis_requests_total"]
    assert len(labels) <= 3
    assert "nothing" not in str(labels)


def test_nobody_reaches_a_program_s_route_by_a_session(few_programs):
    """A clinician's browser has pages for it, where the word may come first."""
    site = few_programs.clinic.site
    place = ask(few_programs.program("diagnose")).headers["location"]

    found = {site.joined(site.account(role)).get(place).status_code for role in Role}

    assert found == {403}


def test_every_line_of_the_log_is_one_line(few_programs):
    """Line ends, escapes and markup in every field and header: a line of JSON each, of one event (threat 18)."""
    program = few_programs.program("diagnose")
    fields = ("case_id", "accession", "device", "note")
    for name in fields:
        send(program, a_jpeg(), **{name: HOSTILE})
    head = f'Content-Disposition: form-data; name="{HOSTILE}"; filename="{HOSTILE}"'
    odd = f"--x\r\n{head}\r\n\r\n{HOSTILE}\r\n--x--\r\n".encode()
    program.post("/v1/diagnoses", content=odd, headers={"content-type": "multipart/form-data; boundary=x"})
    for header in ("idempotency-key", "accept", "accept-language", "user-agent", "x-request-id", "x-forwarded-for"):
        ask(program, **{header: HOSTILE.replace("\r\n", " ").encode()})
    program.get("/v1/diagnoses/" + "%0d%0a%1b[31m")
    program.get("/v1/diagnoses/x/maps/y?depth=%0d%0a%1b[31m")
    few_programs.program(authorization="Bearer \x1b[31m").get("/v1/release")

    lines = few_programs.clinic.site.log.getvalue().splitlines()

    assert len(lines) >= 12
    assert {json.loads(line)["event"] for line in lines} <= {"answered", "token refused"}
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert "admin" not in "".join(lines)


@pytest.mark.parametrize("path", ["/v1/diagnoses/", "/v1/", "/v1/release/", "/v2/release", "/v1/diagnoses/x/maps"])
def test_nothing_else_is_there(few_programs, path):
    """404, also with a slash too many."""
    assert few_programs.program("read").get(path).status_code in {404, 422}
