"""Passwords."""

import anyio
import pytest
from argon2 import PasswordHasher

from coroutines import awaited
from cutis.web.passwords import Busy, Passwords
from sites import QUICK


def test_it_is_argon2id_with_what_the_library_advises():
    """64 MiB a hash, each with a salt of its own (threat 14)."""
    passwords = Passwords(at_once=1, waiting=0)

    first, second = (
        awaited(passwords.hash, "a long password"),
        awaited(Passwords(at_once=1, waiting=0).hash, "a long password"),
    )

    assert first.startswith("$argon2id$v=19$m=65536,")
    assert first != second


def test_a_password_fits_itself_and_nothing_else():
    """A name that does not exist is checked all the same, and fits nothing."""

    async def asked():
        passwords = Passwords(at_once=2, waiting=2, hasher=QUICK)
        stored = await passwords.hash("a long password")
        return [
            await passwords.fits(stored, "a long password"),
            await passwords.fits(stored, "another password"),
            await passwords.fits(None, "nobody"),
            await passwords.fits("no hash", "a long password"),
        ]

    assert awaited(asked) == [True, False, False, False]


def test_no_more_than_so_many_are_computed_at_once():
    """Forty at the door: two inside, four waiting, the others are told to come back (threat 14)."""
    inside, most = 0, 0

    class Slow(PasswordHasher):
        def verify(self, *_):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            import time

            time.sleep(0.05)
            inside -= 1
            return True

    async def asked():
        passwords = Passwords(at_once=2, waiting=4, hasher=Slow(time_cost=1, memory_cost=8, parallelism=1))
        results = []

        async def one():
            try:
                results.append(await passwords.fits("x", "y"))
            except Busy:
                results.append("busy")

        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(one)
        return results

    results = awaited(asked)

    assert (most, results.count(True), results.count("busy")) == (2, 6, 34)


@pytest.mark.parametrize("length", [1, 10**6])
def test_a_password_of_any_length_costs_the_same(length):
    """What is longer than anybody types is cut before it is hashed."""
    passwords = Passwords(at_once=1, waiting=0, hasher=QUICK)

    assert awaited(passwords.fits, None, "x" * length) is False
