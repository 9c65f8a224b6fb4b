"""What the booth knows of a study: the protocol, the network's answers, and the feedback of practice cases.

It opens nothing else. The truth of the cases that count lies in the dataset, which is not looked for here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cutis.readers.protocol import (
    BOOTH,
    PLAN,
    PRACTICE,
    PlannedCase,
    Protocol,
    Turn,
    begun_under,
    order_of,
    read_protocol,
)
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import check_sums, read_json
from cutis.vocabulary.reading import AIDED, NONE_OF_THESE


class Aid(NamedTuple):
    """The network's answer to one case: calibrated, restricted to what readers can answer."""

    top: tuple[tuple[str, float], ...]
    map: str | None  # name of a file in booth/maps


@dataclass(frozen=True, kw_only=True)
class Study:
    """One study, open for reading."""

    folder: Path  # work/5_readers
    protocol: Protocol
    orders: Mapping[tuple[str, int], tuple[Turn, ...]]  # by place and session; session 0 is practice
    cases: Mapping[str, PlannedCase]
    aid: Mapping[str, Aid]
    feedback: Mapping[str, str]  # of practice cases alone

    @property
    def sessions(self) -> tuple[int, ...]:
        """All sessions in order, practice first."""
        return (PRACTICE, *self.protocol.sessions)

    @property
    def answers(self) -> tuple[str, ...]:
        """What can be answered."""
        return self.protocol.diagnoses + ((NONE_OF_THESE,) if self.protocol.none_of_these else ())

    def picture(self, case_id: str) -> Path:
        """Where the picture of a case lies."""
        return self.folder / BOOTH / "pictures" / self.cases[case_id].picture

    def map(self, case_id: str) -> Path | None:
        """Where the map of a case lies, if readers may see one."""
        found = self.aid.get(case_id)
        return self.folder / BOOTH / "maps" / found.map if found and found.map else None


def open_study(folder: Path) -> Study:
    """Read a study from ``work/5_readers``.

    Raises:
        UserError: there is none, a file is damaged, or a picture or an answer of the network is missing.
        SafetyRefusal: the protocol was changed since it was frozen, or since the first reading.
    """
    protocol = read_protocol(folder / PLAN)
    begun = begun_under(folder)
    if begun is not None and begun != protocol.sha256:
        mend = "bring back the plan that was read under, or begin another study in another workspace"
        raise SafetyRefusal("the protocol was changed after the first reading", where=str(folder / PLAN), mend=mend)
    booth = folder / BOOTH
    check_sums(booth, "booth", mend="run cutis readers plan --again")
    aid = _read_aid(booth / "aid.json") if AIDED in protocol.arms else {}
    feedback = dict(read_json(booth / "feedback.json", "feedback")["cases"])
    cases = {case.case_id: case for case in protocol.cases}
    practice = {case.case_id for case in protocol.cases if case.practice}
    if told := feedback.keys() - practice:
        mend = "run cutis readers plan --again"
        raise SafetyRefusal(f"{len(told)} cases that count have a feedback", where=str(booth), mend=mend)
    sessions = (PRACTICE, *protocol.sessions)
    orders = {(slot.name, each): order_of(protocol, slot.name, each) for slot in protocol.slots for each in sessions}
    aided = {turn.case_id for order in orders.values() for turn in order if turn.arm == AIDED}
    if missing := sorted(aided - aid.keys()):
        what = f"the network's answer to {len(missing)} cases is missing, such as {missing[0]}"
        raise UserError(what, where=str(booth / "aid.json"), mend="run cutis readers plan --again")
    return Study(folder=folder, protocol=protocol, orders=orders, cases=cases, aid=aid, feedback=feedback)


def _read_aid(path: Path) -> dict[str, Aid]:
    cases = read_json(path, "aid")["cases"]
    top = {case: tuple((str(code), float(share)) for code, share in said["top3"]) for case, said in cases.items()}
    return {case: Aid(top[case], said.get("map")) for case, said in cases.items()}
