"""Finds pictures that are one photograph: hashes propose pairs, an aligned comparison of pixels confirms them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.imaging.alignment import agreement

SIDE = 64  # pixels of the thumbnail
WAVES = 22  # a hash is the signs of the cosine transform's slowest waves: those with i + j < 22, without the mean
WORDS = 4  # of 64 bits: room for its 252 signs
# A hash bears little shift, so there is one of the whole thumbnail, and one of it without a strip at two of its sides.
STRIP = 0.04 * SIDE
CORNERS = [(left, top) for left in (0, STRIP) for top in (0, STRIP)]
CROPS = ((0, 0, SIDE, SIDE), *((left, top, left + SIDE - STRIP, top + SIDE - STRIP) for left, top in CORNERS))

# Chosen on HAM10000 and on altered copies of it; the numbers stand in docs/decisions/0002.
PROPOSED_WITHIN = 62  # signs that may differ
CONFIRMED_FROM = 0.30  # agreement of the fine detail

ROWS_AT_ONCE = 256  # these two bound the memory
PAIRS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What is kept of a picture to recognise it by."""

    pixels: str  # sha256 of size and pixels: equal for exact copies alone
    signs: NDArray[np.uint64]  # (crops, WORDS)
    thumbnail: NDArray[np.float16]  # (SIDE, SIDE), grey


def fingerprint(picture: Image.Image) -> Fingerprint:
    """Return the fingerprint of an upright RGB picture, as `decode` gives it."""
    pixels = hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).hexdigest()
    grey = picture.convert("L").convert("F").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    crops = [grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box) for box in CROPS]
    signs = _signs(np.stack([np.asarray(crop) for crop in crops]))
    return Fingerprint(pixels, signs, np.asarray(grey).astype(np.float16))


def near_duplicates(fingerprints: Sequence[Fingerprint]) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, that are copies of one photograph, in order.

    A copy may be encoded anew, resized, lit otherwise, shifted, or cropped by 5 % and somewhat more. Mirrored and
    turned pictures are not looked for, nor are other photographs of the same lesion. The order of the pictures does
    not matter.
    """
    # Which of two is laid over the other must not depend on the order they come in: it is that of their pixels.
    order = sorted(range(len(fingerprints)), key=lambda at: fingerprints[at].pixels)
    ordered = [fingerprints[at] for at in order]
    pairs = np.concatenate([np.empty((0, 2), np.int64), *_proposed(ordered)])
    starts = range(0, len(pairs), PAIRS_AT_ONCE)
    confirmed = (_confirmed(ordered, pairs[start : start + PAIRS_AT_ONCE]) for start in starts)
    found = ((order[one], order[other]) for one, other in itertools.chain.from_iterable(confirmed))
    return sorted((min(pair), max(pair)) for pair in found)


def groups(pairs: Iterable[tuple[int, int]], count: int) -> list[tuple[int, ...]]:
    """Return the groups of two and more that the pairs join among `count` pictures, in order of their first."""
    leader = list(range(count))

    def lead(member: int) -> int:
        while leader[member] != member:
            leader[member] = leader[leader[member]]
            member = leader[member]
        return member

    for one, other in pairs:
        first, second = sorted((lead(one), lead(other)))
        leader[second] = first
    members: dict[int, list[int]] = {}
    for member in range(count):
        members.setdefault(lead(member), []).append(member)
    return [tuple(group) for group in members.values() if len(group) > 1]


def _signs(thumbnails: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return (n, WORDS): the signs of discrete cosine transforms, which light and contrast do not change."""
    wave, place = np.mgrid[:WAVES, :SIDE]
    cosines = np.cos(np.pi * (2 * place + 1) * wave / (2 * SIDE))
    strengths = cosines @ thumbnails @ cosines.T
    down, across = np.indices((WAVES, WAVES))
    slowest = (down + across > 0) & (down + across < WAVES)
    bits = np.zeros((len(thumbnails), WORDS * 64), bool)
    bits[:, : slowest.sum()] = strengths[:, slowest] > 0
    return np.packbits(bits, axis=1).view(np.uint64)


def _proposed(fingerprints: Sequence[Fingerprint]) -> Iterator[NDArray[np.int64]]:
    """Yield pairs (n, 2) whose signs differ little, of both as a whole or of one as a whole and the other cropped."""
    signs = np.array([one.signs for one in fingerprints]).reshape(-1, len(CROPS), WORDS)
    for start in range(0, len(signs), ROWS_AT_ONCE):
        rows, following = signs[start : start + ROWS_AT_ONCE], signs[start:]
        crops = [(0, 0), *((0, crop) for crop in range(1, len(CROPS))), *((crop, 0) for crop in range(1, len(CROPS)))]
        differing = reduce(np.minimum, (_differing(rows[:, one], following[:, other]) for one, other in crops))
        row, column = np.nonzero(np.triu(differing <= PROPOSED_WITHIN, k=1))
        yield np.stack([row + start, column + start], axis=1)


def _differing(rows: NDArray[np.uint64], columns: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return how many signs differ, every row against every column; 252 of them fit into eight bits."""
    counts = np.zeros((len(rows), len(columns)), np.uint8)
    for word in range(WORDS):
        counts += np.bitwise_count(rows[:, word, None] ^ columns[:, word])
    return counts


def _confirmed(fingerprints: Sequence[Fingerprint], pairs: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    still, moving = (
        np.array([fingerprints[index].thumbnail for index in column], np.float32)
        for column in (pairs[:, 0], pairs[:, 1])
    )
    same = agreement(still, moving) >= CONFIRMED_FROM
    for (one, other), agrees in zip(pairs.tolist(), same, strict=True):
        if agrees or fingerprints[one].pixels == fingerprints[other].pixels:
            yield one, other
