"""Releases change and servers restart while programs ask: no answer is wrong, lost, or given by nobody."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from clinics import a_jpeg
from coroutines import awaited
from cutis.runtime.ready import Trusted
from cutis.serve.answering.answerer import Answerer
from cutis.serve.journal import entries
from cutis.serve.journal.anchors import read_anchors
from cutis.serve.journal.verifying import verify
from cutis.serve.opening import opened, read_clinic_settings
from cutis.web.tokens import make_token
from servers import a_server, a_signed_release
from sites import free_port

CLIENTS = 4
COLOURS = ("red", "green", "blue", "brown")
SECONDS_BETWEEN = 2.5


@dataclass
class Asking:
    """Some programs that ask without end, and what they were told."""

    origin: str
    token: str
    pictures: list[bytes]
    told: list[tuple[int, dict]] = field(default_factory=list)  # which picture, and the answer that was acknowledged
    failed: list[int] = field(default_factory=list)  # statuses that are no answer
    cut: int = 0  # asked while nobody listened
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, first: int) -> None:
        """Ask until it is over."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "image/jpeg", "accept": "application/json"}
        number = first
        with httpx2.Client(base_url=self.origin, headers=headers, timeout=30) as client:
            while not self.over.is_set():
                number = (number + 1) % len(self.pictures)
                try:
                    answer = client.post("/v1/diagnoses", content=self.pictures[number])
                except httpx2.TransportError:
                    self.cut += 1
                    time.sleep(0.1)
                    continue
                if answer.status_code == 201:
                    self.told.append((number, answer.json()))
                elif answer.status_code == 429:
                    time.sleep(0.2)
                else:
                    self.failed.append(answer.status_code)


@pytest.mark.slow
def test_no_answer_is_wrong_lost_or_nobodys_while_releases_and_servers_change(tmp_path, capsys):
    """Four programs ask; the release changes six times by SIGHUP, the server is stopped twice and killed once.

    Each answer that was acknowledged names a release whose own answer to that picture it is, and stands in the journal,
    whose chain and anchors hold.
    """
    first = a_signed_release(tmp_path / "first", name="first", temperatures=(1.5,))
    second = a_signed_release(tmp_path / "second", name="second", temperatures=(0.2,), signer=first)
    pictures = [a_jpeg(colour=colour, seed=seed) for colour in COLOURS for seed in range(3)]
    expected = {sha256: own for release in (first, second) for sha256, own in _own_answers(release, pictures, tmp_path)}
    ones, others = expected.values()
    assert all(abs(one["a"] - other["a"]) > 1e-3 for one, other in zip(ones, others, strict=True))  # told apart
    pointer, folder, port = tmp_path / "release", tmp_path / "clinic", free_port()
    pointer.symlink_to(first.folder)
    words = ["--release", str(pointer), "--key", str(first.key), "--engine", "onnxruntime-fp32", "--demonstration"]
    with opened(folder=folder) as kept, kept.database.writing() as connection:
        token = make_token(connection, "load", scopes=["diagnose"], now=time.time(), days=1).secret
    asking = Asking(f"http://127.0.0.1:{port}", token, pictures)
    threads = [threading.Thread(target=asking.ask, args=(n,)) for n in range(CLIENTS)]

    for number, end in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)):
        with a_server(folder, *words, port=port) as running:
            if not number:
                for thread in threads:
                    thread.start()
            for release in (second, first):
                time.sleep(SECONDS_BETWEEN)
                _point(pointer, release.folder)
                running.tell(signal.SIGHUP)
            time.sleep(SECONDS_BETWEEN)
            running.tell(end)
            assert running.ended() == (0 if end == signal.SIGTERM else -signal.SIGKILL)
    asking.over.set()
    for thread in threads:
        thread.join()

    with capsys.disabled():
        by = {name: sum(each["release"]["name"] == name for _, each in asking.told) for name in ("first", "second")}
        print(f"\n{len(asking.told)} answers ({by}), {asking.cut} asked in vain, {len(asking.failed)} failed")  # noqa: T201
    assert asking.failed == []
    assert min(by.values()) >= 10
    for number, answer in asking.told:
        said = {each["code"]: each["probability"] for each in answer["answer"]["findings"]}
        assert said == pytest.approx(expected[answer["release"]["sha256"]][number], abs=1e-6)
    with opened(folder=folder) as kept:
        anchors = read_anchors(kept.settings.journal_folder)
        with kept.database.reading() as connection:
            journalled = {each.examination_id: each.content for each in entries(connection) if each.kind == "answer"}
            verdict = verify(connection, anchors, kept.vault.public)
    assert verdict.broken is None
    for _, answer in asking.told:
        assert journalled[answer["id"]]["release_sha256"] == answer["release"]["sha256"]


def _own_answers(release, pictures, folder: Path):
    """Yield what a release by itself says of each picture, by its sha256."""
    settings = read_clinic_settings(release=release.folder, key=release.key, engine="onnxruntime-fp32")
    with Answerer(Trusted(release.folder, release.key, required=True), settings, memory=folder / "memory") as answerer:
        said = [awaited(answerer.answer, [picture]).answer for picture in pictures]
        yield answerer.release.sha256, [{each.code: each.probability for each in answer.findings} for answer in said]


def _point(pointer: Path, folder: Path) -> None:
    aside = pointer.with_name("aside")
    aside.symlink_to(folder)
    aside.rename(pointer)
