"""Who is in which split, for good: written once, read by every later curate of the same workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, sha256_of, write_json
from cutis.vocabulary.pseudonyms import KEY_FILE, Key, damaged

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


def read_ledger(private: Path, key: Key, *, plan: Mapping[str, Any], named: str | None = None) -> Ledger:
    """Return the ledger of this workspace, or an empty one with this plan.

    Args:
        private: where it lies.
        key: under which it was kept.
        plan: by which it was drawn.
        named: the sha256 of the ledger by which the dataset that is there was split.

    Raises:
        SafetyRefusal: the ledger is gone, damaged, or was kept under another key, so that nobody would be recognised.
        UserError: it was drawn by another plan.
    """
    path = private / LEDGER_FILE
    if not path.exists():
        if named:
            raise _gone(path)
        return Ledger(plan=dict(plan))
    try:
        content = read_json(path, "ledger")
        places = {name: _place(*place) for name, place in content["places"].items()}
        key_check, drawn_by, follows = content["key_check"], dict(content["plan"]), content["made_from"].get("ledger")
    except (AttributeError, KeyError, TypeError, ValueError, UserError) as error:
        raise damaged("ledger of splits", path) from error
    if key_check != _check(key):
        what = "the ledger of splits belongs to another key: everybody would be drawn anew, and test cases trained on"
        mend = f"put the {KEY_FILE} back with which it was written, or begin a new --workspace"
        raise SafetyRefusal(what, where=str(path), mend=mend)
    if named and named not in {sha256_of(path), follows}:
        raise _gone(path)
    if drawn_by != plan:
        then = ", ".join(f"{name} {value}" for name, value in drawn_by.items() if plan.get(name) != value)
        mend = "give the same plan, or begin a new --workspace for another draw"
        raise UserError(f"the split was drawn once, by another plan: {then}", where=str(path), mend=mend)
    return Ledger(plan=drawn_by, places=places)


def write_ledger(path: Path, ledger: Ledger, key: Key, *, named: str | None = None) -> None:
    """Write a ledger.

    It remembers the one that the dataset names so far: after a kill just before the new dataset appears it still fits.
    """
    places = {name: list(ledger.places[name]) for name in sorted(ledger.places)}
    content = {"plan": dict(ledger.plan), "key_check": _check(key), "places": places}
    write_json(path, "ledger", content, made_from={"ledger": named} if named else {})


def _place(split: str, fold: int | None) -> Place:
    if split not in SPLITS or not (fold is None or isinstance(fold, int)):
        raise ValueError(f"{split}, {fold} is no place")
    return Place(split, fold)


def _gone(path: Path) -> SafetyRefusal:
    what = "the ledger of splits is gone: everybody would be drawn anew, and test cases trained on"
    mend = "put the ledger back by which the dataset was split, or begin a new --workspace"
    return SafetyRefusal(what, where=str(path), mend=mend)


def _check(key: Key) -> str:
    return key.pseudonym("check", "the key of this ledger")
