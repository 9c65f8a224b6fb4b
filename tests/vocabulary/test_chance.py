"""Randomness by name: the same keys, the same draws, wherever and whenever."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cutis.vocabulary.chance import chance, seed_of

# Words as clinics write them; control characters are no part of a name.
WORDS = st.text(st.characters(exclude_categories=["C"]))
KEYS = st.lists(st.integers() | WORDS, min_size=1, max_size=4)


@given(KEYS)
def test_the_same_keys_give_the_same_draws(keys):
    """In any order of calls."""
    first = chance(*keys).random(3)
    chance("something", "in", "between").random()

    assert np.array_equal(first, chance(*keys).random(3))


@given(KEYS, KEYS)
def test_other_keys_give_another_seed(one, other):
    """Seeds agree exactly where the keys do."""
    assert (seed_of(*one) == seed_of(*other)) == (one == other)


def test_a_number_and_its_spelling_differ():
    """Epoch 1 is not the case called "1"."""
    assert seed_of(1) != seed_of("1")
    assert seed_of("a", "b") != seed_of("ab")
    assert seed_of("a", 1, "b") != seed_of("a", "b", 1)
    assert seed_of("a", "b") != seed_of("a', 'b")


def test_another_process_draws_the_same():
    """Python's own salted hash plays no part."""
    script = "from cutis.vocabulary.chance import chance; print(chance(7, 'augment', 3, 'case').integers(10**9))"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert int(run.stdout) == chance(7, "augment", 3, "case").integers(10**9)


def test_the_draws_are_those_of_the_first_version():
    """A change here would silently change every split that was ever drawn."""
    assert seed_of(0, "split", "patient0001") == 5084710920100056773
    assert chance(0, "split", "patient0001").integers(10**6, size=3).tolist() == [354718, 965001, 160947]
