"""Risk against coverage: worked examples, ties, weights, and what holds for any signal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.metrics import Measure
from cutis.stats.selective import (
    aurc,
    excess_aurc,
    risk_coverage,
    risk_on,
    selective_measures,
)

ONCE = np.ones((1, 4))
SIGNAL = np.array([0.1, 0.2, 0.2, 0.9])
LOSSES = np.array([0.0, 1.0, 0.0, 1.0])
CURVE = risk_coverage(SIGNAL, LOSSES, ONCE)
CASES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30)


def test_the_curve_of_a_worked_example_has_a_point_for_each_distinct_signal():
    """Two tied cases enter together: coverage goes from a quarter to three quarters."""
    curve = risk_coverage(SIGNAL, LOSSES, ONCE)

    assert_allclose(curve.signal, [0.1, 0.2, 0.9])
    assert_allclose(curve.coverage, [[0.25, 0.75, 1]])
    assert_allclose(curve.risk, [[0, 1 / 3, 1 / 2]])


def test_the_area_is_the_mean_risk_at_which_cases_enter():
    """A quarter at 0, half at a third, a quarter at a half."""
    assert_allclose(aurc(SIGNAL, LOSSES, ONCE), [0.5 / 3 + 0.25 / 2])


def test_a_signal_that_says_nothing_has_the_area_of_its_risk():
    """All are tied, so all enter at once."""
    assert_allclose(aurc(np.zeros(4), LOSSES, ONCE), [0.5])


def test_a_share_that_cuts_a_tie_answers_all_of_it():
    """Half is asked for; three quarters are answered."""
    assert_allclose(risk_on(CURVE, 0.5), [1 / 3])
    assert_allclose(risk_on(CURVE, 0.25), [0])
    assert_allclose(risk_on(CURVE, 1), [0.5])


def test_a_case_drawn_never_is_not_there():
    """A round without the first case starts with the tied ones; one without any has no figure."""
    weights = np.array([[0.0, 1, 1, 1], [0, 0, 0, 0]])

    with np.errstate(invalid="ignore"):
        area = aurc(SIGNAL, LOSSES, weights)

    assert_allclose(area, [(2 * 0.5 + 2 / 3) / 3, np.nan])


@settings(max_examples=40, deadline=None)
@given(CASES, st.integers(0, 2**32 - 1))
def test_a_weight_is_a_number_of_equal_cases(cases, seed):
    """As in a bootstrap, where a case is drawn several times."""
    signal, wrong = (np.array(each) for each in zip(*cases, strict=True))
    times = np.random.default_rng(seed).integers(0, 4, len(signal))
    times[0] += 1
    repeated, once = np.repeat(np.arange(len(signal)), times), np.ones((1, times.sum()))

    found = aurc(signal.astype(float), wrong.astype(float), times[None].astype(float))

    assert_allclose(found, aurc(signal[repeated].astype(float), wrong[repeated].astype(float), once), atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(CASES, st.randoms())
def test_the_order_of_the_cases_tells_nothing(cases, random):
    """Nor among ties."""
    shuffled = random.sample(cases, len(cases))

    one, other = (
        selective_measures(
            np.array([s for s, _ in each], float), np.array([w for _, w in each]), np.ones((1, len(each)))
        )
        for each in (cases, shuffled)
    )

    for measure, value in one.items():
        assert_allclose(value, other[measure], atol=1e-12)


def test_a_perfect_signal_has_no_excess_but_for_one_case():
    """Every wrong answer comes last; the closed form is the limit of many cases."""
    wrong = np.arange(1000) >= 800

    found = excess_aurc(np.arange(1000.0), wrong, np.ones((1, 1000)))

    assert 0 <= found[0] < 1 / 1000
    assert excess_aurc(-np.arange(1000.0), wrong, np.ones((1, 1000)))[0] > 0.3


def test_where_all_are_right_or_all_wrong_there_is_no_excess():
    """Nothing could be ordered better."""
    for wrong in (np.zeros(5, bool), np.ones(5, bool)):
        assert_allclose(excess_aurc(np.arange(5.0), wrong, np.ones((1, 5))), 0, atol=1e-12)


def test_figures_have_names_that_say_the_share():
    """Accuracy where so many per cent are answered."""
    found = selective_measures(SIGNAL, LOSSES == 0, ONCE)

    assert found[Measure("selective", "accuracy_at_90")] == pytest.approx(0.5)
    assert {measure.what for measure in found} >= {"aurc", "excess_aurc", "accuracy_at_95", "accuracy_at_80"}
