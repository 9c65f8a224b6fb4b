"""What a reader study asks, of whom, in which order: frozen and hashed before anybody reads. The truth is not in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from cutis.stats.hypotheses import Hypothesis
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, write_json
from cutis.vocabulary.reading import AIDED, ARMS, UNAIDED

PLAN = "plan.json"
BEGUN = "begun.json"
BOOTH = "booth"
DRAWN = "drawn.json"
DESIGNS = (UNAIDED, "crossover", "sequential")
BESIDE = ("age", "sex", "site")  # what readers may see beside a picture
PRACTICE = 0  # the session before the first
FIRST_BEFORE, SECOND_AFTER = 0.4, 0.6  # of a session: where a repeated case lies, so that a fifth lies between

REFUSE_CHANGED = "move this study's folder away and plan another one; readings of two protocols are never mixed"


@dataclass(frozen=True, kw_only=True)
class PlannedCase:
    """One case as the booth shows it."""

    case_id: str
    picture: str  # name of its file in booth/pictures, drawn at random
    practice: bool = False
    repeated: bool = False  # read twice, for the agreement of a reader with himself
    beside: Mapping[str, str | float]  # what is shown beside the picture


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one reader: who may take it, and what is read there."""

    name: str
    rater: str | None = None  # the person's name among the dataset's raters: nobody else may take the place
    cases: tuple[str, ...] | None = None  # None for all of them


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What the study is to show."""

    measure: str  # "accuracy", "balanced_accuracy", or "sensitivity", "specificity" or "auc" with "/CODE"
    hypothesis: Hypothesis = "superiority"
    margin: float | None = None
    level: float | None = None  # of the interval; what the hypothesis asks for, if not given


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A reader study. What is compared: network − readers where no one is aided, else aided − unaided."""

    title: str
    version: int = 1
    replaces: str | None = None  # sha256 of the version before
    seed: int
    diagnoses: tuple[str, ...]  # codes that can be answered, in the dataset's order
    names: Mapping[str, str]  # of the diagnoses, by code
    aliases: Mapping[str, tuple[str, ...]]  # further words for them, to type ahead
    none_of_these: bool = False
    shown: tuple[str, ...] = ()
    design: str = UNAIDED
    washout_days: int = 0
    aid: tuple[str, ...] = ()
    asks: tuple[str, ...] = ("confidence",)
    languages: tuple[str, ...] = ("en", "zh")
    cases: tuple[PlannedCase, ...]
    slots: tuple[Slot, ...]
    labellers: tuple[
        str, ...
    ] = ()  # raters of the dataset who labelled a case here: only a place of theirs is for them
    reads_per_case: int | None = None  # None where everybody reads everything
    endpoint: Endpoint
    network: str  # name of the bundle
    network_sha256: str  # of its weights
    network_sees: str  # what it is given, in words
    dataset_sha256: str  # of the manifest, which holds the truth
    taxonomy_sha256: str
    booth_sha256: str = ""  # of the sums of the booth's pictures, feedback and aid
    drawn_sha256: str = ""  # of the file that says how the cases were drawn, which is not for readers
    frame: tuple[int, int]  # width and height of every picture
    bytes_per_picture: int

    @property
    def sha256(self) -> str:
        """The hash of all that it says."""
        said = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def sessions(self) -> tuple[int, ...]:
        """The numbers of the sessions that count."""
        return (1, 2) if self.design == "crossover" else (1,)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that a reader goes through."""
        return (UNAIDED,) if self.design == UNAIDED else ARMS

    @property
    def measured(self) -> tuple[PlannedCase, ...]:
        """The cases that count."""
        return tuple(case for case in self.cases if not case.practice)

    def slot(self, name: str) -> Slot:
        """Return the place of this name.

        Raises:
            UserError: there is none.
        """
        found = next((slot for slot in self.slots if slot.name == name), None)
        if found is None:
            raise UserError(f"there is no place {name!r}", where=PLAN, mend=f"there are {len(self.slots)}")
        return found


class Turn(NamedTuple):
    """What a reader answers next."""

    case_id: str
    occasion: int
    arm: str


def order_of(protocol: Protocol, slot: str, session: int = 1) -> tuple[Turn, ...]:
    """Return what is read at a place in a session, in order; session 0 is practice.

    The order depends on the stored seed, the place, the session and the cases, and on no library's generator. In a
    crossover each session has a part without and a part with the network's answer: the halves of the cases change
    over from one session to the next, and half of the places begin with either. In one sitting, each case comes
    without and at once again with it. A repeated case comes again without it, about a fifth of the part later at least.

    Raises:
        UserError: no such place, or no such session.
    """
    place = protocol.slot(slot)
    if session == PRACTICE:
        practice = [case.case_id for case in protocol.cases if case.practice]
        last = protocol.arms[-1]
        return tuple(Turn(case, 1, last) for case in _shuffled(protocol, practice, slot, session))
    if session not in protocol.sessions:
        mend = f"its sessions are {', '.join(map(str, protocol.sessions))}, and 0 for practice"
        raise UserError(f"this study has no session {session}", where=PLAN, mend=mend)
    cases = [case for case in protocol.measured if place.cases is None or case.case_id in set(place.cases)]
    if protocol.design != "crossover":
        turns = _part(protocol, cases, slot, session=session, arm=UNAIDED)
        if protocol.design == "sequential":
            return tuple(each for turn in turns for each in _both(turn))
        return turns
    turned = _begins_unaided(protocol, slot) == (session == 1)
    by_arm = dict(zip(ARMS if turned else ARMS[::-1], _halves(protocol, cases), strict=True))
    parts = [_part(protocol, part, slot, session=session, arm=arm) for arm, part in by_arm.items()]
    return tuple(turn for part in parts for turn in part)


def write_protocol(path: Path, protocol: Protocol, *, made_from: Mapping[str, str]) -> None:
    """Write a protocol with its hash."""
    write_json(path, "plan", {"sha256": protocol.sha256, "protocol": asdict(protocol)}, made_from=made_from)


def read_protocol(path: Path) -> Protocol:
    """Read a protocol, and hold it against its hash.

    Raises:
        UserError: there is none, it is damaged or of a newer format.
        SafetyRefusal: it was changed since it was frozen.
    """
    content = read_json(path, "plan")
    try:
        protocol = _protocol_from(content["protocol"])
        said = content["sha256"]
    except (KeyError, TypeError) as error:
        what = f"this protocol lacks a field, or has one too many: {error}"
        raise UserError(what, where=str(path), mend="run cutis readers plan --again") from error
    if protocol.sha256 != said:
        what = "this protocol was changed since it was frozen"
        raise SafetyRefusal(what, where=str(path), mend="restore the file, or run cutis readers plan --again")
    return protocol


def begin(folder: Path, protocol: Protocol) -> None:
    """Note that the first answer is about to be kept: from now on the protocol cannot change. Twice is as once.

    Args:
        folder: of the study, ``work/5_readers``.
        protocol: under which it is given.

    Raises:
        SafetyRefusal: the study was begun under another protocol.
    """
    begun = begun_under(folder)
    if begun is None:
        write_json(folder / BEGUN, "begun", {"protocol_sha256": protocol.sha256})
    elif begun != protocol.sha256:
        what = f"the protocol was changed after the first reading (it was {begun[:12]}, and is {protocol.sha256[:12]})"
        raise SafetyRefusal(what, where=str(folder / PLAN), mend=f"restore that file, or {REFUSE_CHANGED}")


def begun_under(folder: Path) -> str | None:
    """Return the hash of the protocol under which the first answer was kept; None before."""
    path = folder / BEGUN
    return str(read_json(path, "begun")["protocol_sha256"]) if path.exists() else None


def _protocol_from(content: Mapping[str, Any]) -> Protocol:
    known = {field.name for field in fields(Protocol)}
    if unknown := sorted(content.keys() - known):
        raise TypeError(unknown[0])
    lists = ("diagnoses", "shown", "aid", "asks", "languages", "labellers")
    plain = dict(content) | {name: tuple(content[name]) for name in lists}
    plain["frame"] = (content["frame"][0], content["frame"][1])
    plain["aliases"] = {code: tuple(words) for code, words in content["aliases"].items()}
    plain["cases"] = tuple(PlannedCase(**case) for case in content["cases"])
    plain["slots"] = tuple(
        Slot(**slot | {"cases": None if slot["cases"] is None else tuple(slot["cases"])}) for slot in content["slots"]
    )
    plain["endpoint"] = Endpoint(**content["endpoint"])
    return Protocol(**plain)


def _part(protocol: Protocol, cases: list[PlannedCase], slot: str, *, session: int, arm: str) -> tuple[Turn, ...]:
    """Order the cases of one arm; each of the repeated ones lies early for the first time, and late for the second."""
    placed: list[tuple[float, Turn]] = []
    for case in cases:
        twice = case.repeated and arm == UNAIDED
        place = _drawn(protocol, slot, session, case.case_id, 1)
        placed.append((place * FIRST_BEFORE if twice else place, Turn(case.case_id, 1, arm)))
        if twice:
            again = SECOND_AFTER + (1 - SECOND_AFTER) * _drawn(protocol, slot, session, case.case_id, 2)
            placed.append((again, Turn(case.case_id, 2, arm)))
    return tuple(turn for _, turn in sorted(placed))


def _both(turn: Turn) -> tuple[Turn, ...]:
    """Return a turn, and the same with the network's answer; a repeated one is for the reader alone."""
    return (turn, turn._replace(arm=AIDED)) if turn.occasion == 1 else (turn,)


def _shuffled(protocol: Protocol, cases: list[str], slot: str, session: int) -> list[str]:
    return sorted(cases, key=lambda case: _drawn(protocol, slot, session, case, 1))


def _halves(protocol: Protocol, cases: list[PlannedCase]) -> tuple[list[PlannedCase], list[PlannedCase]]:
    """Return two halves of the cases that are the same at every place."""
    ordered = sorted(cases, key=lambda case: seed_of(protocol.seed, "half", case.case_id))
    return ordered[::2], ordered[1::2]


def _begins_unaided(protocol: Protocol, slot: str) -> bool:
    """Tell whether a place is of the half that begins without the network's answer."""
    return [each.name for each in protocol.slots].index(slot) % 2 == 0


def _drawn(protocol: Protocol, slot: str, session: int, case_id: str, occasion: int) -> float:
    return seed_of(protocol.seed, "order", slot, session, case_id, occasion) / 2**64
