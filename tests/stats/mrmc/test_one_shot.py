"""The U-statistics are what their definition says, and unbiased."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from cutis.stats.mrmc.one_shot import one_shot


def successes(scores, truth, treatment):
    """Every reader × diseased × healthy case that was read, with its success."""
    own = scores[treatment]
    pairs = product(range(len(own)), np.flatnonzero(truth == 1), np.flatnonzero(truth == 0))
    return [
        (
            (reader, diseased, healthy),
            (own[reader, diseased] > own[reader, healthy]) + 0.5 * (own[reader, diseased] == own[reader, healthy]),
        )
        for reader, diseased, healthy in pairs
        if not np.isnan(own[reader, diseased] + own[reader, healthy])
    ]


def by_definition(scores, truth, first, second):
    """The covariance from all pairs of successes, each kind of pair by itself."""
    sums, counts = {}, {}
    listed = successes(scores, truth, first), successes(scores, truth, second)
    for (one, success), (other, another) in product(*listed):
        kind = tuple(a == b for a, b in zip(one, other, strict=True))
        sums[kind] = sums.get(kind, 0.0) + success * another
        counts[kind] = counts.get(kind, 0) + 1
    total = len(listed[0]) * len(listed[1])
    expected = sum(counts[kind] / total * sums[kind] / counts[kind] for kind in counts)
    nothing = (False, False, False)
    return expected - sums[nothing] / counts[nothing]


def test_areas_with_gaps_are_those_of_the_definition():
    """Eight moments, counted by hand over all pairs that were read, ties one half."""
    random = np.random.default_rng(0)
    scores = random.integers(0, 4, (2, 3, 7)).astype(float)
    scores[random.random(scores.shape) < 0.2] = np.nan
    truth = np.array([1, 1, 1, 0, 0, 0, 0])

    found = one_shot(scores, truth, endpoint="auc")

    expected = [[by_definition(scores, truth, first, second) for second in (0, 1)] for first in (0, 1)]
    assert found.both == pytest.approx(np.array(expected))


@pytest.mark.parametrize("weighting", ["readings", "readers"])
def test_the_variance_of_a_share_is_unbiased_with_gaps(weighting):
    """Over 4,000 studies in which readers read half of the cases, its mean is the spread of the shares."""
    random = np.random.default_rng(1)
    values, variances = [], []
    for _ in range(4000):
        skill, hardness = random.normal(size=(8, 1)) * 0.5, random.normal(size=30)
        right = (skill + hardness + random.normal(size=(8, 30)) > -0.7).astype(float)
        right[random.random(right.shape) < 0.5] = np.nan
        found = one_shot(right[None], np.ones(30, dtype=np.int64), endpoint="right", weighting=weighting)
        values.append(found.values[0])
        variances.append(found.both[0, 0])

    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.1)


def test_of_fixed_readers_only_the_cases_vary():
    """With the same readers on ever new cases, the variance of fixed readers is the spread of the shares."""
    random = np.random.default_rng(2)
    skill = random.normal(size=(6, 1))
    values, variances = [], []
    for _ in range(1500):
        right = (skill + random.normal(size=40) + random.normal(size=(6, 40)) > -0.5).astype(float)
        right[random.random(right.shape) < 0.3] = np.nan
        found = one_shot(right[None], np.ones(40, dtype=np.int64), endpoint="right")
        values.append(found.values[0])
        variances.append(found.cases[0, 0])

    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.1)


def test_a_variance_below_zero_gives_way_to_the_spread_of_the_readers():
    """Readers who differ, on cases on which they disagree: the unbiased variance is too small, and is not used."""
    right = np.array([[[1, 1, 1, 0], [0, 0, 0, 1.0]]])

    found = one_shot(right, np.ones(4, dtype=np.int64), endpoint="right")
    alone = np.ones(1)

    assert found.both[0, 0] < found.readers[0, 0]
    assert "which was taken" in found.remark(alone)
    assert found.contrast(alone).standard_error == pytest.approx(np.sqrt(found.readers[0, 0]))


def test_cases_of_a_cluster_are_one_witness():
    """Every case twice in a cluster of its own gives the variance of every case once."""
    random = np.random.default_rng(3)
    right = (random.random((1, 5, 30)) < 0.7).astype(float)
    truth = np.ones(30, dtype=np.int64)

    once = one_shot(right, truth, endpoint="right")
    twice = one_shot(
        np.repeat(right, 2, axis=2), np.repeat(truth, 2), endpoint="right", of_case=np.repeat(np.arange(30), 2)
    )

    assert twice.both == pytest.approx(once.both)


def test_a_variance_of_fixed_readers_below_zero_is_told():
    """There is no interval then, and the reason is not that nothing varies."""
    right = np.array([[[1, 0], [0, 1.0]]])

    found = one_shot(right, np.ones(2, dtype=np.int64), endpoint="right")

    assert found.cases[0, 0] <= 0
    assert found.contrast(np.ones(1), random="cases").standard_error == 0


def test_a_single_reader_has_a_variance_over_cases():
    """With the readers fixed it is that of a mean."""
    right = (np.random.default_rng(4).random((1, 1, 50)) < 0.7).astype(float)
    right[0, 0, :5] = np.nan

    found = one_shot(right, np.ones(50, dtype=np.int64), endpoint="right")

    assert found.cases[0, 0] == pytest.approx(np.var(right[0, 0, 5:], ddof=1) / 45)
