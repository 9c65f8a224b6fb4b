"""Groups of readers vote."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from cutis.stats.mrmc.collective import estimate_votes
from cutis.stats.mrmc.two_way import draw_rounds
from cutis.stats.resampling import clusters_of
from cutis.vocabulary.errors import UserError


def a_study(*, readers=6, cases=60, skill=0.6, seed=0, rounds=60):
    random = np.random.default_rng(seed)
    truth = np.arange(cases) % 3
    said = np.where(random.random((readers, cases)) < skill, truth, random.integers(0, 3, (readers, cases)))
    clusters = clusters_of([f"{number:05}" for number in range(cases)], truth, kind="case", diagnoses=3)
    return truth, said, draw_rounds(clusters, readers=readers, generator=np.random.default_rng(1), rounds=rounds)


def by_all_groups(truth, said, size):
    """Every group of so many readers, ties shared."""
    right = []
    for group in combinations(range(len(said)), size):
        votes = np.stack([(said[list(group)] == kind).sum(axis=0) for kind in range(3)])
        most = votes == votes.max(axis=0)
        right.append((most[truth, np.arange(len(truth))] / most.sum(axis=0)).mean())
    return np.mean(right)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_a_vote_is_the_mean_over_all_groups(size):
    """Drawn groups come near the mean over every group there is; all readers are one group."""
    truth, said, rounds = a_study()

    (vote,) = estimate_votes(truth, said, rounds, sizes=[size], kinds=3, generator=np.random.default_rng(2))

    expected = by_all_groups(truth, said, size)
    assert vote.accuracy.value == pytest.approx(expected, abs=0.01 if size < 6 else 1e-12)
    assert vote.accuracy.low < vote.accuracy.value < vote.accuracy.high


def test_more_readers_know_more_and_the_network_is_set_beside_them():
    """Readers who err by themselves are better together; the difference is network less group."""
    truth, said, rounds = a_study(readers=15)
    network = np.where(np.random.default_rng(5).random(60) < 0.8, truth, 0)

    votes = estimate_votes(
        truth, said, rounds, sizes=[1, 5, 15], kinds=3, generator=np.random.default_rng(2), network=network
    )

    values = [vote.accuracy.value for vote in votes]
    assert values == sorted(values)
    assert votes[1].network_ahead.value == pytest.approx((network == truth).mean() - values[1])


def test_the_interval_of_a_group_lies_around_it():
    """Few readers, of whom some are drawn twice: the rounds are moved back to the figure."""
    truth, said, rounds = a_study(readers=5, rounds=300)

    (vote,) = estimate_votes(truth, said, rounds, sizes=[5], kinds=3, generator=np.random.default_rng(2))

    middle = (vote.accuracy.low + vote.accuracy.high) / 2
    assert middle == pytest.approx(vote.accuracy.value, abs=0.03)


@pytest.mark.parametrize(("sizes", "reason"), [([0], "groups of 0"), ([7], "groups of 7"), ([], "groups of")])
def test_groups_that_cannot_be_drawn_are_refused(sizes, reason):
    """None is empty, and none is larger than all readers."""
    truth, said, rounds = a_study()

    with pytest.raises(UserError, match=reason):
        estimate_votes(truth, said, rounds, sizes=sizes, kinds=3, generator=np.random.default_rng(2))


def test_readers_of_different_cases_do_not_vote_together():
    """It is refused with its reason."""
    truth, said, rounds = a_study()
    said[0, 0] = -1

    with pytest.raises(UserError, match="no group has read"):
        estimate_votes(truth, said, rounds, sizes=[3], kinds=3, generator=np.random.default_rng(2))
