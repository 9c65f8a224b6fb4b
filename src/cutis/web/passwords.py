"""Passwords are kept as argon2id hashes; how many are computed at once is bounded, for each takes memory and a core."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256  # letters; more would only make us work
Result = TypeVar("Result")


class Busy(Exception):
    """More people are waiting for a password to be checked than can be served soon."""


def hash_alone(password: str) -> str:
    """Return what is stored of a password, where nobody else waits: at a terminal."""
    return PasswordHasher().hash(password)


class Passwords:
    """Hashes and checks, a few at a time."""

    def __init__(self, *, at_once: int, waiting: int, hasher: PasswordHasher | None = None) -> None:
        """Take `at_once` at a time and let `waiting` wait; the hasher's parameters are the library's own."""
        self._hasher = hasher or PasswordHasher()
        self._room = at_once + waiting
        self._at_once = at_once
        self._limiter: CapacityLimiter | None = None
        self._inside = 0
        self._nobody = self._hasher.hash("nobody")

    async def hash(self, password: str) -> str:
        """Return what is stored.

        Raises:
            Busy: too many wait.
        """
        return await self._in_turn(lambda: self._hasher.hash(password))

    async def fits(self, stored: str | None, password: str) -> bool:
        """Say whether a password is right; a name that does not exist takes just as long.

        Raises:
            Busy: too many wait.
        """
        right = await self._in_turn(lambda: self._matches(stored or self._nobody, password[:LONGEST]))
        return right and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        if self._inside >= self._room:
            raise Busy
        if self._limiter is None:  # it belongs to the loop that is running now
            self._limiter = CapacityLimiter(self._at_once)
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
