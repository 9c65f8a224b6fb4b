"""Huge and slow callers of a served booth: what a body of 1 GB costs it, and whether 200 slow ones slow the others.

The booth is served as users start it. A body of 1 GB is sent in chunks, its length not told: by a caller who stops
when answered, by one who goes on whatever is said, and by eight at once. Then 200 sockets send a head, a body or
nothing at all, a letter at a time, while another caller asks for a page on a new connection each; rounds with them and
without take turns, and what is compared are the medians of the rounds' 95th percentiles.

    PYTHONPATH=tests python benchmarks/border_web.py [--rounds 11] [--asked 300] [--slow 200]

Needs two cores: server, slow callers and the one who is timed share them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import multiprocessing
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

import numpy as np

from booths import a_study
from cutis.progress import cores, say
from sites import free_port

HERE = Path(__file__).parent
BODY = 10**9
PART = b"x" * 2**16
CHUNK = b"%x\r\n%s\r\n" % (len(PART), PART)
AT_ONCE = 8
PROMISED = 2.0  # times as long, at most, the others' 95th percentile may be
LETTER = 0.5  # seconds from one letter of a slow caller to the next


class Sent(NamedTuple):
    """What became of a huge body."""

    answer: str  # the first line
    megabytes: float  # that the socket took before it was closed
    seconds: float


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument("--slow", type=int, default=200)
    given = parser.parse_args()
    with _served() as (port, pid):
        bodies = _bodies(port, pid)
        paces = _paces(port, given)
    table = _table(bodies, paces, given)
    print(table)
    (HERE / "border_web.md").write_text(table, encoding="utf-8")


@contextlib.contextmanager
def _served() -> Iterator[tuple[int, int]]:
    """Serve a booth in a process of its own; give its port and its number."""
    with tempfile.TemporaryDirectory() as folder:
        work, port = Path(folder) / "work", free_port()
        a_study(work / "5_readers")
        command = [sys.executable, "-m", "cutis", "readers", "booth", "-w", str(work), "--port", str(port)]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  our own command line
        try:
            while not _is_alive(port):
                time.sleep(0.05)
                if process.poll() is not None:
                    raise RuntimeError((Path(folder) / "log").read_text())
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _is_alive(port: int) -> bool:
    with contextlib.suppress(OSError):
        return _asked(port, "/health") > 0
    return False


def _bodies(port: int, pid: int) -> list[tuple[str, list[Sent], float]]:
    """Send huge bodies, and return by the kind of caller what became of them and how far the memory's peak rose."""
    _send(port, heeds=True)  # so that what the first such request loads is loaded
    found = []
    for name, heeds, count in (
        ("stops when answered", True, 1),
        ("goes on whatever is said", False, 1),
        (f"{AT_ONCE} at once, all going on", False, AT_ONCE),
    ):
        say(f"a body of 1 GB, {name}")
        before = _peak(pid)
        sent: list[Sent] = []
        threads = [threading.Thread(target=_append_sent, args=(sent, port, heeds)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found.append((name, sent, _peak(pid) - before))
    return found


def _append_sent(sent: list[Sent], port: int, heeds: bool) -> None:  # noqa: FBT001  what a thread is given has no names
    sent.append(_send(port, heeds=heeds))


def _send(port: int, *, heeds: bool) -> Sent:
    """Send 1 GB in chunks, until an answer comes or, where it is not heeded, until the socket takes no more."""
    started, taken, answer = time.perf_counter(), 0, b""
    head = f"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
    head += "content-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode())
        line.settimeout(5)
        with contextlib.suppress(OSError):
            while taken < BODY and not (heeds and answer):
                line.sendall(CHUNK)
                taken += len(PART)
                answer = answer or _heard(line)
        with contextlib.suppress(OSError):
            answer = answer or line.recv(4096)
    said = answer.split(b"\r\n")[0].decode() or "closed without a word"
    return Sent(said, taken / 10**6, time.perf_counter() - started)


def _heard(line: socket.socket) -> bytes:
    """Return what has been answered so far, without waiting for it."""
    return line.recv(4096) if select.select([line], [], [], 0)[0] else b""


def _peak(pid: int) -> float:
    """Return the most memory that a process ever held, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 10**6


def _paces(port: int, given: argparse.Namespace) -> list[tuple[float, float]]:
    """Return each round's 95th percentile without slow callers and with them, in seconds."""
    found = []
    for number in range(given.rounds):
        say(f"round {number + 1} of {given.rounds}")
        first_with = bool(number % 2)
        pair = {with_them: _round(port, given, with_them=with_them) for with_them in (first_with, not first_with)}
        found.append((pair[False], pair[True]))
    return found


def _round(port: int, given: argparse.Namespace, *, with_them: bool) -> float:
    with _slow(port, given.slow if with_them else 0):
        times = [_asked(port, "/sign-in") for _ in range(given.asked)]
    return float(np.percentile(times, 95))


def _asked(port: int, path: str) -> float:
    """Return how long a page takes on a new connection, in seconds."""
    started = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", path)
    answer = line.getresponse()
    answer.read()
    line.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status}")
    return time.perf_counter() - started


@contextlib.contextmanager
def _slow(port: int, count: int) -> Iterator[None]:
    """Have so many slow callers in a process of their own; who is cut off comes back."""
    fresh = multiprocessing.get_context("spawn")
    there = fresh.Event()
    process = fresh.Process(target=_be_slow, args=(port, count, there))
    process.start()
    there.wait()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _be_slow(port: int, count: int, there: Event) -> None:
    async def all_of_them() -> None:
        asyncio.get_running_loop().call_later(1, there.set)  # by then all are connected
        await asyncio.gather(asyncio.sleep(1), *(_one_slow(port, number) for number in range(count)))

    asyncio.run(all_of_them())


async def _one_slow(port: int, number: int) -> None:
    """Send a head, a body or nothing, a letter at a time."""
    head = f"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
    whole = head + "content-type: application/x-www-form-urlencoded\r\ncontent-length: 60000\r\n\r\n"
    at_once = ("", whole, "")[number % 3]
    letters = (whole, "x" * 60_000, "")[number % 3]
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(at_once.encode())
            for letter in letters:
                writer.write(letter.encode())
                await writer.drain()
                await asyncio.sleep(LETTER)
            await asyncio.sleep(600)


def _table(
    bodies: list[tuple[str, list[Sent], float]], paces: list[tuple[float, float]], given: argparse.Namespace
) -> str:
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    alone, among = (float(np.median([pace[which] for pace in paces])) for which in (0, 1))
    ratios = [pace[1] / pace[0] for pace in paces]
    kept = "kept" if among / alone <= PROMISED else "broken"
    machine = f"{processor}, {cores()} cores, which server and callers share, load {os.getloadavg()[0]:.1f}"
    lines = [
        "# Huge and slow callers of a served booth",
        "",
        "Written by `benchmarks/border_web.py`.",
        f"{machine}; Python {platform.python_version()}, cutis {version('cutis')}.",
        "",
        "## A body of 1 GB, in chunks",
        "",
        "The limit is 64 kB.",
        "What the socket took lies mostly in the system's own buffers; the peak is the server's memory.",
        "",
        "| caller | answers | taken, the most | seconds | peak rose by |",
        "|---|---|---|---|---|",
    ]
    for name, sent, rose in bodies:
        said = ", ".join(f"{sum(each.answer == kind for each in sent)} × {kind}" for kind in {s.answer for s in sent})
        most, seconds = max(each.megabytes for each in sent), max(each.seconds for each in sent)
        lines.append(f"| {name} | {said} | {most:.1f} MB | {seconds:.2f} | {rose:.1f} MB |")
    lines += [
        "",
        f"## {given.slow} slow callers",
        "",
        f"A third sends a head and a third a body, a letter each {LETTER:g} s, and a third nothing.",
        "Who is cut off comes back.",
        f"{len(paces)} rounds of {given.asked} pages without them and with, in turn.",
        "",
        "| 95th percentile of a page, median of the rounds | ms |",
        "|---|---|",
        f"| without | {1000 * alone:.2f} |",
        f"| with | {1000 * among:.2f} |",
        f"| ratio of the medians | {among / alone:.2f} |",
        f"| ratio within a round, from the least to the greatest | {min(ratios):.2f}–{max(ratios):.2f} |",
        "",
        f"Promised is a ratio of {PROMISED:g} at most: {kept}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
