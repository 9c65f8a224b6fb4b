"""Reliability: bins, errors and slopes of events whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.calibration import equal_bins
from cutis.stats.intervals import clusters_of, resample
from cutis.stats.metrics import Measure
from cutis.stats.reliability import (
    calibration_errors,
    calibration_measures,
    event_measures,
    logistic_fit,
    reliability,
)
from cutis.vocabulary.chance import chance
from factories import some_predictions


def an_event(cases, *, seed=0, slope=1.0, intercept=0.0):
    """Probabilities, and answers drawn from logit P = intercept + slope · logit p."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(size=cases)
    positive = random.random(cases) < 1 / (1 + np.exp(-intercept - slope * log_odds))
    return 1 / (1 + np.exp(-log_odds)), positive


def errors_of(said, so, *, of_case=None, weights=None, bins=10):
    of_case = np.arange(len(said)) if of_case is None else of_case
    weights = np.ones((1, len(said))) if weights is None else weights
    return calibration_errors(said, so, of_case=of_case, weights=weights, bins=bins)


def rounds_of(of_case, *, rounds=30):
    """How often each case was drawn in rounds of a cluster bootstrap (R, N)."""
    clusters = clusters_of([str(each) for each in of_case], kind="patient")
    return np.concatenate(list(resample(clusters, rounds=rounds, generator=chance(0, "rounds"))))


def test_bins_say_how_many_cases_and_patients_they_hold():
    """Four cases of two patients in two bins: both patients in the first, one in the second."""
    said, so = np.array([0.1, 0.2, 0.6, 0.9]), np.array([False, True, True, True])

    found = reliability(said, so, of_case=np.array([0, 1, 1, 1]), bins=2)

    assert_allclose(found.predicted, [0.15, 0.75])
    assert_allclose(found.observed, [0.5, 1])
    assert found.cases.tolist() == [2, 2]
    assert found.clusters.tolist() == [2, 1]


def test_the_plain_error_is_the_one_that_evaluation_knows():
    """Of the most probable diagnosis, to 1e-12."""
    predictions = some_predictions(cases=150)

    found = calibration_measures(
        predictions.probabilities,
        predictions.truth,
        codes=predictions.codes,
        of_case=np.arange(150) // 2,
        weights=np.ones((1, 150)),
    )

    confidence = predictions.probabilities.max(axis=1)
    surplus = confidence - (predictions.probabilities.argmax(axis=1) == predictions.truth)
    expected = sum(abs(surplus[members].sum()) for members in equal_bins(confidence)) / len(surplus)
    assert found[Measure(None, "expected_calibration_error")][0] == pytest.approx(expected, abs=1e-12)


def test_chance_alone_makes_no_debiased_error():
    """Truth drawn from the probabilities: the plain error is far from 0, the debiased one often 0."""
    errors = [errors_of(*an_event(200, seed=seed)) for seed in range(150)]

    assert np.mean([error.expected[0] for error in errors]) > 0.05
    assert 0.4 < np.mean([error.debiased[0] == 0 for error in errors]) < 0.7


def test_a_known_error_is_found_by_the_debiased_estimate_alone():
    """0.3 is said and 0.4 is so, 100 cases: the squares of the debiased error average 0.1², of the plain one more."""
    random = np.random.default_rng(0)
    said = np.full(100, 0.3)

    errors = [errors_of(said, random.random(100) < 0.4, bins=1) for _ in range(1500)]

    plain = np.mean([error.expected[0] ** 2 for error in errors])
    assert plain == pytest.approx(0.01 + 0.24 / 100, rel=0.07)
    # What is cut off at 0 adds a little.
    assert np.mean([error.debiased[0] ** 2 for error in errors]) == pytest.approx(0.01, rel=0.12)


def test_copies_of_a_picture_add_no_evidence():
    """Each patient's picture ten times over: the debiased error is that of one picture each, and larger by row."""
    said, so = an_event(100, seed=2, slope=0.5)
    copies = np.repeat(np.arange(100), 10)

    once = errors_of(said, so, bins=5)
    copied = errors_of(said[copies], so[copies], of_case=copies, bins=5)
    by_row = errors_of(said[copies], so[copies], bins=5)

    assert copied.debiased[0] == pytest.approx(once.debiased[0])
    assert by_row.debiased[0] > 1.02 * copied.debiased[0]


def test_a_round_answers_as_the_cases_drawn_would():
    """Two patients drawn twice and one never, against the table written out, with the bins of the whole."""
    said, so = an_event(40, seed=4)
    of_case = np.arange(40) // 2
    weights = np.ones((2, 40))
    weights[1] = np.repeat([0, 2, 2, 1] + [1] * 16, 2)
    rows = np.repeat(np.arange(40), weights[1].astype(int))
    copy = np.concatenate([np.arange(int(times)) for times in weights[1]])

    found = errors_of(said, so, of_case=of_case, weights=weights, bins=1)
    written = errors_of(said[rows], so[rows], of_case=of_case[rows] * 2 + copy, bins=1)

    assert found.expected[1] == pytest.approx(written.expected[0])
    assert found.debiased[1] == pytest.approx(written.debiased[0])


def test_a_bin_of_one_patient_has_no_debiased_error():
    """Nothing tells how far chance alone would move it."""
    said, so = an_event(20)

    found = errors_of(said, so, of_case=np.zeros(20, dtype=np.int64), bins=2)

    assert np.isnan(found.debiased[0])
    assert np.isfinite(found.expected[0])


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.5, 0), (2, -1), (0, 0.7)])
def test_a_known_slope_and_intercept_are_found_again(slope, intercept):
    """Up to the chance of 20,000 cases."""
    said, so = an_event(20_000, slope=slope, intercept=intercept)

    found = logistic_fit(said, so, np.ones((1, 20_000)))

    assert found.slope[0] == pytest.approx(slope, abs=0.08)
    assert found.intercept[0] == pytest.approx(intercept, abs=0.08)


def test_in_the_large_the_mean_is_set_right():
    """Shifted by it, the probabilities add up to as many as have it."""
    said, so = an_event(500, slope=0.7, intercept=-0.4)

    found = logistic_fit(said, so, np.ones((1, 500))).in_the_large[0]

    shifted = 1 / (1 + np.exp(-found) * (1 - said) / said)
    assert shifted.sum() == pytest.approx(so.sum())


def test_rounds_answer_as_each_would_alone():
    """All at once or one by one."""
    said, so = an_event(120, seed=1)
    weights = rounds_of(np.arange(120) // 3)

    together = logistic_fit(said, so, weights)

    for row in range(0, 30, 7):
        alone = logistic_fit(said, so, weights[row : row + 1])
        for figure, single in zip(together, alone, strict=True):
            assert figure[row] == pytest.approx(single[0], abs=1e-8)


def test_no_slope_where_there_is_none():
    """Parted without overlap, nobody has it, everybody, or one probability for all: NaN, without a warning."""
    rising = np.linspace(0.1, 0.9, 10)
    parted, nobody = rising > 0.5, np.zeros(10, dtype=bool)

    slopes = [
        logistic_fit(said, so, np.ones((2, 10))).slope
        for said, so in ((rising, parted), (rising, nobody), (rising, ~nobody), (np.full(10, 0.3), parted))
    ]

    assert np.isnan(slopes).all()
    assert np.isnan(logistic_fit(rising, nobody, np.ones((1, 10))).in_the_large).all()
    assert np.isfinite(logistic_fit(rising, parted, np.ones((1, 10))).in_the_large).all()


def test_a_round_without_an_answer_spoils_no_other():
    """One round drew nobody who has it."""
    said, so = an_event(50, seed=3)
    weights = np.ones((3, 50))
    weights[1, so] = 0

    found = logistic_fit(said, so, weights)

    assert np.isnan(found.slope).tolist() == [False, True, False]
    assert found.slope[0] == found.slope[2]


def test_probabilities_of_zero_and_one_still_have_a_slope():
    """They count as the nearest numbers."""
    said, so = an_event(200)
    said[:3], so[:3] = [0, 1, 1], [True, False, True]

    found = logistic_fit(said, so, np.ones((1, 200)))

    assert np.isfinite(found).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_saying_it_the_other_way_round_changes_no_slope(seed):
    """*Benign* with 1 − p is the same claim as *malignant* with p; the intercepts change their sign."""
    said, so = an_event(60, seed=seed)

    found, turned = (logistic_fit(*event, np.ones((1, 60))) for event in ((said, so), (1 - said, ~so)))

    assert turned.slope[0] == pytest.approx(found.slope[0], abs=1e-6)
    assert turned.intercept[0] == pytest.approx(-found.intercept[0], abs=1e-6)
    assert turned.in_the_large[0] == pytest.approx(-found.in_the_large[0], abs=1e-6)


def test_classwise_errors_are_the_means_over_diagnoses_that_occur():
    """A diagnosis without a case has an error of its own, and no slope."""
    predictions = some_predictions(cases=120, codes=("a", "b", "c", "d"))
    truth = np.where(predictions.truth == 3, 0, predictions.truth)
    arguments = {"of_case": np.arange(120) // 2, "weights": np.ones((1, 120))}

    found = calibration_measures(predictions.probabilities, truth, codes=predictions.codes, **arguments)

    for what in ("expected_calibration_error", "debiased_calibration_error"):
        mean = np.mean([found[Measure(None, what, code)] for code in "abc"])
        assert found[Measure(None, f"classwise_{what}")][0] == pytest.approx(mean)
    assert np.isnan(found[Measure(None, "calibration_slope", "d")][0])
    alone = event_measures(predictions.probabilities[:, 1], truth == 1, **arguments)
    assert all(found[Measure(None, what, "b")] == figure for what, figure in alone.items())


def test_malignant_or_not_is_one_more_event():
    """Of the summed probability of what is malignant; without being told what is, nothing is said of it."""
    predictions = some_predictions(cases=120)
    arguments = {"of_case": np.arange(120) // 2, "weights": np.ones((1, 120))}
    malignant = np.array([False, True, True])

    told = calibration_measures(
        predictions.probabilities, predictions.truth, codes=predictions.codes, malignant=malignant, **arguments
    )
    untold = calibration_measures(predictions.probabilities, predictions.truth, codes=predictions.codes, **arguments)

    alone = event_measures(predictions.probabilities[:, 1:].sum(axis=1), predictions.truth > 0, **arguments)
    assert {what: told[Measure(None, f"malignant_{what}")] for what in alone} == alone
    assert set(told) - set(untold) == {Measure(None, f"malignant_{what}") for what in alone}
