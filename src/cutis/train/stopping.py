"""A polite end: the step at hand is finished and saved before the program leaves."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SAME_CALL = 1.0  # seconds in which a second signal is the first one, passed on by another process


@contextmanager
def stop_when_asked() -> Iterator[Callable[[], bool]]:
    """Lend a function that tells whether Ctrl-C or SIGTERM came; another, more than a second later, ends at once."""
    asked = threading.Event()
    heard_at: list[float] = []

    def hear(_signal: int, _frame: FrameType | None) -> None:
        heard_at.append(time.monotonic())
        if heard_at[-1] - heard_at[0] > SAME_CALL:
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
