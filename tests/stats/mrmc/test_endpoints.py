"""Figures of raters and their covariance, held to what they are by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from cutis.stats.areas import areas_under
from cutis.stats.mrmc.endpoints import ENDPOINTS, cases_of, measure_raters

TRUTH = np.array([1, 0, 0, 1, 1, 0, 1, 0, 0, 0])
ratings = arrays(np.float64, (3, len(TRUTH)), elements=st.integers(1, 4).map(float))
flags = arrays(np.float64, (3, len(TRUTH)), elements=st.sampled_from([0.0, 1.0]))


def left_out(scores, truth, endpoint):
    """The jackknife by leaving out one case after another and computing all anew."""
    cases = len(truth)
    without = np.array(
        [
            measure_raters(np.delete(scores, case, axis=1), np.delete(truth, case), endpoint=endpoint).values
            for case in range(cases)
        ]
    )
    return (cases - 1) ** 2 / cases * np.cov(without.T)


@given(ratings)
@settings(max_examples=40, deadline=None)
def test_areas_are_those_of_scikit_learn_and_their_jackknife_is_the_plain_one(scores):
    """Ties and all."""
    found = measure_raters(scores, TRUTH, endpoint="auc")

    assert found.values == pytest.approx([roc_auc_score(TRUTH, row) for row in scores])
    assert found.covariance == pytest.approx(left_out(scores, TRUTH, "auc"), abs=1e-12)


@given(ratings)
@settings(max_examples=40, deadline=None)
def test_delong_s_covariance_is_that_of_the_evaluation(scores):
    """Two ways in this house to one formula."""
    found = measure_raters(scores, TRUTH, endpoint="auc", covariance="delong")

    assert found.covariance == pytest.approx(areas_under(scores, TRUTH > 0).covariance, abs=1e-12)


@pytest.mark.parametrize("of_case", [np.arange(10) // 2, np.arange(10) % 4])
def test_clustered_covariances_are_obuchowski_s(of_case):
    """Also where a patient has both sides."""
    scores = np.random.default_rng(0).normal(size=(3, 10))

    found = measure_raters(scores, TRUTH, endpoint="auc", covariance="delong", of_case=of_case)

    assert found.covariance == pytest.approx(areas_under(scores, TRUTH > 0, of_case).covariance)


@given(flags)
@settings(max_examples=40, deadline=None)
def test_shares_vary_as_means_do(scores):
    """A sensitivity over the diseased, a specificity over the healthy, each by its own jackknife."""
    for endpoint, side in (("sensitivity", TRUTH == 1), ("specificity", TRUTH == 0)):
        found = measure_raters(scores, TRUTH, endpoint=endpoint)
        right = scores[:, side] if endpoint == "sensitivity" else 1 - scores[:, side]

        assert found.values == pytest.approx(right.mean(axis=1))
        assert found.covariance == pytest.approx(np.cov(right) / side.sum(), abs=1e-12)
        assert found.covariance == pytest.approx(left_out(scores[:, side], TRUTH[side], endpoint), abs=1e-12)


@given(flags)
@settings(max_examples=40, deadline=None)
def test_a_balanced_figure_is_a_mean_of_independent_sides(scores):
    """Its value is scikit-learn's, its covariance a quarter of the sum of both."""
    found = measure_raters(scores, TRUTH, endpoint="balanced_accuracy")
    sides = [measure_raters(scores, TRUTH, endpoint=side) for side in ("sensitivity", "specificity")]

    assert found.values == pytest.approx([balanced_accuracy_score(TRUTH, row) for row in scores])
    assert found.covariance == pytest.approx((sides[0].covariance + sides[1].covariance) / 4)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_many_studies_at_once_are_one_after_the_other(endpoint):
    """A leading axis of studies changes nothing."""
    random = np.random.default_rng(1)
    scores = random.integers(0, 2 if endpoint != "auc" else 5, (4, 3, 10)).astype(float)

    together = measure_raters(scores, TRUTH, endpoint=endpoint)

    for number, study in enumerate(scores):
        alone = measure_raters(study, TRUTH, endpoint=endpoint)
        assert together.values[number] == pytest.approx(alone.values)
        assert together.covariance[number] == pytest.approx(alone.covariance)


@pytest.mark.parametrize("endpoint", ["auc", "right"])
def test_raters_without_a_case_in_common_do_not_vary_together(endpoint):
    """And each is judged on what he read."""
    random = np.random.default_rng(2)
    scores = np.full((2, 20), np.nan)
    scores[0, :10], scores[1, 10:] = random.integers(0, 2, (2, 10))
    truth = np.tile(TRUTH, 2)

    found = measure_raters(scores, truth, endpoint=endpoint, covariance="delong")

    alone = measure_raters(scores[:1, :10], TRUTH, endpoint=endpoint, covariance="delong")
    assert found.covariance[0, 1] == 0
    assert found.values[0] == alone.values[0]
    assert found.covariance[0, 0] == pytest.approx(alone.covariance[0, 0])


def test_each_side_of_a_figure_has_its_cases():
    """Four diseased and six healthy; three diagnoses."""
    assert cases_of(TRUTH, endpoint="auc") == (6, 4)
    assert cases_of(TRUTH, endpoint="sensitivity") == (4,)
    assert cases_of(TRUTH, endpoint="specificity") == (6,)
    assert cases_of(TRUTH, endpoint="accuracy") == (10,)
    assert cases_of(np.arange(9) % 3, endpoint="balanced_right") == (3, 3, 3)
