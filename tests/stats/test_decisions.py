"""Net benefit, predictive values and other prevalences, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.decisions import (
    at_prevalence,
    at_prevalences,
    decision_curve,
    predictive_values,
)

shares = st.floats(0.01, 0.99)


def an_event(cases=300, seed=0):
    random = np.random.default_rng(seed)
    positive = random.random(cases) < 0.3
    return 1 / (1 + np.exp(-random.normal(size=cases) - 1.5 * positive + 0.75)), positive


def test_net_benefit_counts_true_and_false_positives():
    """At 0.2 a false alarm costs a quarter: 2 found and 1 alarmed of 5 are (2 − 1 / 4) / 5."""
    said, has = np.array([0.9, 0.2, 0.5, 0.1, 0.1]), np.array([True, True, False, False, True])

    found = decision_curve(said, has, thresholds=np.array([0.2]), weights=np.ones((1, 5)))

    assert found.by_network[0, 0] == pytest.approx((2 - 1 / 4) / 5)
    assert found.treat_all[0, 0] == pytest.approx((3 - 2 / 4) / 5)


def test_every_round_has_a_curve_of_its_own():
    """A weight is how often a case is counted."""
    said, has = an_event()
    weights = np.random.default_rng(1).integers(0, 3, size=(4, 300)).astype(np.float64)
    at = np.array([0.05, 0.3, 0.7])

    found = decision_curve(said, has, thresholds=at, weights=weights)

    for row in range(4):
        rows = np.repeat(np.arange(300), weights[row].astype(int))
        written = decision_curve(said[rows], has[rows], thresholds=at, weights=np.ones((1, len(rows))))
        assert_allclose(found.by_network[row], written.by_network[0])
        assert_allclose(found.treat_all[row], written.treat_all[0])


def test_a_stated_prevalence_is_that_of_a_table_which_has_it():
    """Cases without the disease counted six times over lower the prevalence, and nothing else."""
    said, has = an_event()
    times = np.where(has, 1.0, 6.0)[None]
    at = np.array([0.02, 0.1, 0.5])
    prevalence = float(has.sum() / times.sum())

    stated = decision_curve(said, has, thresholds=at, weights=np.ones((1, 300)), prevalence=prevalence)

    counted = decision_curve(said, has, thresholds=at, weights=times)
    assert_allclose(stated.by_network, counted.by_network)
    assert_allclose(stated.treat_all, counted.treat_all)


def test_below_every_probability_everybody_is_treated():
    """The two curves meet; above every probability nobody is, which is worth 0."""
    said, has = an_event()
    low, high = said.min() / 2, (1 + said.max()) / 2

    found = decision_curve(said, has, thresholds=np.array([low, high]), weights=np.ones((1, 300)))

    assert found.by_network[0, 0] == pytest.approx(found.treat_all[0, 0])
    assert found.by_network[0, 1] == 0


def test_treating_all_is_worth_nothing_at_the_prevalence():
    """There the threshold odds are the odds of having it (Vickers and Elkin 2006)."""
    said, has = an_event()

    found = decision_curve(said, has, thresholds=np.array([has.mean()]), weights=np.ones((1, 300)))

    assert found.treat_all[0, 0] == pytest.approx(0)


def test_a_round_in_which_nobody_has_it_has_no_curve():
    """NaN, without a warning."""
    said, has = an_event(50)
    weights = np.where(has, 0.0, 1.0)[None]

    found = decision_curve(said, has, thresholds=np.array([0.1]), weights=weights, prevalence=0.1)

    assert np.isnan(found.by_network).all()


@pytest.mark.parametrize("threshold", [0, 1, -0.1, np.nan])
def test_a_threshold_probability_lies_between_zero_and_one(threshold):
    """At 1 a false alarm would cost without end."""
    said, has = an_event(10)

    with pytest.raises(ValueError, match="between 0 and 1"):
        decision_curve(said, has, thresholds=np.array([threshold]), weights=np.ones((1, 10)))


def test_predictive_values_of_a_worked_example():
    """Sensitivity 0.9, specificity 0.8, 1 %: of 1,000 people 9 are found and 198 alarmed, 1 missed and 792 cleared."""
    found = predictive_values(np.array([0.9]), np.array([0.8]), prevalence=0.01)

    assert found.positive[0] == pytest.approx(9 / 207)
    assert found.negative[0] == pytest.approx(792 / 793)


def test_predictive_values_at_the_prevalence_of_the_test_are_those_counted():
    """Shares of right answers among the flagged and among the others, in every round."""
    said, has = an_event()
    weights = np.random.default_rng(1).integers(0, 3, size=(5, 300)).astype(np.float64)
    flagged = said >= 0.4
    sensitivity, specificity = (
        weights @ (flagged & has) / (weights @ has),
        weights @ ~(flagged | has) / (weights @ ~has),
    )

    found = predictive_values(sensitivity, specificity, prevalence=weights @ has / weights.sum(axis=1))

    assert_allclose(found.positive, weights @ (flagged & has) / (weights @ flagged))
    assert_allclose(found.negative, weights @ ~(flagged | has) / (weights @ ~flagged))


def test_nobody_flagged_has_no_positive_predictive_value():
    """NaN, without a warning; a prevalence is a share."""
    found = predictive_values(np.array([0.0]), np.array([1.0]), prevalence=0.1)

    assert np.isnan(found.positive[0])
    assert found.negative[0] == pytest.approx(0.9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        predictive_values(np.array([0.5]), np.array([0.5]), prevalence=1.5)


@given(shares, shares, shares)
def test_an_event_at_another_prevalence_follows_bayes(said, before, after):
    """Odds are multiplied by the ratio of the odds of the prevalences."""
    found = at_prevalence(np.array([said]), before=before, after=after)[0]

    odds = said / (1 - said) * (after / (1 - after)) / (before / (1 - before))
    assert found == pytest.approx(odds / (1 + odds))


@given(st.lists(shares, min_size=3, max_size=3), st.lists(shares, min_size=3, max_size=3))
def test_there_and_back_again(before, after):
    """Probabilities return to what they were."""
    said = np.random.default_rng(0).dirichlet(np.ones(3), size=10)
    here, there = np.array(before), np.array(after)

    elsewhere = at_prevalences(said, before=here, after=there)

    assert_allclose(elsewhere.sum(axis=1), 1)
    assert_allclose(at_prevalences(elsewhere, before=there, after=here), said, atol=1e-12)


def test_reweighted_probabilities_are_calibrated_where_the_mix_is_another():
    """A diagnosis that is ten times rarer: the mean probability is its new share, as it was its old one."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 40_000)
    shown = random.normal(loc=truth)
    said = 1 / (1 + np.exp(0.5 - shown))  # the posterior of two normals one apart, equally frequent
    kept = (truth == 0) | (random.random(40_000) < 0.1)

    found = at_prevalence(said[kept], before=0.5, after=1 / 11)

    assert said[kept].mean() > 3 * truth[kept].mean()
    assert found.mean() == pytest.approx(truth[kept].mean(), rel=0.05)


def test_what_no_longer_occurs_has_no_probability():
    """Where nothing else was possible there is no answer; what never occurred cannot be brought in."""
    said = np.array([[0.5, 0.3, 0.2], [1.0, 0, 0]])

    found = at_prevalences(said, before=np.array([0.2, 0.4, 0.4]), after=np.array([0, 0.5, 0.5]))

    assert_allclose(found, [[0, 0.6, 0.4], [np.nan] * 3])
    for before, after in (([0, 0.5, 0.5], [0.2, 0.4, 0.4]), ([0.5, 0.6, -0.1], [1, 1, 1]), ([1, 1, 1], [0, 0, 0])):
        with pytest.raises(ValueError, match=r"occur"):
            at_prevalences(said, before=np.array(before), after=np.array(after))
