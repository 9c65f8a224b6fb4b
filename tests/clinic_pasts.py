"""Clinics with a past: weeks of answers, words and truths, written as a visit writes them, without the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from clinics import KnockedClinic, a_clinic, a_jpeg, a_seen_picture, an_answer
from cutis.serve.acceptance.room import room as acceptance
from cutis.serve.answer import Answer, State
from cutis.serve.clinic import Clinic
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.labels.room import room as labels
from cutis.serve.labels.saying import say, say_histology
from cutis.serve.labels.truths import Said
from cutis.serve.monitor.room import room as monitor
from cutis.serve.record.cases import new_case
from cutis.serve.record.examinations import Examination, Part, keep_examination
from cutis.serve.record.words import Says, Word, note_word
from cutis.serve.reference import Kinds, Reference, Share
from cutis.serve.staff.room import room as staff
from cutis.stats.drift import binned
from cutis.vocabulary.diagnosis import Finding
from cutis.web.accounts import Role
from sites import proof_in

DAY = 86_400.0
ROOMS = (labels, acceptance, monitor, staff)


@dataclass
class Past:
    """A clinic to fill, and browsers of those who work there."""

    knocked: KnockedClinic

    @property
    def clinic(self) -> Clinic:
        """Its parts."""
        return self.knocked.clinic

    @property
    def now(self) -> float:
        """The time there."""
        return self.knocked.site.time.now

    def browser(self, role: Role, *, account: str | None = None) -> TestClient:
        """Return the browser of somebody, who carries what forms carry."""
        browser = self.knocked.site.joined(account or self.knocked.site.account(role))
        browser.headers["x-proof"] = proof_in(browser)
        return browser

    def asked(
        self,
        answer: Answer | None = None,
        *,
        ago: float = 0.0,
        case_id: str | None = None,
        silent: bool = False,
        shown_to: str | None = None,
        **fields: Any,
    ) -> Examination:
        """Keep an examination as a visit does, so many seconds ago."""
        release = self.clinic.answerer.release
        told = replace(answer or said_to_be("a"), release_sha256=release.sha256, release=release.name)
        now, vault = self.now - ago, self.clinic.vault
        with self.knocked.ground.database.writing() as connection:
            case = case_id or new_case(connection, vault, now=now).id
            parts = {Part.PICTURE: [JPEG], Part.THUMBNAIL: [JPEG]}
            plain = {"case_id": case, "by": "clinician", "silent": silent, "parts": parts, "now": now}
            made = keep_examination(connection, vault, told, **plain | fields)
            entry = {"release_sha256": told.release_sha256, "state": told.state.value, "silent": silent}
            sealed = {"answer": told.to_dict(), "device": made.device, "note": None}
            about = {"case_id": case, "examination_id": made.id}
            write(
                connection, vault, Entry(kind=Kind.ANSWER, by="clinician", open=entry, sealed=sealed, **about), now=now
            )
        if shown_to:
            self.shown(made, to=shown_to)
        return made

    def shown(self, examination: Examination, *, to: str, to_program: bool = False) -> None:
        """Write down that somebody was shown the answer."""
        told = {"parts": ["answer"], "to_program": to_program}
        about = {"case_id": examination.case_id, "examination_id": examination.id}
        with self.knocked.ground.database.writing() as connection:
            write(connection, self.clinic.vault, Entry(kind=Kind.SHOWN, by=to, open=told, **about), now=self.now)

    def word(
        self, examination: Examination, says: Says, diagnosis: str | None = None, *, by: str = "clinician"
    ) -> None:
        """Let a clinician say something."""
        with self.knocked.ground.database.writing() as connection:
            word = Word(says=says, diagnosis=diagnosis)
            note_word(connection, self.clinic.vault, examination, word, by=by, now=self.now)

    def label(self, examination: Examination, code: str | None, *, by: str = "rater", other: str = "") -> bool:
        """Let a rater say what it is."""
        with self.knocked.ground.database.writing() as connection:
            return say(
                connection, self.clinic.vault, examination, Said(code, other, is_malignant=False), by=by, now=self.now
            )

    def histology(self, examination: Examination, code: str | None, *, day: str = "2027-01-15", **said: Any) -> None:
        """Let a report come."""
        with self.knocked.ground.database.writing() as connection:
            told = {"day": day, "report": "H-1", "by": "curator", "now": self.now}
            say_histology(connection, self.clinic.vault, examination, Said(code, **said), **told)


JPEG = a_jpeg()


def said_to_be(code: str, probability: float = 0.8, *, state: State = State.ANSWERED, **fields: Any) -> Answer:
    """An answer of the codes a, b and c, the last malignant, that puts one of them first."""
    codes = [code, *(other for other in "abc" if other != code)]
    rest = (1 - probability) / 2
    findings = tuple(
        Finding(code=each, name=f"disease {each}", malignant=each == "c", probability=share)
        for each, share in zip(codes, (probability, rest, rest), strict=True)
    )
    plain = {"prediction_set": (code,), "findings": findings, "state": state, "remarks": (), "neighbours_agree": None}
    return an_answer(**plain | fields)


def a_reference(*, clusters: int = 400, seed: int = 0) -> Reference:
    """What pictures and answers were like where the release was made."""
    chance = np.random.default_rng(seed)
    spread = {
        "sharpness": chance.normal(0.5, 0.1, clusters),
        "brightness": chance.normal(0.55, 0.08, clusters),
        "contrast": chance.normal(0.15, 0.04, clusters),
        "distance": chance.gamma(4.0, 0.5, clusters),
        "probability": chance.beta(6, 2, clusters),
    }
    numbers = {name: bins for name, values in spread.items() if (bins := binned(values, fewest=5)) is not None}
    halves = {"a": clusters // 2, "b": clusters // 4, "c": clusters - clusters // 2 - clusters // 4}
    return Reference(
        splits=("calibrate", "test"),
        pictures=clusters + clusters // 5,
        clusters=clusters,
        cluster_kind="lesion",
        numbers=numbers,
        kinds={
            "first": Kinds(clusters=halves, others=(), of_others=0),
            "device": Kinds(clusters={"Lens A": clusters // 2, "Lens B": clusters // 2}, others=(), of_others=0),
        },
        shares={"abstained": Share(clusters // 20, clusters), "marked": Share(clusters // 20, clusters)},
    )


def seen_in(chance: np.random.Generator, *, darker: float = 0.0) -> Any:
    """A picture as the reference's are, or darker."""
    return a_seen_picture(
        sharpness=float(chance.normal(0.5, 0.1)),
        brightness=float(chance.normal(0.55 - darker, 0.08)),
        contrast=float(chance.normal(0.15, 0.04)),
        distance=float(chance.gamma(4.0, 0.5)),
    )


class Standing:
    """An answerer that is open already, whose release carries a reference; it is closed by who opened it."""

    def __init__(self, answerer: Any, reference: Reference | None) -> None:
        """Stand before it."""
        self._answerer = answerer
        self.release = replace(answerer.release, reference=reference)

    def __getattr__(self, name: str) -> Any:
        """Do as it does in everything else."""
        return getattr(self._answerer, name)


@contextmanager
def a_past(
    folder: Path,
    database_url: str,
    answerer: Any,
    *,
    reference: Reference | None = None,
    rooms: Sequence[Any] = (),
    **settings: Any,
) -> Iterator[Past]:
    """Lend a silent clinic with the rooms of curators, auditors and administrators, and an empty past."""
    made = [each() for each in ROOMS] + list(rooms)
    plain = {"demonstration": False}
    standing = Standing(answerer, reference)
    with a_clinic(folder, database_url, rooms=made, answerer=standing, **plain | settings) as knocked:
        yield Past(knocked)


def fill(past: Past, count: int = 160, *, darker: float = 0.0) -> list[tuple[Examination, str]]:
    """Let so much happen in eight weeks; return each examination with what it was called."""
    chance = np.random.default_rng(0)
    made = []
    for _ in range(count):
        code = str(chance.choice(["a", "b", "c"], p=[0.5, 0.25, 0.25]))
        picture = seen_in(chance, darker=darker)
        answer = said_to_be(code, float(chance.beta(6, 2)), pictures=(picture,), seconds=0.2)
        about = {"ago": float(chance.uniform(0, 55)) * DAY, "device": str(chance.choice(["Lens A", "Lens B"]))}
        made.append((past.asked(answer, **about), code))
    return made
