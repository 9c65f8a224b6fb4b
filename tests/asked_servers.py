"""A server of a clinic in a process of its own, to be asked and to be killed.

Run as a program it serves one route: a picture comes, and the id of its examination goes back once it is shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from clinics import a_clinic
from cutis.runtime.ready import Trusted
from cutis.serve.answering.answerer import Answerer
from cutis.serve.clinic import clinic_of
from cutis.serve.settings import ClinicSettings
from cutis.serve.visit import Asked, Shown, examine, reveal
from cutis.web.application import Room
from cutis.web.ground import OPEN, ground_of
from cutis.web.settings import read_settings
from sites import served

NEEDED = (Path(__file__).parent, Path(__file__).parents[1] / "src")
PATIENCE = 60.0  # seconds for a start


class Asking:
    """People who ask without a pause, and write down what they were told."""

    def __init__(self, origin: str, picture: bytes, *, people: int = 4) -> None:
        self.told: dict[str, list[str]] = {}  # by the key of a question: the examinations that it was said to be
        self.untold: set[str] = set()  # questions whose answer did not come
        self._origin, self._picture = origin, picture
        self._over = threading.Event()
        self._people = [threading.Thread(target=self._ask_on, args=(each,)) for each in range(people)]

    def __enter__(self) -> Self:
        for each in self._people:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._people:
            each.join()

    def until(self, count: int) -> None:
        """Wait until so many questions were answered."""
        deadline = time.monotonic() + PATIENCE
        while len(self.told) < count:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def _ask_on(self, who: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            key = f"{self._origin} {who} {number} {time.time_ns()}"
            self.untold.add(key)
            if (told := asked(self._origin, self._picture, key=key)) is None:
                return  # the server is no more
            self.told.setdefault(key, []).append(told)
            self.untold.discard(key)


def asked(origin: str, picture: bytes, *, key: str) -> str | None:
    """Ask once; None where no whole answer came."""
    headers = {"origin": origin, "key": key, "content-type": "image/jpeg"}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{origin}/ask", picture, headers)) as answer:  # noqa: S310
            return answer.read().decode()
    except (OSError, urllib.error.URLError):
        return None


@contextmanager
def a_served_clinic(folder: Path, database_url: str, *, release: Path, port: int) -> Any:
    """Lend a server's process and its origin, once it answers; it is killed at the end, if it was not before."""
    line = [sys.executable, __file__, str(folder), database_url, str(release), str(port)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, NEEDED)), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    origin = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not _is_up(origin):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, origin
    finally:
        process.kill()
        process.wait()


def _is_up(origin: str) -> bool:
    try:
        with urllib.request.urlopen(f"{origin}/health") as answer:  # noqa: S310
            return answer.status == 200
    except OSError:
        return False


def _serve(folder: Path, database_url: str, release: Path, port: int) -> None:
    router = APIRouter()

    @router.post("/ask", dependencies=[Depends(OPEN)])
    async def ask(request: Request) -> PlainTextResponse:
        clinic, ground = clinic_of(request), ground_of(request)
        question = Asked(pictures=[await request.body()], by="clinician", key=request.headers["key"])
        made = await examine(clinic, ground, question)
        revealed = reveal(clinic, ground, made, "clinician", shown=Shown())
        assert revealed.answer is not None
        return PlainTextResponse(made.id)

    room = Room(name="ask", router=router, folder=Path(__file__).parent, bodies={"/ask": 1 << 20})
    settings = read_settings(ClinicSettings, engine="onnxruntime-fp32")
    with (
        Answerer(Trusted(release), settings, memory=folder) as answerer,
        a_clinic(folder, database_url, rooms=[room], answerer=answerer, port=port) as clinic,
        served(clinic.site),
    ):
        threading.Event().wait()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
