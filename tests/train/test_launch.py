"""Several processes on one machine: all of them end, and the reason is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from cutis.progress import cores
from cutis.train.launch import launch
from cutis.vocabulary.errors import Stopped, UserError
from train import rank_jobs


def test_the_first_process_answers_and_torch_waits_for_its_threads(monkeypatch):
    """What is given arrives, each process knows its place, and the cores are shared before torch counts them."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    note, told, torch_was_there = launch(2, rank_jobs.tell, "hello", suffix="!")

    assert note == "hello!"
    assert told == {
        "RANK": "0",
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "OMP_NUM_THREADS": str(max(1, cores() // 2)),
    }
    assert not torch_was_there
    assert "RANK" not in os.environ


def test_one_process_is_this_one():
    """Nothing is started for it."""
    assert launch(1, os.getpid) == os.getpid()


def test_fewer_than_one_process_is_refused():
    """The user learns what to give."""
    with pytest.raises(UserError, match="0 processes cannot train"):
        launch(0, os.getpid)


def test_more_processes_than_cores_are_warned_of(capfd, monkeypatch):
    """In one line, and they run."""
    monkeypatch.setattr("cutis.train.launch.cores", lambda: 1)

    launch(2, rank_jobs.tell, "hello")

    assert capfd.readouterr().err == "2 processes share 1 cores, so this is slower than 1 processes would be\n"


def test_a_killed_process_ends_the_job_at_once():
    """The one that is left does not wait for it, and the user learns which was lost and what to do."""
    begun = time.monotonic()

    with pytest.raises(UserError, match=r"process 2 of 2 was lost \(killed by signal 9\)") as caught:
        launch(2, rank_jobs.end_at_once, "killed")

    assert time.monotonic() - begun < 30
    assert "the same command again" in caught.value.mend


def test_what_the_user_can_mend_comes_out():
    """As if it had been raised here."""
    with pytest.raises(UserError, match="the disk is full"):
        launch(2, rank_jobs.end_at_once, "mendable")


def test_our_bug_shows_its_traceback_and_its_rank(capfd):
    """The traceback is that of the process in which it happened."""
    with pytest.raises(RuntimeError, match=r"process 2 of 2 \(rank 1\) failed"):
        launch(2, rank_jobs.end_at_once, "ours")

    said = capfd.readouterr().err
    assert "ZeroDivisionError: one of our bugs" in said
    assert "rank_jobs.py" in said


def test_a_process_that_is_lost_is_the_cause_and_not_those_that_miss_it():
    """The one that is left says only that another was lost; the user is told which, and by what."""
    with pytest.raises(UserError, match="process 2 of 2 was lost"):
        launch(2, rank_jobs.end_oddly, "killed")


def test_an_error_that_ends_a_step_is_the_cause_and_not_the_broken_step():
    """The other's step breaks off by it."""
    with pytest.raises(UserError, match="the disk is full"):
        launch(2, rank_jobs.end_oddly, "mendable")


def test_a_process_that_hangs_ends_the_job_by_the_patience_of_the_others():
    """It is told by those that wait, and killed."""
    begun = time.monotonic()

    with pytest.raises(UserError, match="another process of this training was lost") as caught:
        launch(2, rank_jobs.end_oddly, "hanging", patience_s=3)

    assert time.monotonic() - begun < 30
    assert caught.value.where == "process 1 of 2"


def test_who_stops_late_may_save_first(tmp_path):
    """A polite end is one for all."""
    with pytest.raises(Stopped):
        launch(2, rank_jobs.stop_one_after_another, tmp_path)

    assert (tmp_path / "saved").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on(tmp_path, number):
    """Every process gets it, and may leave in order; then the parent leaves."""
    with _a_launch(tmp_path) as (parent, pids):
        parent.send_signal(number)
        said = parent.communicate(timeout=25)[1]

    assert "KeyboardInterrupt" in said
    assert {each.name for each in tmp_path.glob("*.left")} == {"0.left", "1.left"}
    assert not _alive(pids)


def test_no_process_outlives_a_killed_parent(tmp_path):
    """Neither the ranks nor what they started."""
    with _a_launch(tmp_path) as (parent, pids):
        parent.kill()
        parent.wait()

        assert _within(10, lambda: not _alive(pids))


@contextmanager
def _a_launch(folder: Path):
    """Start two processes from a parent of their own; yield it, and the ids of all that it started."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "train.rank_jobs", folder]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as parent:
        try:
            assert _within(25, lambda: len(list(folder.glob("*.pids"))) == 2)
            yield parent, [int(pid) for path in folder.glob("*.pids") for pid in path.read_text().split()]
        finally:
            parent.kill()


def _within(seconds: float, is_so) -> bool:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)
    return is_so()


def _alive(pids: list[int]) -> list[int]:
    """Those that run; one that nobody has buried yet does not."""
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # a system without /proc, or gone this very moment
        return not Path("/proc").exists()
