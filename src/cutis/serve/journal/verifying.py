"""Does the journal still say what was written? The first entry that does not fit is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from cutis.serve.journal.anchors import EVERY, Anchor
from cutis.serve.journal.entry import BEGINNING, Kept, hash_of
from cutis.serve.journal.reading import entries


class Broken(NamedTuple):
    """The first entry that is not as it was written, and what happened to it."""

    number: int
    why: str


@dataclass(frozen=True)
class Verdict:
    """What was found."""

    entries: int  # that were read, up to the broken one
    head: str  # hash of the last one that fits
    anchored: int  # number of the last entry that an anchor vouches for; later ones could be cut without a trace
    broken: Broken | None


def verify(connection: Connection, anchors: Sequence[Anchor], public: Ed25519PublicKey) -> Verdict:
    """Recompute the chain and hold it against its anchors.

    Args:
        connection: that reads.
        anchors: as they lay outside of the database before `connection` looked.
        public: whose signature counts.
    """
    known = {each.number: each for each in reversed(anchors)}  # the first word about an entry counts
    previous, count, anchored = BEGINNING, 0, 0
    for kept, follower in _with_follower(entries(connection)):
        if broken := _wrong_in_chain(kept, follower, known, previous=previous, expected=count + 1):
            return Verdict(count, previous, anchored, broken)
        found = known.get(kept.number)
        if found is not None and found.hash != kept.hash:
            return Verdict(count, previous, anchored, _wrong_with_anchor(found, anchors, public))
        anchored = kept.number if found else anchored
        previous, count = kept.hash, kept.number
    return Verdict(count, previous, anchored, _wrong_at_end(anchors, public, count=count))


def _with_follower(rows: Iterator[Kept]) -> Iterator[tuple[Kept, Kept | None]]:
    for kept, follower in pairwise(chain(rows, [None])):
        assert kept is not None
        yield kept, follower


def _wrong_in_chain(
    kept: Kept, follower: Kept | None, anchors: dict[int, Anchor], *, previous: str, expected: int
) -> Broken | None:
    if kept.number != expected:
        return Broken(expected, "it was removed")
    if not _is_itself(kept):
        return Broken(kept.number, "it was changed, or another one was put in its place")
    if kept.previous == previous:
        return None
    # Both fit in themselves. The one that its neighbour or an anchor holds on to is the right one.
    held = follower is not None and _is_itself(follower) and follower.previous == kept.hash
    held = held or (kept.number in anchors and anchors[kept.number].hash == kept.hash)
    if (held or follower is None) and kept.number > 1:
        return Broken(kept.number - 1, "it was changed and its hash made to fit, but the next one follows another")
    return Broken(kept.number, "it was changed and its hash made to fit, but it follows another one")


def _is_itself(kept: Kept) -> bool:
    try:
        return hash_of(kept) == kept.hash
    except TypeError:  # something that no entry of ours holds
        return False


def _wrong_with_anchor(found: Anchor, anchors: Sequence[Anchor], public: Ed25519PublicKey) -> Broken:
    if not found.is_signed_by(public):
        return Broken(found.number, "its anchor is not signed by this site")
    before = [each.number for each in anchors[: anchors.index(found)] if each.number < found.number]
    first = max(before, default=0) + 1
    why = f"one of {first} to {found.number} was changed, and those after it made to fit: an anchor says otherwise"
    return Broken(first, why)


def _wrong_at_end(anchors: Sequence[Anchor], public: Ed25519PublicKey, *, count: int) -> Broken | None:
    """Anchors that fit the chain prove nothing false; so the last one is enough to be checked."""
    if not anchors:
        why = "no anchor vouches for so many entries: their file is missing"
        return Broken(count, why) if count >= EVERY else None
    last = max(anchors, key=lambda each: each.number)
    if not last.is_signed_by(public):
        return Broken(last.number, "its anchor is not signed by this site")
    if last.number > count:
        return Broken(count + 1, f"it was cut off with all that follow; an anchor knows of {last.number}")
    return None
