"""Areas of raters on the same cases, by formula; the naive count stands in tests/reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.comparisons import compare_figures
from cutis.stats.intervals import clusters_in, figures_of
from cutis.stats.paired_areas import compare_areas, compare_aucs, wald
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from factories import some_predictions


def compared(areas, covariance, **how):
    return compare_areas(np.array(areas), np.array(covariance), clusters=60, cluster_kind="patient", **how)


def another(predictions, *, seed=1, noise=1.0):
    """A rater who says something like it."""
    shaken = predictions.probabilities * np.exp(
        np.random.default_rng(seed).normal(scale=noise, size=predictions.probabilities.shape)
    )
    return replace(predictions, probabilities=shaken / shaken.sum(axis=1, keepdims=True), rater="another")


def test_what_two_areas_share_narrows_their_difference():
    """The variance of a difference is that of both, less their covariance twice."""
    (apart,) = compared([0.80, 0.85], [[4e-4, 0.0], [0.0, 4e-4]])
    (together,) = compared([0.80, 0.85], [[4e-4, 3e-4], [3e-4, 4e-4]])

    assert apart.standard_error == pytest.approx(np.sqrt(8e-4))
    assert together.standard_error == pytest.approx(np.sqrt(2e-4))
    assert together.p < apart.p


def test_each_rater_is_set_beside_the_first():
    """In their order."""
    found = compared([0.80, 0.85, 0.75], np.diag([1e-4, 2e-4, 3e-4]))

    assert [each.difference.value for each in found] == pytest.approx([0.05, -0.05])
    assert [each.z for each in found] == pytest.approx([0.05 / np.sqrt(3e-4), -0.05 / np.sqrt(4e-4)])


@settings(deadline=None)
@given(st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0, 0.9))
def test_the_raters_may_change_places(first, second, correlation):
    """The difference and z change their sign; p does not."""
    covariance = 1e-3 * np.array([[1, correlation], [correlation, 1]])

    (found,), (turned,) = compared([first, second], covariance), compared([second, first], covariance)

    assert (found.z, found.p) == pytest.approx((-turned.z, turned.p))
    assert (found.difference.low, found.difference.high) == pytest.approx(
        (-turned.difference.high, -turned.difference.low)
    )


def test_few_degrees_of_freedom_widen_the_interval_and_raise_the_p():
    """Student's t; many are the normal test."""
    areas, covariance = [0.80, 0.86], [[4e-4, 1e-4], [1e-4, 4e-4]]
    (normal,) = compared(areas, covariance)
    (few,) = compared(areas, covariance, degrees_of_freedom=np.array([6.0]))
    (many,) = compared(areas, covariance, degrees_of_freedom=np.array([1e9]))

    assert few.difference.low < normal.difference.low
    assert few.p > normal.p
    assert many.p == pytest.approx(normal.p, abs=1e-6)


@pytest.mark.parametrize(
    ("areas", "covariance", "note"),
    [
        ([0.8, 0.8], [[4e-4, 4e-4], [4e-4, 4e-4]], "its standard error is 0"),
        ([np.nan, 0.8], [[np.nan, np.nan], [np.nan, np.nan]], "it cannot be computed"),
        ([0.7, 0.8], [[np.nan, np.nan], [np.nan, np.nan]], "it has no standard error"),
    ],
)
def test_where_there_is_no_variance_there_is_no_test(areas, covariance, note):
    """A copy, an area that cannot be computed, a single patient on one side: None, and why."""
    (found,) = compared(areas, covariance)

    assert (found.z, found.p, found.standard_error) == (None, None, None)
    assert (found.difference.low, found.difference.high, found.difference.note) == (None, None, note)


def test_shapes_that_do_not_fit_are_our_own_mistake():
    """A covariance for each pair."""
    with pytest.raises(ValueError, match="covariance"):
        compared([0.7, 0.8, 0.9], np.eye(2))


def test_the_formula_answers_as_the_bootstrap_does():
    """The same differences, and intervals of about the same width, patient by patient."""
    reference = some_predictions(cases=240)
    other = another(reference)

    formula = compare_aucs(reference, other, malignant=np.array([False, False, True]))

    drawn = compare_figures(
        *(figures_of(each, thresholds=np.full(3, 0.3)) for each in (reference, other)),
        clusters=clusters_in(reference),
        codes=reference.codes,
        generator=chance(0, "test"),
        rounds=400,
    )
    for code in "abc":
        ours, theirs = formula[f"auc/{code}"].difference, drawn[f"auc/{code}"].difference
        assert ours.value == pytest.approx(theirs.value, abs=1e-9)
        assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.2)
    assert formula["malignant_auc"].difference.value == pytest.approx(formula["auc/c"].difference.value)


def test_too_few_patients_are_named():
    """And a diagnosis that nobody has leaves no difference."""
    truth = np.where(np.arange(60) < 56, 0, 1)
    reference = some_predictions(cases=60, truth=truth)

    found = compare_aucs(reference, another(reference))

    assert "only 2 patients with b" in found["auc/b"].difference.note
    assert found["auc/c"].difference.value is None
    assert "no patients with c" in found["auc/c"].difference.note
    assert found["auc/c"].p is None


def test_areas_of_other_cases_cannot_be_paired():
    """The same refusal as for every other figure."""
    reference = some_predictions()

    with pytest.raises(UserError, match="they differ in truth"):
        compare_aucs(reference, replace(reference, truth=np.zeros(60, np.int64), rater="other"))


def test_an_interval_is_value_and_quantile_times_error():
    """1.96 of them at 95 %, 1.645 at 90 %."""
    wide = wald(0.1, 0.02, method="z", clusters=9, cluster_kind="patient")
    narrow = wald(0.1, 0.02, level=0.90, method="z", clusters=9, cluster_kind="patient")

    assert (wide.low, wide.high) == pytest.approx((0.1 - 1.959964 * 0.02, 0.1 + 1.959964 * 0.02))
    assert (narrow.low, narrow.high) == pytest.approx((0.1 - 1.644854 * 0.02, 0.1 + 1.644854 * 0.02))
