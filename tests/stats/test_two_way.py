"""Intervals that draw cases and readers."""

import numpy as np
import pytest

from cutis.stats.resampling import clusters_of
from cutis.stats.two_way import draw_cases, mean_of, shares_of, two_way


def _clusters(cases):
    return clusters_of([f"p{n}" for n in range(cases)], kind="patient")


def _mean(right):
    among = np.ones_like(right)

    def figures(weights, picks):
        return {"share": mean_of(shares_of(right, among, weights), picks)}

    return figures


def test_the_spread_is_that_of_both_sources():
    """Against the variance of a mean over readers and cases, by the textbook's random effects; a little wider."""
    random = np.random.default_rng(0)
    readers, cases = 12, 150
    easy = random.normal(0, 0.15, cases) + random.normal(0, 0.1, readers)[:, None] + 0.7
    right = random.random((readers, cases)) < easy
    by_reader, by_case = right.mean(axis=1), right.mean(axis=0)

    estimate = two_way(
        _mean(right), _clusters(cases), readers=readers, generator=random, shares={"share"}, rounds=2000
    )["share"]
    textbook = np.sqrt(by_reader.var(ddof=1) / readers + by_case.var(ddof=1) / cases)

    assert estimate.value == pytest.approx(right.mean())
    assert (estimate.high - estimate.low) / 2 / 1.96 == pytest.approx(textbook, rel=0.12)


def test_a_stratum_of_two_keeps_its_variance():
    """Draws of n − 1 that count n / (n − 1) each: the variance of the mean is s² / n, where n draws would give half."""
    clusters = clusters_of(["p0", "p1"], kind="patient")
    values = np.array([0.0, 1.0])

    weights = np.concatenate(list(draw_cases(clusters, rounds=4000, generator=np.random.default_rng(0))))
    drawn = weights @ values / weights.sum(axis=1)

    assert drawn.var() == pytest.approx(values.var(ddof=1) / 2, rel=0.05)


def test_few_readers_and_few_cases_are_said():
    """Three readers, and a diagnosis of two patients."""
    right = np.random.default_rng(0).random((3, 12)) < 0.5
    clusters = clusters_of([f"p{n}" for n in range(12)], np.array([0] * 10 + [1] * 2), kind="patient", diagnoses=2)

    note = two_way(_mean(right), clusters, readers=3, generator=np.random.default_rng(0), rounds=200)["share"].note

    assert "a diagnosis has only 2 patients" in note
    assert "only 3 readers" in note


def test_equal_rounds_are_no_certainty():
    """Where everybody is always right, the interval of a share is Wilson's."""
    right = np.ones((6, 40), dtype=bool)

    estimate = two_way(
        _mean(right), _clusters(40), readers=6, generator=np.random.default_rng(0), shares={"share"}, rounds=200
    )["share"]

    assert (estimate.value, estimate.high) == (1, 1)
    assert estimate.low == pytest.approx(0.912, abs=0.001)


def test_who_has_no_such_case_is_left_out_of_the_mean():
    """NaN is nobody's figure."""
    values = np.array([[0.5, np.nan, 1.0]])

    assert mean_of(values, np.array([[0, 1, 2], [1, 1, 1]])).tolist()[0] == 0.75
    assert np.isnan(mean_of(values, np.array([[1, 1, 1]]))).all()


@pytest.mark.slow
def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """400 studies of 15 readers and 80 cases: 93 to 98 of 100."""
    random = np.random.default_rng(1)
    held = []
    for _ in range(400):
        logit = 0.8 + random.normal(0, 0.8, 80) + random.normal(0, 0.4, 15)[:, None]
        right = random.random((15, 80)) < 1 / (1 + np.exp(-logit))
        estimate = two_way(_mean(right), _clusters(80), readers=15, generator=random, shares={"share"}, rounds=400)[
            "share"
        ]
        held.append(estimate.low <= TRUE <= estimate.high)

    assert 0.93 <= np.mean(held) <= 0.985


_DRAWS = np.random.default_rng(2).normal(size=2_000_000)
TRUE = float((1 / (1 + np.exp(-(0.8 + np.hypot(0.8, 0.4) * _DRAWS)))).mean())
