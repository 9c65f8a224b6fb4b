"""Randomness by name, not by order of calls."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_of(*keys: int | str) -> int:
    """Return a 64-bit seed that depends on every key and on nothing else.

    Keys are joined as Python writes them, so that ``1`` and ``"1"`` differ and no text can pass for two.
    """
    name = ",".join(map(repr, keys))
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def chance(*keys: int | str) -> np.random.Generator:
    """Return the generator that belongs to these keys, such as ``chance(seed, "augment", epoch, sha256)``.

    The same keys give the same draws in any order of calls, in any process, on any number of machines.
    """
    return np.random.Generator(np.random.PCG64(seed_of(*keys)))
