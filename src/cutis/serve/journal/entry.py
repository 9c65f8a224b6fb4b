"""What stands in the journal, and how an entry holds on to the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

BEGINNING = "0" * 64  # what the first entry follows
WITHOUT_BLANKS = json.JSONEncoder(separators=(",", ":")).encode  # made once: a long journal is hashed in a second
SERVER = "server"  # who writes where no person or program does


class Kind(StrEnum):
    """What can happen."""

    ANSWER = "answer"  # a release answered
    SHOWN = "shown"  # somebody was shown something of an answer
    WORD = "word"  # what a clinician says of it
    NOTE = "note"
    TRUTH = "truth"  # histology, or a rater who had not seen the answer
    ERASED = "erased"
    RELEASE = "release"  # another one answers from here on
    ACCEPTANCE = "acceptance"
    VISIBLE = "visible"  # answers are shown from here on, or no longer
    ACCOUNT = "account"
    ACCESS = "access"  # somebody read of a case, or took something of it out
    RESTORED = "restored"  # from a back-up
    MONITOR = "monitor"  # an alarm began or ended, or its rules were set


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be written down."""

    kind: Kind
    by: str  # id of an account or a token, or `SERVER`
    case_id: str | None = None
    examination_id: str | None = None
    open: Mapping[str, Any] = field(default_factory=dict)  # tells of nobody, and stays
    sealed: Mapping[str, Any] = field(default_factory=dict)  # goes with the case's key


class Kept(NamedTuple):
    """An entry as it lies in the database, in the order of the table's columns."""

    number: int
    at: float
    kind: str
    by: str
    case_id: str | None
    examination_id: str | None
    open: str  # canonical JSON
    sealed: bytes | None
    previous: str
    hash: str

    @property
    def content(self) -> dict[str, Any]:
        """The open part."""
        return dict(json.loads(self.open))


def canonical(content: Mapping[str, Any]) -> str:
    """Return JSON that is the same for the same content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def hash_of(kept: Kept) -> str:
    """Return the hash of an entry: of the hash before it, and of everything in it; what is sealed counts as it lies."""
    sealed = None if kept.sealed is None else hashlib.sha256(kept.sealed).hexdigest()
    told = [kept.previous, *kept[:7], sealed]
    return hashlib.sha256(WITHOUT_BLANKS(told).encode()).hexdigest()
