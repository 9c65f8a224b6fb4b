"""Small reader studies to open a booth on, and readers who answer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from cutis.readers.booth.people import invite
from cutis.readers.booth.settings import BoothSettings
from cutis.readers.booth.site import ROOM, room_of
from cutis.readers.booth.study import Study, open_study
from cutis.readers.protocol import BOOTH, PLAN, Endpoint, PlannedCase, Protocol, Slot, write_protocol
from cutis.vocabulary.chance import chance
from cutis.vocabulary.files import SUMS, sha256_of, write_json, write_sums
from cutis.web.settings import read_settings
from factories import a_picture
from sites import Knocked, a_site, proof_in

CODES = ("mel", "nv", "bcc", "bkl")
NAMES = {
    "mel": "melanoma",
    "nv": "melanocytic nevus",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis-like lesion",
}


def a_study(folder: Path, *, cases: int = 6, practice: int = 2, readers: int = 3, **fields: Any) -> Protocol:
    """Write a study of invented pictures; the truth of the cases that count is nowhere in it."""
    booth = folder / BOOTH
    planned = []
    for number in range(cases + practice):
        name = chance("picture", number).bytes(16).hex()
        for place, seed in (("pictures", number), ("maps", 1000 + number)):
            (booth / place).mkdir(parents=True, exist_ok=True)
            a_picture(width=96, height=72, seed=seed).save(booth / place / f"{name}.jpg")
        beside = {"age": 40 + number, "sex": "female", "site": "back"}
        beside = {key: beside[key] for key in fields.get("shown", ())}
        planned.append(
            PlannedCase(case_id=f"case{number}", picture=f"{name}.jpg", practice=number >= cases, beside=beside)
        )
    aid = {case.case_id: {"top3": [["nv", 0.7], ["mel", 0.2], ["bkl", 0.06]], "map": case.picture} for case in planned}
    write_json(booth / "aid.json", "aid", {"cases": aid})
    feedback = {case.case_id: "nv" for case in planned if case.practice}
    write_json(booth / "feedback.json", "feedback", {"cases": feedback})
    write_sums(booth)
    plain: dict[str, Any] = {
        "title": "A small study",
        "seed": 7,
        "diagnoses": CODES,
        "names": NAMES,
        "aliases": dict.fromkeys(CODES, ()),
        "cases": tuple(planned),
        "slots": tuple(Slot(name=f"r{number + 1}") for number in range(readers)),
        "endpoint": Endpoint(measure="accuracy"),
        "network": "pocket",
        "network_sha256": "0" * 64,
        "network_sees": "the picture",
        "dataset_sha256": "1" * 64,
        "taxonomy_sha256": "2" * 64,
        "drawn_sha256": "3" * 64,
        "booth_sha256": sha256_of(booth / SUMS),
        "frame": (96, 72),
        "bytes_per_picture": 0,
    }
    protocol = Protocol(**plain | fields)
    write_protocol(folder / PLAN, protocol, made_from={})
    return protocol


@dataclass
class Booth:
    """An open booth, with a hand on its clock."""

    site: Knocked
    study: Study

    def reader(self, label: str = "Li", *, ready: bool = True) -> TestClient:
        """Return the browser of an invited reader; consent and profile are given, unless they are the matter."""
        browser = self.site.browser(accept="application/json")
        assert browser.post("/join", json={"token": self.invited(label)}).status_code == 200
        browser.headers["x-proof"] = proof_in(browser)
        if ready:
            consent(browser)
        return browser

    def invited(self, label: str) -> str:
        """Invite somebody, and return the link's secret."""
        with self.site.database.writing() as connection:
            made = invite(connection, self.study.protocol, [label], now=self.site.time.now, days=30)[0]
        assert made.token is not None
        return made.token


def consent(browser: TestClient) -> None:
    """Consent, and tell about oneself."""
    import re

    sha256 = re.search(r'name="sha256" value="(\w+)"', browser.get("/booth/consent").text)[1]
    assert browser.post("/booth/consent", data={"sha256": sha256, "agrees": "true"}).status_code == 303
    told = {"years": 7, "training": "dermatologist", "dermoscopy": "daily"}
    assert browser.post("/booth/profile", data=told).status_code == 303


def an_answer(turn: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An answer to a turn that fits a protocol which asks how sure one is."""
    plain = {
        "session": turn["session"],
        "position": turn["position"],
        "diagnosis": "nv",
        "confidence": 0.8,
        "seconds": 3.5,
    }
    return {"answer_id": secrets.token_hex(16)} | plain | fields


def turns(browser: TestClient) -> list[dict[str, Any]]:
    """What this browser may know of."""
    return browser.get("/booth/turns").json().get("turns", [])


def answer_all(browser: TestClient, *, until: int | None = None, **fields: Any) -> int:
    """Answer turn after turn, until a session begins or all is read; return how many were answered."""
    count = 0
    while (open_turns := turns(browser)) and open_turns[0]["session"] != until:
        assert browser.post("/booth/answers", json=an_answer(open_turns[0], **fields)).status_code == 200
        count += 1
    return count


@contextmanager
def a_booth(
    folder: Path, database_url: str, *, settings: dict[str, Any] | None = None, port: int = 8471, **study: Any
) -> Iterator[Booth]:
    """Lend a booth on a study that is new."""
    a_study(folder, **study)
    opened = open_study(folder)
    room = room_of(read_settings(BoothSettings, **settings or {}), opened)
    with a_site(database_url, rooms=[room], places=[ROOM / "migrations"], port=port) as site:
        yield Booth(site, opened)
