"""280 readers at once: how long an answer takes, and whether any is lost or doubled while the server is killed.

Each reader looks at a picture, thinks for 2 to 20 seconds, answers over HTTP and goes on. Three times meanwhile the
server is ended by kill −9 and started anew; who gets no acknowledgement sends the same answer again, as browsers do.

    PYTHONPATH=tests python benchmarks/booth.py [--seconds 300] [--readers 280] [--kills 3]

Needs two cores; readers and server share them. PostgreSQL is left out, and named, where it is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from sqlalchemy import create_engine, select, text

from booths import a_study, an_answer
from cutis.progress import cores, say
from cutis.readers.booth.people import TRAINING, consent, invite, keep_profile, readers_of
from cutis.readers.booth.site import ROOM
from cutis.readers.booth.tables import ANSWERS
from cutis.readers.protocol import PRACTICE, read_protocol
from cutis.vocabulary.chance import chance
from cutis.web.database import open_database
from cutis.web.migrate import migrate
from postgres import server as postgres
from postgres import url_of
from sites import free_port

HERE = Path(__file__).parent
THINKING = (2.0, 20.0)  # seconds
CASES = 400
PROMISED = 0.300  # seconds: the 95th percentile of an answer


@dataclass
class Told:
    """What the readers saw."""

    seconds: list[float] = field(default_factory=list)  # of each answer's last, acknowledged attempt
    pictures: list[float] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    again: int = 0  # attempts without an answer
    odd: list[str] = field(default_factory=list)  # what should not have happened
    outages: list[float] = field(default_factory=list)


class Server:
    """The booth as users start it, that can be killed."""

    def __init__(self, work: Path, url: str, log: Path) -> None:
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "cutis", "readers", "booth", "-w", str(work)]
        self._command += ["--database", url, "--port", str(self.port)]
        self._log = log

    def start(self) -> None:
        """Start it, and wait until it is alive."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)  # noqa: S603  our own command line
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{self.origin}/health", timeout=5).status_code == 200:  # noqa: PLR2004
                    return
            time.sleep(0.05)
        raise TimeoutError(self._log.read_text()[-2000:])

    def kill(self) -> None:
        """Kill −9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it as a person would."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)


def main() -> None:
    """Measure both databases, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--readers", type=int, default=280)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    rows, notes = [], []
    for kind in ("sqlite", "postgresql"):
        if given.only in (None, kind):
            try:
                rows.append(_measure(kind, given))
            except LookupError as error:
                notes.append(f"{kind} was not measured: {error}.")
    text_ = _table(rows, notes, given)
    print(text_)
    (HERE / "booth.md").write_text(text_, encoding="utf-8")


def _measure(kind: str, given: argparse.Namespace) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, _url(kind, Path(folder)) as url:
        work = Path(folder) / "work"
        say(f"{kind}: {given.readers} readers for {given.seconds:.0f} s, killed {given.kills} times")
        tokens = _invited(work, url, given.readers)
        server = Server(work, url, Path(folder) / "log")
        server.start()
        told = asyncio.run(_read(server, tokens, given))
        server.stop()
        return [kind, *_row(told, url)]


@contextlib.contextmanager
def _url(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'booth.sqlite'}"
        return
    with postgres(is_safe=True) as where:
        engine = create_engine(url_of(where, "postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE booth"))
        engine.dispose()
        yield url_of(where, "booth")


def _invited(work: Path, url: str, readers: int) -> list[str]:
    """Make a study and its readers, who have consented; return the secrets of their links."""
    study = work / "5_readers"
    a_study(study, cases=CASES, practice=2, readers=readers)
    database = open_database(url)
    migrate(database, [ROOM / "migrations"])
    labels, now = [f"reader {number}" for number in range(readers)], time.time()
    with database.writing() as connection:
        made = invite(connection, read_protocol(study / "plan.json"), labels, now=now, days=1)
        for reader in readers_of(connection):
            consent(connection, reader.account_id, sha256="0" * 64, now=now)
            keep_profile(connection, reader.account_id, years=5, training=TRAINING[0], dermoscopy="daily")
    database.close()
    return [each.token for each in made if each.token]


async def _read(server: Server, tokens: list[str], given: argparse.Namespace) -> Told:
    told = Told()
    ends = time.monotonic() + given.seconds
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncHTTPTransport(limits=limits) as transport:
        lines = [httpx2.AsyncClient(base_url=server.origin, transport=transport, timeout=20) for _ in tokens]
        readers = [
            _reader(line, server, number, token, told, ends)
            for number, (line, token) in enumerate(zip(lines, tokens, strict=True))
        ]
        await asyncio.gather(_killer(server, told, given), *readers)
    return told


async def _killer(server: Server, told: Told, given: argparse.Namespace) -> None:
    for _ in range(given.kills):
        await asyncio.sleep(given.seconds / (given.kills + 1))
        started = time.monotonic()
        server.kill()
        await asyncio.to_thread(server.start)
        told.outages.append(time.monotonic() - started)


async def _reader(line: httpx2.AsyncClient, server: Server, number: int, token: str, told: Told, ends: float) -> None:
    random = chance("reader", number)
    await asyncio.sleep(random.uniform(0, THINKING[1] / 2))  # nobody begins in the same second
    headers = {"origin": server.origin, "accept": "application/json"}
    joined = await _until(lambda: line.post("/join", json={"token": token}, headers=headers), told)
    if joined.status_code != 200:  # noqa: PLR2004
        told.odd.append(f"joining {joined.status_code}")
        return
    page = await _until(lambda: line.get("/booth", headers=headers), told)
    headers["x-proof"] = page.text.split('name="proof" content="')[1].split('"')[0]
    state = (await _until(lambda: line.get("/booth/turns", headers=headers), told)).json()
    while state["state"] == "reading" and time.monotonic() < ends:
        turn = state["turns"][0]
        started = time.monotonic()
        picture = await _until(lambda path=turn["picture"]: line.get(path, headers=headers), told)
        told.pictures.append(time.monotonic() - started)
        if picture.status_code != 200:  # noqa: PLR2004
            told.odd.append(f"picture {picture.status_code}")
        await asyncio.sleep(random.uniform(*THINKING))
        state = await _answered(line, turn, headers, told)


async def _answered(line: httpx2.AsyncClient, turn: dict, headers: dict[str, str], told: Told) -> dict:
    """Send an answer until it is acknowledged; the same one each time."""
    answer = an_answer(turn, answer_id=secrets.token_hex(16))
    told.sent.add(answer["answer_id"])
    while True:
        started = time.monotonic()
        try:
            said = await line.post("/booth/answers", json=answer, headers=headers)
        except httpx2.TransportError:
            told.again += 1
            await asyncio.sleep(1)
            continue
        if said.status_code == 200:  # noqa: PLR2004
            told.seconds.append(time.monotonic() - started)
            told.acknowledged.add(answer["answer_id"])
        else:
            told.odd.append(f"answer {said.status_code}: {said.text[:80]}")
        return said.json()


async def _until(ask: Callable[[], Awaitable[httpx2.Response]], told: Told) -> httpx2.Response:
    """Ask until there is an answer, however long the server is away."""
    while True:
        try:
            return await ask()
        except httpx2.TransportError:
            told.again += 1
            await asyncio.sleep(1)


def _row(told: Told, url: str) -> list[str]:
    database = open_database(url)
    with database.reading() as connection:
        rows = connection.execute(select(ANSWERS)).all()
    database.close()
    there = [row.answer_id for row in rows]
    turns = [(row.account_id, row.session, row.position) for row in rows]
    lost = len(told.acknowledged - set(there))
    doubled = len(there) - len(set(there)) + len(turns) - len(set(turns))
    gaps = _gaps(rows)
    p50, p95, p99 = np.percentile(told.seconds, [50, 95, 99]) * 1000
    counted = sum(row.session != PRACTICE for row in rows)
    verdict = "yes" if not (lost or doubled or gaps or told.odd) and p95 < 1000 * PROMISED else "**no**"
    return [
        f"{len(told.acknowledged):,}",
        f"{len(rows):,} ({counted:,} that count)",
        str(lost),
        str(doubled),
        str(gaps),
        f"{p50:.0f} / {p95:.0f} / {p99:.0f}",
        f"{np.percentile(told.pictures, 95) * 1000:.0f}",
        f"{told.again:,}",
        ", ".join(f"{each:.1f}" for each in told.outages) or "–",
        "; ".join(sorted(set(told.odd))[:3]) or "nothing",
        verdict,
    ]


def _gaps(rows: Sequence[Any]) -> int:
    """Count readers' sessions whose positions are not 1, 2, 3 and so on."""
    positions: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        positions.setdefault((row.account_id, row.session), []).append(row.position)
    return sum(sorted(each) != list(range(1, len(each) + 1)) for each in positions.values())


def _table(rows: list[list[str]], notes: list[str], given: argparse.Namespace) -> str:
    head = [
        "database",
        "acknowledged",
        "in the database",
        "lost",
        "doubled",
        "with gaps",
        "answer, ms: p50 / p95 / p99",
        "picture, ms: p95",
        "sent again",
        "away, s",
        "odd",
        f"as promised (p95 < {1000 * PROMISED:.0f} ms)",
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    about = (
        f"{given.readers} readers at once over HTTP for {given.seconds:.0f} s, each thinking {THINKING[0]:.0f} to "
        f"{THINKING[1]:.0f} s a case; the server killed by kill −9 {given.kills} times and started again.\n"
        "Readers and server share the machine.\n"
        "*Acknowledged* is what the server said it kept; *lost* is what of it is not in the database; *sent again* are "
        "requests that met no server; *away* is from the kill to the first sign of life.\n"
        f"{platform.machine()}, {cores()} cores, load {os.getloadavg()[0]:.1f} at the end.\n"
    )
    return "\n".join([f"# {given.readers} readers at once", "", about, *lines, "", *notes, ""]).rstrip() + "\n"


if __name__ == "__main__":
    main()
