"""Clinic servers as whoever runs one starts them: a process of their own, what they print, and how they end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx2

from cutis.release.sign import new_keys, read_private_key
from factories import a_running_release
from sites import free_port

SECONDS_TO_START = 60


@dataclass
class Signed:
    """A release, and the key that it was signed by."""

    folder: Path
    key: Path
    private: Path

    @property
    def words(self) -> list[str]:
        """How a command line names them."""
        return ["--release", str(self.folder), "--key", str(self.key)]


def a_signed_release(root: Path, *, invented: bool = True, signer: Signed | None = None, **fields) -> Signed:
    """Write a small release that answers by its colours, and keys beside it, unless somebody's keys are used."""
    if signer is None:
        keys = new_keys(root / "keys")
        public, private = keys.public, keys.private
    else:
        public, private = signer.key, signer.private
    folder = a_running_release(root / "release", key=read_private_key(private), invented=invented, **fields)
    return Signed(folder, public, private)


@dataclass
class Running:
    """A server in a process of its own."""

    process: subprocess.Popen
    origin: str
    told: Path  # what it wrote to standard error
    folder: Path
    browsers: list[httpx2.Client] = field(default_factory=list)  # closed at the end

    @property
    def lines(self) -> str:
        """What it said so far."""
        return self.told.read_text()

    def link(self, who: str = "administrator") -> str:
        """Return the secret of a link that it printed."""
        return re.findall(rf"^{who}: .*/join#(\S+)", self.lines, re.MULTILINE)[-1]

    def joined(self, who: str) -> httpx2.Client:
        """Return a browser in which somebody followed their link, ready to send what changes something."""
        browser = httpx2.Client(base_url=self.origin, headers={"origin": self.origin}, timeout=60)
        self.browsers.append(browser)
        browser.post("/join", json={"token": self.link(who)}).raise_for_status()
        browser.headers["x-proof"] = re.search(r'name="proof" content="(\w*)"', browser.get("/account").text)[1]
        return browser

    def tell(self, what: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(what)

    def ended(self, seconds: float = 30) -> int:
        """Wait for its end, and return how it left."""
        return self.process.wait(seconds)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of the tester's own is set, and engines are remembered in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUTIS_")}
    source = str(Path(__file__).resolve().parents[1] / "src")
    return kept | {"PYTHONPATH": source, "XDG_CACHE_HOME": str(folder.parent / "cache"), "OMP_NUM_THREADS": "1"} | more


@contextmanager
def starting(folder: Path, *words: str, port: int | None = None) -> Iterator[Running]:
    """Lend a server that has been started, and perhaps does not answer yet; it is killed at the end."""
    number = port or free_port()
    told = folder.parent / f"{folder.name}.log"
    command = [sys.executable, "-m", "cutis", "serve", "--folder", str(folder), "--port", str(number), *words]
    with told.open("a") as file:
        process = subprocess.Popen(command, stderr=file, stdout=file, env=environment(folder))
    running = Running(process, f"http://127.0.0.1:{number}", told, folder)
    try:
        yield running
    finally:
        for browser in running.browsers:
            browser.close()
        process.kill()
        process.wait()


def until_it_answers(running: Running) -> None:
    """Wait for the first answer."""
    deadline = monotonic() + SECONDS_TO_START
    while monotonic() < deadline:
        assert running.process.poll() is None, running.lines
        try:
            if httpx2.get(f"{running.origin}/health").status_code == 200:
                return
        except httpx2.TransportError:
            sleep(0.05)
    raise AssertionError(running.lines)


@contextmanager
def a_server(folder: Path, *words: str, port: int | None = None) -> Iterator[Running]:
    """Lend a server that answers."""
    with starting(folder, *words, port=port) as running:
        until_it_answers(running)
        yield running
