"""A server among its neighbours: told to stop, told to read its release anew, and at work once a day."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

DAY = 86_400.0
TERMINAL = 0  # standard input


class _ToldToStop(BaseException):
    """Unwinds what was opened, wherever the server stands."""


@contextmanager
def until_told() -> Iterator[None]:
    """End the block at SIGTERM or Ctrl-C, with everything in it closed; it ends as if it had come to its own end.

    While requests are served, uvicorn hears these signals first and finishes what is in hand; then it raises them
    once more, which by themselves would end the process before anything is closed.
    """
    signals = (signal.SIGTERM, signal.SIGINT)

    def stop(_: int, __: FrameType | None) -> None:
        for each in signals:  # a second Ctrl-C would leave half of it open
            signal.signal(each, signal.SIG_IGN)
        raise _ToldToStop

    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    except _ToldToStop:
        pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def on_hang_up(work: Callable[[], None]) -> Iterator[None]:
    """Do some work at SIGHUP, in a thread of its own, one at a time; a signal meanwhile asks for one more round.

    Where the signal comes since the terminal is gone, nobody is left to see the server: it is told to stop.
    """
    wanted, ended = threading.Event(), threading.Event()
    had_terminal = os.isatty(TERMINAL)

    def working() -> None:
        while True:
            wanted.wait()
            wanted.clear()
            if ended.is_set():
                return
            if had_terminal and not os.isatty(TERMINAL):
                os.kill(os.getpid(), signal.SIGTERM)
                return
            work()

    before = signal.signal(signal.SIGHUP, lambda *_: wanted.set())
    thread = threading.Thread(target=working, name="hang-up", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
        ended.set()
        wanted.set()
        thread.join()


@contextmanager
def every_day(
    work: Callable[[], object], *, tell: Callable[..., object], first: float = DAY, seconds: float = DAY
) -> Iterator[None]:
    """Do some work every day, in a thread of its own; `tell` is told what goes wrong, and it is tried again.

    Args:
        work: what is to be done.
        tell: is told what goes wrong.
        first: seconds until the first time.
        seconds: of a day.
    """
    ended = threading.Event()

    def working() -> None:
        wait = first
        while not ended.wait(wait):
            wait = seconds
            try:
                work()
            except Exception as error:  # noqa: BLE001  tomorrow's round does not depend on today's
                tell("daily work failed", exc_info=error)

    thread = threading.Thread(target=working, name="every-day", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
