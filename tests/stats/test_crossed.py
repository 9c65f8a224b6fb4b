"""A mean over patients and seeds doubts both."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.crossed import draw_seeds, estimate_crossed_mean


def _estimate(values, ids=None):
    ids = ids or [f"p{number}" for number in range(values.shape[1])]
    return estimate_crossed_mean(values, ids, cluster_kind="patient", generator=np.random.default_rng(0))


def test_few_seeds_are_not_made_up_for_by_many_cases():
    """Where all the spread is between seeds, the interval is that of a mean of ten seeds, whatever the cases."""
    by_seed = np.random.default_rng(1).normal(size=10)

    few, many = (_estimate(np.repeat(by_seed[:, None], cases, axis=1)) for cases in (20, 400))

    spread = 2 * 1.96 * by_seed.std(ddof=1) / np.sqrt(10)
    for estimate in (few, many):
        assert estimate.value == pytest.approx(by_seed.mean())
        assert estimate.high - estimate.low == pytest.approx(spread, rel=0.15)


def test_patients_are_drawn_too():
    """Where all the spread is between patients, it is that of their mean, pictures of one patient together."""
    by_patient = np.random.default_rng(2).normal(size=50)
    values = np.tile(np.repeat(by_patient, 3), (10, 1))

    estimate = _estimate(values, [f"p{number // 3}" for number in range(150)])

    assert estimate.clusters == 50
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * by_patient.std() / np.sqrt(50), rel=0.15)


def test_a_single_seed_says_so():
    """Its interval is over cases alone, and the note tells it."""
    assert "one seed" in _estimate(np.random.default_rng(3).normal(size=(1, 40))).note


def test_the_spread_over_seeds_is_that_of_a_mean_of_so_many_seeds():
    """The variance of the rounds is the seeds' variance divided by their number; five draws of five fall short."""
    figures = np.random.default_rng(0).normal(size=5)

    picked = draw_seeds(5, rounds=200_000, generator=np.random.default_rng(1))

    assert figures[picked].mean(axis=1).var() == pytest.approx(figures.var(ddof=1) / 5, rel=0.02)
