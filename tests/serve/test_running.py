"""A server among its neighbours: signals, and what is done every day."""

import io
import json
import os
import signal
import threading
import time

import pytest

from cutis.serve.running import every_day, on_hang_up, until_told
from cutis.web.logs import open_log


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_ends_the_block_and_closes_what_is_in_it(how):
    """It ends as if it had come to its own end, and the handlers of before are back."""
    before, closed = signal.getsignal(how), []

    with until_told():
        try:
            os.kill(os.getpid(), how)
            time.sleep(1)
            closed.append("went on")
        finally:
            closed.append("closed")

    assert closed == ["closed"]
    assert signal.getsignal(how) is before


def test_an_error_in_the_block_is_no_stop():
    """It goes on its way."""
    with pytest.raises(KeyError), until_told():
        raise KeyError


def test_a_hang_up_is_worked_on_in_a_thread_of_its_own():
    """The main thread, which serves, goes on; two signals in a row ask for no more than two rounds."""
    begun, done = threading.Semaphore(0), []

    def work():
        begun.release()
        time.sleep(0.05)
        done.append(threading.current_thread() is threading.main_thread())

    with on_hang_up(work):
        os.kill(os.getpid(), signal.SIGHUP)
        assert begun.acquire(timeout=5)
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGHUP)
        assert begun.acquire(timeout=5)

    assert done == [False, False]


def test_a_hang_up_that_is_in_hand_is_finished_at_the_end():
    """A release that is being changed over is not left half way."""
    begun, done = threading.Event(), []

    def work():
        begun.set()
        time.sleep(0.2)
        done.append(True)

    with on_hang_up(work):
        os.kill(os.getpid(), signal.SIGHUP)
        assert begun.wait(5)

    assert done == [True]


def test_daily_work_that_fails_is_written_down_and_tried_again():
    """One bad day is not the last one."""
    log, rounds, enough = io.StringIO(), [], threading.Event()

    def work():
        rounds.append(True)
        if len(rounds) == 1:
            raise ValueError("a bad day")
        enough.set()

    with every_day(work, tell=open_log(log).error, first=0.01, seconds=0.01):
        assert enough.wait(5)

    line = json.loads(log.getvalue().splitlines()[0])
    assert (line["event"], line["level"]) == ("daily work failed", "error")
    assert "a bad day" in line["exception"]
