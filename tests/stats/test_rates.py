"""Answers of yes or no are counted one by one, so that what is empty is exactly zero."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.rates import Counts, accuracy, answered, by_prevalence, counted, rates, rates_of
from cutis.stats.weights import one_hot


@given(st.integers(2, 6), st.integers(1, 30), st.integers(0, 99))
def test_accuracy_of_each_question_lies_between_its_sensitivity_and_specificity(kinds, cases, seed):
    """Accuracy is their mean, weighted by how many have the diagnosis."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, kinds, cases)

    found = rates(random.random((cases, kinds)) > 0.5, truth, np.ones((1, cases)))

    share = one_hot(truth, kinds).mean(axis=0)
    mean = share * np.nan_to_num(found.sensitivity) + (1 - share) * np.nan_to_num(found.specificity)
    assert_allclose(found.accuracy, mean, atol=1e-12)


@given(st.integers(1, 30), st.integers(0, 99))
def test_each_answer_is_counted_once(cases, seed):
    """The four counts of a question add up to the weight of all cases."""
    random = np.random.default_rng(seed)
    weights = random.uniform(0, 3, (2, cases))

    found = counted(answered(random.random((cases, 4)) > 0.5, random.random((cases, 4)) > 0.5), weights)

    assert_allclose(sum(found), np.tile(weights.sum(axis=1, keepdims=True), 4), atol=1e-9)


def test_an_empty_side_has_no_rate_whatever_the_weights():
    """Everybody flagged leaves no negative predictive value, nobody flagged no positive one: not even a rounding."""
    weights = np.random.default_rng(0).uniform(0.1, 3, (50, 9))
    everybody_and_nobody = np.tile([True, False], (9, 1))

    found = rates(everybody_and_nobody, np.array([0, 1] * 4 + [0]), weights)

    assert np.isnan(found.npv[:, 0]).all()
    assert np.isnan(found.ppv[:, 1]).all()
    assert (found.f1[:, 1] == 0).all()


def test_pooled_counts_are_of_all_questions():
    """Each case counts once for every question."""
    counts = Counts(*np.arange(8.0).reshape(4, 1, 2))

    found = counts.pooled

    assert [count.tolist() for count in found] == [[[1.0]], [[5.0]], [[9.0]], [[13.0]]]
    assert rates_of(found).sensitivity[0, 0] == 1 / 10


def test_a_diagnosis_that_nobody_has_does_not_count_by_prevalence():
    """Nor does it spoil the mean; one that somebody has, and that has no figure, does."""
    figures = np.array([[0.5, 1.0, np.nan], [0.5, np.nan, 0.0]])
    positive = np.array([[3.0, 1.0, 0.0], [1.0, 1.0, 1.0]])

    found = by_prevalence(figures, positive)

    assert found[0] == 0.625
    assert np.isnan(found[1])


def test_accuracy_is_the_weighted_share_of_right_answers():
    """Three of four by weight."""
    found = accuracy(np.array([True, False]), np.array([[3.0, 1.0], [0.0, 0.0]]))

    assert found[0] == 0.75
    assert np.isnan(found[1])
