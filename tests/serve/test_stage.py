"""A server from its start to its end, in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from time import sleep

import httpx2
import pytest

from clinics import a_jpeg
from cutis.serve.journal import entries
from cutis.serve.opening import opened
from cutis.web.tokens import make_token
from servers import a_server, a_signed_release, environment, starting

TRIALS = 10


@pytest.fixture
def words(release):
    """What a start is told beside its folder and its port."""
    return [*release.words, "--engine", "onnxruntime-fp32", "--demonstration"]


def test_the_first_start_says_where_it_is_and_who_may_come_in(tmp_path, words):
    """The administrator's link leads to their page and is good once; a demonstration has a clinician's too."""
    with a_server(tmp_path / "clinic", *words) as running:
        administrator, clinician = running.joined("administrator"), running.joined("clinician")
        again = httpx2.post(
            f"{running.origin}/join", json={"token": running.link()}, headers={"origin": running.origin}
        )
        homes = [browser.get("/").headers["location"] for browser in (administrator, clinician)]

    assert f"clinic:        {running.origin} " in running.lines
    assert homes == ["/staff", "/diagnose"]
    assert again.status_code == 401


def test_it_stops_as_it_is_told_and_leaves_a_journal_that_holds(tmp_path, words):
    """By SIGTERM and by Ctrl-C: exit 0, everything closed, the head of the journal anchored."""
    for how in (signal.SIGTERM, signal.SIGINT):
        with a_server(tmp_path / "clinic", *words) as running:
            running.tell(how)
            assert running.ended() == 0
        assert "next   cutis journal verify --folder" in running.lines
    assert any((tmp_path / "clinic" / "journal").iterdir())
    assert len(_journal(tmp_path / "clinic", kinds=["release"])) == 1  # the same one both times: nothing to tell


def test_the_monitor_looks_by_itself(tmp_path, words):
    """Soon after a start, so that the figures of operation know when."""
    with a_server(tmp_path / "clinic", *words) as running:
        token = a_token(tmp_path / "clinic")
        _until(lambda: _looked(running, token) > 0)


def test_a_request_in_hand_is_finished(tmp_path, words):
    """Whoever asked before the server was told to stop gets the answer, and it is in the journal."""
    with a_server(tmp_path / "clinic", *words) as running:
        token, told = a_token(tmp_path / "clinic"), []

        def ask():
            told.append(
                httpx2.post(f"{running.origin}/v1/diagnoses", content=_slowly(a_jpeg()), headers=token, timeout=30)
            )

        asking = threading.Thread(target=ask)
        asking.start()
        sleep(0.5)
        running.tell(signal.SIGTERM)
        asking.join()
        assert running.ended() == 0

    assert [each.status_code for each in told] == [201]
    answered = _journal(tmp_path / "clinic", kinds=["answer"])
    assert [each.examination_id for each in answered] == [told[0].json()["id"]]


def test_two_servers_never_work_in_one_folder(tmp_path, words):
    """The second one says so, and leaves the first one alone."""
    with a_server(tmp_path / "clinic", *words) as running:
        with starting(tmp_path / "clinic", *words) as second:
            assert second.ended() == 1
        assert httpx2.get(f"{running.origin}/health").status_code == 200

    assert "a server is at work in this folder" in second.lines


def test_a_start_that_is_killed_leaves_nothing_half(tmp_path, words):
    """Killed at ten moments of its first second; the next one starts as if nothing had been."""
    for trial in range(TRIALS):
        with starting(tmp_path / "clinic", *words) as running:
            sleep(0.12 * (trial + 1))
            running.tell(signal.SIGKILL)
            running.ended()
    with a_server(tmp_path / "clinic", *words) as running:
        running.joined("clinician")
        check = _checked(tmp_path / "clinic", *words)

    assert check.returncode == 0, check.stdout


def test_a_new_release_is_changed_over_to_at_sighup(tmp_path, words, release):
    """The one that lies where the settings say by now; one that was tampered with is refused, and all goes on."""
    pointer = tmp_path / "release"
    pointer.symlink_to(release.folder)
    other = a_signed_release(tmp_path / "other", name="another")
    words = ["--release", str(pointer), "--key", str(release.key), *words[4:]]
    with a_server(tmp_path / "clinic", *words) as running:
        token = a_token(tmp_path / "clinic")
        _point(pointer, other.folder)  # signed by another key
        running.tell(signal.SIGHUP)
        _until(lambda: "release refused" in running.lines)
        refused = httpx2.get(f"{running.origin}/v1/release", headers=token).json()["name"]
        settled = a_signed_release(tmp_path / "newer", name="newer", signer=release)
        _point(pointer, settled.folder)
        running.tell(signal.SIGHUP)
        _until(lambda: httpx2.get(f"{running.origin}/v1/release", headers=token).json()["name"] == "newer")

    assert refused == "invented"
    told = [each.content["name"] for each in _journal(tmp_path / "clinic", kinds=["release"])]
    assert told == ["invented", "newer"]


def test_it_ends_with_its_terminal(tmp_path, words):
    """Whoever closes the window does not leave a server behind that nobody sees."""
    master, slave = os.openpty()
    folder = tmp_path / "clinic"
    command = [sys.executable, "-m", "cutis", "serve", "--folder", str(folder), "--port", "0", *words]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=log,
            stderr=log,
            env=environment(folder),
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  a new session has no terminal until it takes one
        )
    os.close(slave)
    try:
        _until(lambda: "clinician: " in (tmp_path / "log").read_text())
        sleep(0.5)
        os.close(master)
        assert process.wait(20) == 0
    finally:
        process.kill()


def test_the_verb_knows_its_settings(tmp_path, words):
    """A key that it does not know is named, with those that it knows."""
    file = tmp_path / "clinic.toml"
    file.write_text("colour = 'green'\n")

    run = _checked(tmp_path / "clinic", "--settings", str(file), *words)

    assert run.returncode == 1
    assert "colour" in run.stdout
    assert "retention_days" in run.stdout


def a_token(folder):
    """Return the header of a program that may ask."""
    import time

    with opened(folder=folder) as kept, kept.database.writing() as connection:
        made = make_token(connection, "a test", scopes=["diagnose", "metrics"], now=time.time(), days=1)
    return {"authorization": f"Bearer {made.secret}", "content-type": "image/jpeg"}


def _checked(folder, *words):
    command = [
        sys.executable,
        "-m",
        "cutis",
        "serve",
        "--check",
        "--json",
        "--folder",
        str(folder),
        "--port",
        "0",
        *words,
    ]
    return subprocess.run(command, capture_output=True, text=True, env=environment(folder), check=False)


def _journal(folder, *, kinds):
    with opened(folder=folder) as kept, kept.database.reading() as connection:
        return [each for each in entries(connection) if each.kind in kinds]


def _looked(running, token):
    """When the monitor looked last, as Prometheus reads it."""
    lines = httpx2.get(f"{running.origin}/metrics", headers=token).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("cutis_monitor_looked"))


def _slowly(content):
    yield content[:100]
    sleep(1.5)
    yield content[100:]


def _point(pointer, folder):
    aside = pointer.with_name("aside")
    aside.symlink_to(folder)
    aside.rename(pointer)


def _until(happened, seconds=20):
    for _ in range(seconds * 20):
        if happened():
            return
        sleep(0.05)
    raise AssertionError(happened)


def _take_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
