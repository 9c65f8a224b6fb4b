"""Long work shows how far it is and how long it still takes: a bar on a terminal, plain lines elsewhere.

Everything goes to standard error, so that standard output stays clean for answers and JSON.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

SECONDS_BETWEEN_LINES = 10.0
ITEMS_WORTH_A_PROCESS = 32


def say(line: str) -> None:
    """Tell the user one line, beside the answers."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  this is the one place that prints


def track(items: Iterable[Item], what: str, *, total: int, done: int = 0) -> Iterator[Item]:
    """Yield the items while showing progress. `done` of `total` were finished earlier."""
    return _bar(items, what, total, done) if sys.stderr.isatty() else _lines(items, what, total, done)


def track_parallel(
    function: Callable[[Item], Result], items: Sequence[Item], what: str, *, processes: int | None = None
) -> Iterator[Result]:
    """Yield ``function(item)`` in order, computed on all cores, while showing progress.

    `function` must be a module-level function; it runs in fresh processes where there is enough to do.
    """
    workers = min(processes or cores(), len(items) // ITEMS_WORTH_A_PROCESS)
    if workers <= 1:
        yield from track(map(function, items), what, total=len(items))
        return
    chunk = max(1, min(16, len(items) // (workers * 4)))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_ignore_ctrl_c) as pool:
        yield from track(pool.map(function, items, chunksize=chunk), what, total=len(items))


def _ignore_ctrl_c() -> None:
    """Leave the answer to Ctrl-C, which a terminal sends to every process, to the one that is talked to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def cores() -> int:
    """Return on how many cores this process may run; not every system says which.

    A container's share of the processor counts as its cores: more threads than that would wait for each other.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _lent_cores() or usable))


def _lent_cores() -> int | None:
    """Return how many cores a container lends at most, rounded up; None where it lends all."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return -(-int(quota) // int(period)) if quota.isdigit() else None


def _bar(items: Iterable[Item], what: str, total: int, done: int) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, completed=done)
        for item in items:
            yield item
            progress.advance(task)


def _lines(items: Iterable[Item], what: str, total: int, done: int) -> Iterator[Item]:
    start = first = told = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if count == 1:
            first = told = now  # until here processes were started and caches filled, which says nothing of the rest
        elif now - told >= SECONDS_BETWEEN_LINES and done + count < total:
            left = (now - first) / (count - 1) * (total - done - count)
            say(f"{what}: {done + count} of {total}, {spoken(left)} left")
            told = now
    say(f"{what}: {total} of {total}, {spoken(time.monotonic() - start)}")


def spoken(seconds: float) -> str:
    """Say a time as people do: "40 s", "3 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
