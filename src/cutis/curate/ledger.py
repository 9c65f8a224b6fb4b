"""Who is in which split, for good: written once, read by every later curate of the same workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cutis.curate.pseudonyms import KEY_FILE, Key
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, write_json

LEDGER_FILE = "split_ledger.json"


class Place(NamedTuple):
    """Where a cluster is; no fold in the test split."""

    split: str
    fold: int | None


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The places by pseudonym of patient, lesion and case, and the plan by which they were drawn."""

    plan: Mapping[str, Any]
    places: Mapping[str, Place] = field(default_factory=dict)


def read_ledger(private: Path, key: Key, *, plan: Mapping[str, Any]) -> Ledger:
    """Return the ledger of this workspace, or an empty one with this plan.

    Raises:
        SafetyRefusal: the ledger was kept under another key, so that nobody in it would be recognised.
        UserError: it was drawn by another plan.
    """
    path = private / LEDGER_FILE
    if not path.exists():
        return Ledger(plan=dict(plan))
    content = read_json(path, "ledger")
    if content["key_check"] != _check(key):
        what = "the ledger of splits belongs to another key: everybody would be drawn anew, and test cases trained on"
        mend = f"put the {KEY_FILE} back with which it was written, or begin a new --workspace"
        raise SafetyRefusal(what, where=str(path), mend=mend)
    if content["plan"] != plan:
        then = ", ".join(f"{name} {value}" for name, value in content["plan"].items() if plan.get(name) != value)
        mend = "give the same plan, or begin a new --workspace for another draw"
        raise UserError(f"the split was drawn once, by another plan: {then}", where=str(path), mend=mend)
    places = {name: Place(*place) for name, place in content["places"].items()}
    return Ledger(plan=content["plan"], places=places)


def write_ledger(path: Path, ledger: Ledger, key: Key) -> None:
    """Write a ledger."""
    places = {name: list(ledger.places[name]) for name in sorted(ledger.places)}
    write_json(path, "ledger", {"plan": dict(ledger.plan), "key_check": _check(key), "places": places})


def _check(key: Key) -> str:
    return key.pseudonym("check", "the key of this ledger")
