"""The clinic's server over HTTP: how soon one clinician has an answer, what many at once get, and what memory does.

`cutis serve` runs in a process of its own, with a release of EfficientNet-b4 at 380 pixels with random weights, for
time does not ask what they say; with 6,490 training cases, an atlas, and a database and a journal on the disk. Whoever
asks sends a JPEG to `POST /v1/diagnoses` and has the answer when its last byte is there: decoded at the border,
examined, answered, kept under the case's key, and in the journal. Everybody shares the same two cores.

- One clinician: one picture after another, with a second's pause, as a page and a person would.
- The same in a browser on the same two cores: from the drop on the page, over a press of its button by a robot, to the
  answer that can be read.
- 16 at once without a pause, and 48, of which the queue refuses some (429); meanwhile somebody asks every 50 ms whether
  the server is well.
- 16 who send pictures of 40 megapixels without a pause.
- 20,000 answers in a row, by a small release, for what may grow does not ask how large the network is. They begin when
  the monitor has looked for the first time, which it does every day: what that costs is told in docs/experiments.md.

    PYTHONPATH=tests python benchmarks/server.py              # writes server.md, 20 minutes in quiet
    PYTHONPATH=tests python benchmarks/server.py --times      # the times alone; what it says of memory stays
    PYTHONPATH=tests python benchmarks/server.py --quick      # a small network and little of each, prints only
"""

from __future__ import annotations

import argparse
import base64
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cutis.progress import cores, say
from cutis.serve.opening import opened
from cutis.serve.tokens import give_token
from cutis.vocabulary.circumstances import circumstances
from sites import free_port

PAGE = Path(__file__).with_suffix(".md")
THREADS = 2
PICTURES = {"600 × 450": (600, 450), "2048 × 1536": (2048, 1536), "4000 × 3000": (4000, 3000)}
SEEN_IN_A_BROWSER = "600 × 450"
DROP = """(picture) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], "picture.jpg", { type: "image/jpeg" }));
  const dropped = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.getElementById("drop").dispatchEvent(dropped);
}"""
HUGE = (7300, 5480)  # 40 megapixels
PAUSE = 1.0  # seconds between a clinician's pictures
BETWEEN_SIGNS = 0.05  # seconds, between questions whether the server is well
PROMISED = {"median": 0.5, "p95": 1.0, "health": 0.2, "slope": 1.0}  # seconds; MB in 1,000 answers
MEMORY = "## Memory along many answers"
LOOKED = 10.0  # seconds; the monitor looks a few after a start, and then every day
FEWEST = 1000  # answers before memory is looked at: until then caches fill


class Sizes(NamedTuple):
    """How much is measured."""

    architecture: str = "efficientnet_b4"
    side: int = 380
    asked: int = 60  # pictures of each size, by one clinician
    seconds: float = 60.0  # of 16 and of 48 at once
    huge_seconds: float = 300.0
    answers: int = 20_000
    every: int = 500  # answers between looks at the memory


QUICK = Sizes("mobilenetv2_035", 64, 5, 5.0, 10.0, 300, 50)


class Server(NamedTuple):
    """A server at work."""

    port: int
    token: str
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, line: http.client.HTTPConnection, jpeg: bytes) -> int:
        """Send a picture, read all of the answer, and return its status."""
        line.request("POST", "/v1/diagnoses", jpeg, self.headers)
        return _status(line)

    @property
    def headers(self) -> dict[str, str]:
        """Return what every question carries."""
        return {"authorization": f"Bearer {self.token}", "content-type": "image/jpeg"}

    @property
    def origin(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def line(self) -> http.client.HTTPConnection:
        """Return a connection of one's own."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)


class Crowd(NamedTuple):
    """What many at once got."""

    statuses: Counter[str]
    seconds: list[float]  # of the answers
    health: list[float]  # seconds until the server said that it is well
    unwell: int  # times that it did not


@contextmanager
def running(folder: Path, release: Path) -> Iterator[Server]:
    """Run `cutis serve` on a folder that is new, as a demonstration, with a token for a program."""
    folder.mkdir()
    port, settings = free_port(), folder / "clinic.toml"
    said = {"folder": str(folder / "kept"), "release": str(release), "signed": False, "demonstration": True}
    settings.write_text("".join(f"{name} = {json.dumps(each)}\n" for name, each in (said | {"port": port}).items()))
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "cutis", "serve", "--settings", str(settings)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603  ourselves
        try:
            server = Server(port, "", process, folder / "log")
            _wait_until_ready(server)
            yield server._replace(token=_token(settings))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_until_ready(server: Server) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and server.process.poll() is None:
        try:
            line = server.line()
            line.request("GET", "/ready")
            if _status(line) == http.client.OK:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit(server.log.read_text(encoding="utf-8"))


def _token(settings: Path) -> str:
    with opened(settings) as (_, database, vault), database.writing() as connection:
        made = give_token(connection, vault, "benchmark", scopes=["diagnose"], by="benchmark", now=time.time())
    return made.secret


def _status(line: http.client.HTTPConnection) -> int:
    response = line.getresponse()
    response.read()
    return response.status


def a_jpeg(width: int, height: int, *, seed: int = 0) -> bytes:
    """Return a picture of coarse structure and fine grain that no quality gate refuses."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(60, 220, (max(2, height // 12), max(2, width // 12), 3), np.uint8)
    written = io.BytesIO()
    Image.fromarray(coarse).resize((width, height)).save(written, "JPEG", quality=90)
    return written.getvalue()


def one_clinician(server: Server, size: tuple[int, int], *, asked: int) -> list[float]:
    """Return the seconds from each picture to its answer."""
    line, taken = server.line(), []
    for number in range(asked + 3):  # the first three warm it
        jpeg = a_jpeg(*size, seed=number)
        started = time.perf_counter()
        status = server.post(line, jpeg)
        if number >= 3:  # noqa: PLR2004
            taken.append(time.perf_counter() - started)
        _require(status == http.client.CREATED, f"{status} for one clinician")
        time.sleep(PAUSE)
    return taken


def in_a_browser(server: Server, size: tuple[int, int], *, asked: int) -> list[float]:
    """Return the seconds from each drop on the page to its answer that can be read; a robot presses the button."""
    from playwright.sync_api import sync_playwright  # which only a developer has

    link, taken = _clinicians_link(server), []
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"]).new_page()
        page.goto(link)
        page.get_by_role("button").last.click()
        page.wait_for_url(re.compile("/(diagnose|account)$"))
        for number in range(asked + 3):  # the first three warm it
            page.goto(f"{server.origin}/diagnose")
            picture = base64.b64encode(a_jpeg(*size, seed=number)).decode()
            started = time.perf_counter()
            page.evaluate(DROP, picture)
            page.click("#go")
            page.wait_for_url("**/examinations/*", wait_until="commit")
            page.wait_for_selector("#state")
            if number >= 3:  # noqa: PLR2004
                taken.append(time.perf_counter() - started)
            time.sleep(PAUSE)
    return taken


def _clinicians_link(server: Server) -> str:
    """Return the link that a demonstration tells at its start; it is good once."""
    found = re.search(r"clinician:\s+(\S+)", server.log.read_text(encoding="utf-8"))
    assert found, "the log has no link"
    return found[1]


def crowd(server: Server, jpegs: Sequence[bytes], *, people: int, seconds: float) -> Crowd:
    """Let people ask without a pause, who come back after a second where they are told to; look how the server does."""
    found, ends = Crowd(Counter(), [], [], 0), time.monotonic() + seconds
    unwell: list[str] = []

    def ask(number: int) -> None:
        line = server.line()
        while time.monotonic() < ends:
            started = time.perf_counter()
            try:
                status = server.post(line, jpegs[number % len(jpegs)])
            except (OSError, http.client.HTTPException) as error:  # the server may end a line that it refuses
                found.statuses[type(error).__name__] += 1
                line.close()
                continue
            found.statuses[str(status)] += 1
            if status == http.client.CREATED:
                found.seconds.append(time.perf_counter() - started)
            else:
                time.sleep(1)

    def look() -> None:
        line = server.line()
        while time.monotonic() < ends:
            started = time.perf_counter()
            try:
                line.request("GET", "/health")
                is_well = _status(line) == http.client.OK
            except (OSError, http.client.HTTPException):
                is_well = False
                line.close()
            if not is_well:
                unwell.append("")
            found.health.append(time.perf_counter() - started)
            time.sleep(BETWEEN_SIGNS)

    _run([*(partial(ask, number) for number in range(people)), look])
    return found._replace(unwell=len(unwell))


def memory(server: Server, *, sizes: Sizes) -> list[tuple[int, float, float]]:
    """Return (answers, MB of the server, MB of all its decoders) along many answers, by four who ask at once."""
    found, left, pen = [], list(range(sizes.answers)), threading.Lock()
    jpegs = [a_jpeg(300, 225, seed=seed) for seed in range(20)]

    def ask() -> None:
        line = server.line()
        while left:
            with pen:
                number = left.pop() if left else 0
                if len(left) % sizes.every == 0:
                    found.append((sizes.answers - len(left), *megabytes(server.process.pid)))
            status = server.post(line, jpegs[number % len(jpegs)])
            _require(status == http.client.CREATED, f"{status} while memory was looked at")

    _run([ask] * 4)
    return found


def megabytes(process: int) -> tuple[float, float]:
    """Return what a process holds, and what its children do."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return _held(process), sum(map(_held, map(int, children)))


def _held(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


def _run(works: Sequence[Callable[[], None]]) -> None:
    """Do all of them at once; what ends one of them ends the measurement."""
    with ThreadPoolExecutor(len(works)) as pool:
        for each in [pool.submit(work) for work in works]:
            each.result()


def _require(holds: bool, what: str) -> None:  # noqa: FBT001  it is the whole question
    if not holds:
        raise SystemExit(what)


def times_of(folder: Path, sizes: Sizes) -> list[str]:
    """Measure how soon answers come, and return the page's lines up to memory."""
    from served_release import served_release  # which needs PyTorch

    load = os.getloadavg()[0]
    release = served_release(folder / "large", architecture=sizes.architecture, side=sizes.side)
    lines = _head(sizes, load)
    with running(folder / "clinic", release) as server:
        say("one clinician")
        taken = {name: one_clinician(server, size, asked=sizes.asked) for name, size in PICTURES.items()}
        say("one clinician in a browser")
        shown = in_a_browser(server, PICTURES[SEEN_IN_A_BROWSER], asked=sizes.asked)
        lines += _of_one(taken | {f"{SEEN_IN_A_BROWSER}, from drop to sight": shown})
        usual = [a_jpeg(*PICTURES["600 × 450"], seed=seed) for seed in range(16)]
        crowds = {}
        for people in (16, 48):
            say(f"{people} at once")
            crowds[f"{people} with 600 × 450 pixels"] = crowd(server, usual, people=people, seconds=sizes.seconds)
        huge = [a_jpeg(*HUGE)]
        say("16 with 40 megapixels")
        crowds["16 with 7300 × 5480 pixels"] = crowd(server, huge, people=16, seconds=sizes.huge_seconds)
        return lines + _of_crowds(crowds)


def memory_of(folder: Path, sizes: Sizes) -> list[str]:
    """Measure memory along many answers, and return the page's lines about it."""
    from served_release import served_release

    small = served_release(folder / "small", architecture="mobilenetv2_035", side=64)
    with running(folder / "clinic of the small release", small) as server:
        time.sleep(LOOKED)
        say(f"{sizes.answers} answers")
        return of_memory(memory(server, sizes=sizes), sizes=sizes)


def _head(sizes: Sizes, load: float) -> list[str]:
    about = circumstances()
    return [
        "# The clinic's server",
        "",
        "Written by `benchmarks/server.py`, which says what is measured and how.",
        f"{about['processor']}, {cores()} cores for everybody, Python {about['python']}, cutis {about['cutis']}.",
        f"{sizes.architecture} at {sizes.side} pixels with random weights; SQLite on the disk.",
        f"When it began, {load:.1f} other processes wanted a core (the mean of a minute); times mean little above 0.5.",
        "",
    ]


def _of_one(taken: dict[str, list[float]]) -> list[str]:
    return [
        "## One clinician, from the picture sent to the answer received, and in a browser from drop to sight",
        "",
        f"Promised: {PROMISED['median']} s in the median, {PROMISED['p95']:g} s in 95 of 100.",
        "",
        "| picture | asked | median s | p95 s | slowest s |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {len(each)} | {np.median(each):.3f} | {np.percentile(each, 95):.3f} | {max(each):.3f} |"
            for name, each in taken.items()
        ),
        "",
    ]


def _of_crowds(found: dict[str, Crowd]) -> list[str]:
    return [
        "## Many at once",
        "",
        f"Promised: no answer of 500 or above, and to say that it is well within {PROMISED['health']:g} s (p99).",
        "",
        "| people without a pause | answers | median s | p95 s | later (429) | 5xx | others | well, p99 s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
        *(row_of_crowd(name, each) for name, each in found.items()),
        "",
    ]


def row_of_crowd(name: str, each: Crowd) -> str:
    """Return the row of the table that tells of a crowd."""
    failed = sum(count for status, count in each.statuses.items() if status.startswith("5")) + each.unwell
    usual = {"201", "429"}
    others = ", ".join(
        f"{status}: {count}"
        for status, count in each.statuses.items()
        if status not in usual and not status.startswith("5")
    )
    middle, most = np.percentile(each.seconds, (50, 95)) if each.seconds else (np.nan, np.nan)
    cells = (each.statuses["201"], f"{middle:.2f}", f"{most:.2f}", each.statuses["429"], failed, others or "none")
    return f"| {name} | {' | '.join(map(str, cells))} | {np.percentile(each.health, 99):.3f} |"


def of_memory(found: list[tuple[int, float, float]], *, sizes: Sizes) -> list[str]:
    """Return what the page says of memory, and how fast it grows once caches are full."""
    later = np.array([each for each in found if each[0] >= min(FEWEST, sizes.answers / 2)])
    slopes = [1000 * np.polyfit(later[:, 0], later[:, column], 1)[0] for column in (1, 2)]
    return [
        MEMORY,
        "",
        f"By mobilenetv2_035 at 64 pixels; promised: {PROMISED['slope']:g} MB in 1,000 answers.",
        f"From answer {later[0, 0]:.0f} on the server grows by {slopes[0]:z.2f} MB in 1,000 answers,",
        f"and its decoder by {slopes[1]:z.2f}.",
        "",
        "| answers | MB of the server | MB of its decoder |",
        "| ---: | ---: | ---: |",
        *(
            f"| {count} | {server:.1f} | {decoder:.1f} |"
            for count, server, decoder in found[:: max(1, len(found) // 10)]
        ),
        "",
    ]


def kept() -> list[str]:
    """Return what the page says of memory already."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return lines[lines.index(MEMORY) :]


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--times", action="store_true")
    said = parser.parse_args()
    sizes = QUICK if said.quick else Sizes()
    with tempfile.TemporaryDirectory() as folder:
        lines = times_of(Path(folder), sizes)
        lines += kept() if said.times else memory_of(Path(folder), sizes)
    if not said.quick:
        PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
