"""Prediction sets: what is in them, what they rest on, and how they are counted."""

from __future__ import annotations

import json
import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.conformal import (
    ALL,
    EVERYTHING,
    NONE,
    OWN,
    RARE,
    SCORES,
    SetThresholds,
    aps_scores,
    conformal_quantile,
    coverage_at,
    equal_shares,
    fewest_clusters,
    fit_set_thresholds,
    is_unlike,
    prediction_sets,
    set_thresholds_from,
)
from factories import some_predictions


def thresholds(*values, method="LAC"):
    """Thresholds as a fit would leave them."""
    kinds = len(values)
    return SetThresholds(method=method, level=0.95, values=values, basis=(ALL,) * kinds, clusters=(20,) * kinds)


@pytest.mark.parametrize(("level", "fewest"), [(0.95, 19), (0.9, 9), (0.8, 4), (0.99, 99), (0.5, 1)])
def test_a_level_needs_its_clusters(level, fewest):
    """⌈1 / (1 − level)⌉ − 1: with one fewer the threshold is infinite, with as many it is the highest score."""
    scores = np.random.default_rng(0).random(fewest)

    enough = conformal_quantile(scores, of_case=np.arange(fewest), level=level)

    assert fewest_clusters(level) == fewest
    assert enough == scores.max()
    assert conformal_quantile(scores[1:], of_case=np.arange(fewest - 1), level=level) == EVERYTHING


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_with_one_case_per_patient_it_is_the_usual_quantile(scores, level):
    """The ⌈(n + 1) · level⌉-th smallest."""
    rank = int(np.ceil((len(scores) + 1) * level - 1e-9))

    found = conformal_quantile(np.array(scores), of_case=np.arange(len(scores)), level=level)

    assert found == (sorted(scores)[rank - 1] if rank <= len(scores) else EVERYTHING)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12)), min_size=1, max_size=40), st.sampled_from([0.5, 0.8, 0.9])
)
def test_the_quantile_is_the_lowest_that_holds_enough_of_all_shares(cases, level):
    """Counted by hand: each cluster's share at or beneath it, of all clusters and the new one."""
    scores, of_case = (np.array(column) for column in zip(*cases, strict=True))
    clusters = np.unique(of_case)

    def held(threshold):
        return sum((scores[of_case == each] <= threshold).mean() for each in clusters) / (len(clusters) + 1)

    found = conformal_quantile(scores, of_case=of_case, level=level)

    enough = [score for score in scores if held(score) >= level - 1e-12]
    assert found == min(enough, default=EVERYTHING)


def test_a_patient_with_many_pictures_counts_once():
    """Ten copies of every picture of one patient change nothing."""
    random = np.random.default_rng(0)
    scores, of_case = random.random(60), np.arange(60) // 2
    rows = np.concatenate([np.arange(60), np.repeat([0, 1], 10)])

    once = conformal_quantile(scores, of_case=of_case, level=0.9)

    assert conformal_quantile(scores[rows], of_case=of_case[rows], level=0.9) == once


def test_shares_add_up_to_one_per_patient():
    """Or to one per patient and diagnosis."""
    of_case, truth = np.array([5, 5, 5, 2]), np.array([0, 0, 1, 1])

    assert_allclose(equal_shares(of_case), [1 / 3, 1 / 3, 1 / 3, 1])
    assert_allclose(equal_shares(of_case, truth), [1 / 2, 1 / 2, 1, 1])


def test_aps_counts_what_is_more_probable():
    """Nothing above the first, the first above the second; of equals the earlier one comes first."""
    found = aps_scores(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]))

    assert_allclose(found, [[0.8, 0, 0.5], [0, 0.4, 0.8]])


def test_lac_lets_in_what_is_probable_enough():
    """1 − p at most the threshold of each diagnosis."""
    found = prediction_sets(np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]]), thresholds(0.75, 0.6, 0.75))

    assert found.tolist() == [[False, True, True], [True, False, False]]


def test_where_nothing_is_probable_enough_the_most_probable_is_said_and_marked():
    """A clinic never gets an empty set, and learns that it would have been one."""
    said = np.array([[0.4, 0.35, 0.25], [0.9, 0.05, 0.05]])

    sets, unlike = prediction_sets(said, thresholds(0.3, 0.3, 0.3)), is_unlike(said, thresholds(0.3, 0.3, 0.3))

    assert sets.tolist() == [[True, False, False], [True, False, False]]
    assert unlike.tolist() == [True, False]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_set_is_empty(data):
    """By either method, by diagnosis or not, whatever the cases."""
    seed, method = data.draw(st.integers(0, 999)), data.draw(st.sampled_from(list(SCORES)))
    level, by_class = data.draw(st.sampled_from([0.3, 0.5, 0.9])), data.draw(st.booleans())
    calibrate, test = some_predictions(cases=80, seed=seed), some_predictions(cases=30, seed=seed + 1)

    fitted = fit_set_thresholds(
        calibrate.probabilities,
        calibrate.truth,
        of_case=np.arange(80) // 2,
        method=method,
        level=level,
        by_class=by_class,
    )

    assert prediction_sets(test.probabilities, fitted).any(axis=1).all()
    assert method == "LAC" or not is_unlike(test.probabilities, fitted).any()


def test_a_higher_promise_makes_larger_sets():
    """What is in a set at 80 % is in it at 95 %."""
    predictions = some_predictions(cases=200)

    for method in SCORES:
        smaller, larger = (
            prediction_sets(
                predictions.probabilities,
                fit_set_thresholds(
                    predictions.probabilities, predictions.truth, of_case=np.arange(200), method=method, level=level
                ),
            )
            for level in (0.8, 0.95)
        )
        assert (smaller <= larger).all()
        assert smaller.sum() < larger.sum()


def test_a_diagnosis_has_its_own_threshold_from_its_own_patients():
    """Nineteen patients are enough for 95 %, with nineteen pictures of eighteen it is rare."""
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2, 3], [30, 19, 19, 12])
    of_case = np.arange(80)
    of_case[50] = of_case[49]  # two pictures of one patient with the third diagnosis
    probabilities = random.dirichlet(np.ones(4), size=80)

    found = fit_set_thresholds(probabilities, truth, of_case=of_case, method="LAC")

    scores = 1 - probabilities[np.arange(80), truth]
    rare = truth >= 2
    assert found.basis == (OWN, OWN, RARE, RARE)
    assert found.clusters == (30, 19, 18, 12)
    assert found.values[1] == scores[truth == 1].max()
    assert found.values[2] == found.values[3] == conformal_quantile(scores[rare], of_case=of_case[rare])


def test_too_few_rare_cases_have_the_threshold_of_all():
    """And what stands beside it says so."""
    predictions = some_predictions(cases=100)
    truth = np.where(predictions.truth == 2, 1, predictions.truth)
    truth[:5] = 2

    found = fit_set_thresholds(predictions.probabilities, truth, of_case=np.arange(100), method="APS")

    scores = aps_scores(predictions.probabilities)[np.arange(100), truth]
    assert found.basis == (OWN, OWN, ALL)
    assert found.values[2] == conformal_quantile(scores, of_case=np.arange(100))


def test_without_enough_cases_every_diagnosis_is_always_in_the_set():
    """Eighteen patients promise nothing at 95 %."""
    predictions = some_predictions(cases=36)

    for method in SCORES:
        found = fit_set_thresholds(
            predictions.probabilities, predictions.truth, of_case=np.arange(36) // 2, method=method
        )

        assert found.basis == (NONE,) * 3
        assert prediction_sets(predictions.probabilities, found).all()


def test_one_threshold_for_all_is_fitted_on_all():
    """Without classes."""
    predictions = some_predictions(cases=100)

    found = fit_set_thresholds(
        predictions.probabilities, predictions.truth, of_case=np.arange(100), method="LAC", by_class=False
    )

    assert found.basis == (ALL,) * 3
    assert len(set(found.values)) == 1


def test_thresholds_are_plain_data_that_json_carries():
    """Infinite ones too; an unknown method is refused."""
    predictions = some_predictions(cases=36)
    fitted = fit_set_thresholds(predictions.probabilities, predictions.truth, of_case=np.arange(36), method="APS")
    content = json.loads(json.dumps(fitted.to_dict(), allow_nan=False))

    assert set_thresholds_from(content) == fitted
    with pytest.raises(ValueError, match="LAC, APS"):
        set_thresholds_from(content | {"method": "RAPS"})


def test_coverage_elsewhere_weighs_diagnoses_anew():
    """0.5 of a and 1 of b: at 9 to 1 it is 0.55; with a diagnosis that no case has it is unknown."""
    sets = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]], dtype=bool)
    truth, once = np.array([0, 0, 1]), np.ones((1, 3))

    found = coverage_at(sets, truth, prevalences=np.array([0.9, 0.1, 0]), weights=once)
    counts = coverage_at(sets, truth, prevalences=np.array([2, 1, 0]), weights=once)

    assert found[0] == pytest.approx(0.55)
    assert counts[0] == pytest.approx(2 / 3)  # at the mix of the cases it is their own coverage
    assert np.isnan(coverage_at(sets, truth, prevalences=np.array([0.8, 0.1, 0.1]), weights=once)[0])


def test_sets_come_without_scipy():
    """They stand on the way to an answer."""
    script = "import sys, cutis.stats.conformal; sys.exit(any(n in sys.modules for n in ('scipy', 'sklearn')))"

    assert run([sys.executable, "-c", script], check=False).returncode == 0
