"""How unusual a value is: by clusters, and so that what is promised of new patients holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.tails import fewest_clusters, highest_accepted, most_unusual, shares_of, tail_of, tail_probability

SIZES = st.lists(st.integers(1, 6), min_size=79, max_size=140)


def clustered(sizes):
    """The cluster of every case, for clusters of these sizes."""
    return [f"patient{at}" for at, size in enumerate(sizes) for _ in range(size)]


def test_a_tail_probability_counts_clusters_and_the_new_one_itself():
    """One patient has a 1, the other 2, 2 and 3: at or above 2 lies one of two, with the new one two of three."""
    tail = tail_of(np.array([1.0, 2.0, 2.0, 3.0]), ["one", "other", "other", "other"])

    found = tail_probability(np.array([0.0, 1.0, 1.5, 2.0, 3.0, 4.0]), tail)

    assert_allclose(found, np.array([3, 3, 2, 2, 1 + 1 / 3, 1]) / 3)


def test_a_patient_with_forty_pictures_counts_once():
    """The shares of two patients are one half each."""
    shares = shares_of(["many"] * 40 + ["one"])

    assert_allclose([shares[:40].sum(), shares[40]], [0.5, 0.5])


def test_the_most_unusual_signal_speaks_for_all():
    """An extreme cannot be outvoted."""
    tail = tail_of(np.arange(99.0), clustered([1] * 99))
    values = [np.array([1000.0, 0.0]), np.array([0.0, 0.0])]

    found = most_unusual(values, [tail, tail])

    assert_allclose(found, [1 - 1 / 100, 0], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(0, 2**32 - 1), st.sampled_from([0.8, 0.9, 0.95]))
def test_on_the_split_it_was_chosen_on_the_stated_share_is_answered(sizes, seed, share):
    """Every cluster counts once; and not many more are answered than the share: the rest is what may be refused."""
    ids = clustered(sizes)
    values = list(np.random.default_rng(seed).normal(size=(3, len(ids))).round(1))
    tails = [tail_of(each, ids) for each in values]

    limit = highest_accepted(values, tails, ids, share=share)

    answered = most_unusual(values, tails) <= limit
    assert shares_of(ids) @ answered >= share - 1e-9


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_what_one_signal_finds_farther_out_than_all_is_refused(sizes, seed, signal):
    """Even where the two others find nothing: that is what the fewest clusters are for."""
    ids = clustered(sizes)
    values = list(np.random.default_rng(seed).normal(size=(3, len(ids))))
    tails = [tail_of(each, ids) for each in values]
    limit = highest_accepted(values, tails, ids, share=0.95)
    new = [np.array([-100.0])] * 3
    new[signal] = np.array([100.0])

    assert most_unusual(new, tails)[0] > limit


def test_of_a_hundred_patients_the_96th_sets_the_limit():
    """A new one makes 101, and 95 % of these are 96: five patients lie at or above the limit."""
    ids = clustered([1] * 100)
    values = [np.random.default_rng(0).permutation(np.arange(100.0))]

    limit = highest_accepted(values, [tail_of(values[0], ids)], ids, share=0.95)

    assert limit == pytest.approx(1 - 5 / 101)


def test_with_fewer_clusters_there_is_no_threshold():
    """79 are needed for three signals at 95 %; at 90 % 39 are enough."""
    ids = clustered([1] * 78)
    values = [np.arange(78.0)] * 3
    tails = [tail_of(each, ids) for each in values]

    assert fewest_clusters(0.95, signals=3) == 79
    assert fewest_clusters(0.9, signals=3) == 39
    assert highest_accepted(values, tails, ids, share=0.95) is None
    assert highest_accepted(values, tails, ids, share=0.9) is not None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.floats(0, 3))
def test_what_is_joined_never_falls_where_one_signal_rises(seed, signal, step):
    """Monotone in each."""
    random = np.random.default_rng(seed)
    ids = clustered([1] * 90)
    tails = [tail_of(each, ids) for each in random.normal(size=(3, 90))]
    before = list(random.normal(size=(3, 20)))
    after = [each + step * (at == signal) for at, each in enumerate(before)]

    assert (most_unusual(after, tails) >= most_unusual(before, tails)).all()


def test_new_patients_are_answered_as_often_as_promised():
    """Patients differ from each other, and some have many pictures: 95 % of their pictures, one drawn from each.

    Each of 400 invented clinics has 100 patients to choose on and 200 new ones; the mean over the clinics must not
    lie below the promise by more than chance.
    """
    random = np.random.default_rng(0)
    shares = []
    for _ in range(400):
        ids = clustered(random.choice([1, 1, 1, 2, 12], size=100))
        at = np.unique(ids, return_inverse=True)[1]
        values = [random.normal(size=100)[at] + 0.5 * random.normal(size=len(ids)) for _ in range(3)]
        tails = [tail_of(each, ids) for each in values]
        limit = highest_accepted(values, tails, ids, share=0.95)
        new = [random.normal(size=200) + 0.5 * random.normal(size=200) for _ in range(3)]
        shares.append((most_unusual(new, tails) <= limit).mean())

    error = np.std(shares) / np.sqrt(len(shares))
    assert 0.95 - 2 * error < np.mean(shares) < 0.975


def test_one_patient_with_many_odd_pictures_does_not_set_the_threshold():
    """Of a hundred one has forty pictures that are most unusual; counted by picture, nobody else would be refused."""
    ids = clustered([40] + [1] * 99)
    random = np.random.default_rng(1)
    ordinary = random.normal(size=99)
    values = [np.concatenate([np.full(40, 50.0), ordinary])]
    tail = tail_of(values[0], ids)

    limit = highest_accepted(values, [tail], ids, share=0.95)

    assert most_unusual([np.array([3.5])], [tail])[0] > limit
    assert np.mean(most_unusual(values, [tail])[40:] <= limit) == pytest.approx(0.96, abs=0.02)
