"""Sets against MAPIE, and their promise by simulation: new patients, many pictures each, whole studies repeated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin

from cutis.stats.calibration import softmax
from cutis.stats.conformal import (
    aps_scores,
    conformal_quantile,
    equal_shares,
    fit_set_thresholds,
    prediction_sets,
)
from factories import some_predictions

CODES = ("common", "usual", "rare and hard")
STUDIES = [60, pytest.param(2000, marks=pytest.mark.slow)]


class Said(ClassifierMixin, BaseEstimator):
    """A classifier that answers with the probabilities it is given."""

    def fit(self, _probabilities, truth):
        """Learn which diagnoses there are."""
        self.classes_ = np.unique(truth)
        return self

    def predict_proba(self, probabilities):
        """Repeat them."""
        return probabilities

    def predict(self, probabilities):
        """Say the most probable one."""
        return probabilities.argmax(axis=1)


def mapie_of(calibrate, *, method, level):
    said = Said().fit(calibrate.probabilities, calibrate.truth)
    mapie = SplitConformalClassifier(said, confidence_level=level, conformity_score=method, prefit=True, random_state=5)
    return mapie.conformalize(calibrate.probabilities, calibrate.truth)


def threshold_of(mapie):
    return mapie._mapie_classifier.conformity_score_function_.quantiles_[0]  # noqa: SLF001 -- it has no public name


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_lac_is_that_of_mapie(level):
    """One threshold for all, one case per patient: the same threshold and the same sets."""
    calibrate, test = some_predictions(cases=150), some_predictions(cases=200, seed=1)
    mapie = mapie_of(calibrate, method="lac", level=level)

    fitted = fit_set_thresholds(
        calibrate.probabilities, calibrate.truth, of_case=np.arange(150), method="LAC", level=level, by_class=False
    )

    _, sets = mapie.predict_set(test.probabilities)
    expected = sets[:, :, 0]
    expected[~expected.any(axis=1), test.probabilities[~expected.any(axis=1)].argmax(axis=1)] = True
    assert_allclose(fitted.values, threshold_of(mapie), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(prediction_sets(test.probabilities, fitted), expected)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_aps_with_draws_is_that_of_mapie(level):
    """With the numbers that MAPIE draws, as its 1 − u: the same threshold and the same sets."""
    calibrate, test = some_predictions(cases=150), some_predictions(cases=200, seed=1)
    mapie = mapie_of(calibrate, method="aps", level=level)
    draws = [1 - np.random.RandomState(5).uniform(size=cases) for cases in (150, 200)]

    scores = aps_scores(calibrate.probabilities, draws[0])[np.arange(150), calibrate.truth]
    threshold = conformal_quantile(scores, of_case=np.arange(150), level=level)

    _, sets = mapie.predict_set(test.probabilities, conformity_score_params={"include_last_label": "randomized"})
    assert threshold == pytest.approx(threshold_of(mapie), abs=1e-9)
    np.testing.assert_array_equal(aps_scores(test.probabilities, draws[1]) <= threshold, sets[:, :, 0])


def test_a_threshold_by_diagnosis_is_that_of_mapie_on_its_cases_alone():
    """Mondrian sets are split conformal sets of each diagnosis; MAPIE warns that it sees no other."""
    calibrate, test = some_predictions(cases=300), some_predictions(cases=200, seed=1)

    fitted = fit_set_thresholds(calibrate.probabilities, calibrate.truth, of_case=np.arange(300), method="LAC")

    sets = prediction_sets(test.probabilities, fitted)
    for kind in range(3):
        of_kind = calibrate.truth == kind
        mapie = SplitConformalClassifier(
            Said().fit(calibrate.probabilities, calibrate.truth), confidence_level=0.95, prefit=True
        )
        with pytest.warns(UserWarning, match="less labels"):
            mapie.conformalize(calibrate.probabilities[of_kind], calibrate.truth[of_kind])
        _, expected = mapie.predict_set(test.probabilities)
        assert fitted.values[kind] == pytest.approx(threshold_of(mapie), abs=1e-9)
        np.testing.assert_array_equal(sets[:, kind], expected[:, kind, 0])


@pytest.mark.parametrize("by_class", [True, False])
def test_aps_without_draws_is_the_published_quantile_of_its_own_scores(by_class):
    """The ⌈(n + 1) · 0.95⌉-th smallest of n, as numpy finds it."""
    calibrate = some_predictions(cases=300)

    fitted = fit_set_thresholds(
        calibrate.probabilities, calibrate.truth, of_case=np.arange(300), method="APS", by_class=by_class
    )

    rows = np.arange(300)
    own = calibrate.probabilities[rows, calibrate.truth]
    scores = np.where(calibrate.probabilities > own[:, None], calibrate.probabilities, 0).sum(axis=1)
    for kind in range(3):
        of_kind = scores[calibrate.truth == kind] if by_class else scores
        level = np.ceil((len(of_kind) + 1) * 0.95) / len(of_kind)
        assert fitted.values[kind] == pytest.approx(np.quantile(of_kind, level, method="lower"), abs=1e-9)


class Clinic(NamedTuple):
    """Pictures of a clinic's patients."""

    probabilities: np.ndarray  # (N, 3)
    truth: np.ndarray  # (N,)
    of_case: np.ndarray  # (N,)


def a_clinic(patients, random):
    """Patients with one lesion each and one to eight pictures of it; those with many pictures are the easy ones.

    A third diagnosis, one in ten, is hard to tell from the second. Pictures of one lesion are alike.
    """
    pictures = random.integers(1, 9, patients)
    of_case = np.repeat(np.arange(patients), pictures)
    of_patient = random.choice(3, size=patients, p=[0.6, 0.3, 0.1])
    shown = np.array([[2.5, 0, 0], [0, 2.5, 0.5], [0, 1.2, 1]])[of_patient] * (0.2 + pictures[:, None] / 4)
    alike = random.normal(scale=0.9, size=(patients, 3))
    logits = (shown + alike)[of_case] + random.normal(scale=0.3, size=(len(of_case), 3))
    return Clinic(softmax(logits), of_patient[of_case], of_case)


def coverages_of(studies, *, by_class, method, of_case=None, patients=200):
    """The coverage of new patients, averaged over studies, by set: overall and by diagnosis, patients counted alike."""
    random, found = np.random.default_rng(0), []
    for _ in range(studies):
        calibrate, new = a_clinic(patients, random), a_clinic(500, random)
        fitted = fit_set_thresholds(
            calibrate.probabilities,
            calibrate.truth,
            of_case=calibrate.of_case if of_case is None else of_case(calibrate),
            method=method,
            level=0.9,
            by_class=by_class,
        )
        sets = prediction_sets(new.probabilities, fitted)
        covered, shares = sets[np.arange(len(new.truth)), new.truth], equal_shares(new.of_case)
        asked = (np.ones(len(covered), dtype=bool), *(new.truth == kind for kind in range(len(CODES))))
        found.append([np.average(covered[among], weights=shares[among]) for among in asked])
    return dict(zip(("overall", *CODES), np.mean(found, axis=0), strict=True))


@pytest.mark.parametrize("method", ["LAC", "APS"])
@pytest.mark.parametrize("studies", STUDIES)
def test_sets_of_new_patients_contain_the_truth_as_often_as_promised(studies, method):
    """Overall at least 90 %, and for LAC, whose scores have no ties, hardly more."""
    found = coverages_of(studies, by_class=False, method=method)

    noise = 3 * 0.03 / np.sqrt(studies)
    assert found["overall"] > 0.9 - noise
    assert method == "APS" or found["overall"] < 0.9 + 2 / 201 + noise


@pytest.mark.parametrize("studies", STUDIES)
def test_counting_pictures_instead_of_patients_breaks_the_promise(studies):
    """Many pictures of easy patients pull the threshold down: what the plain method would do."""
    found = coverages_of(studies, by_class=False, method="LAC", of_case=lambda clinic: np.arange(len(clinic.truth)))

    assert found["overall"] < 0.88


@pytest.mark.parametrize("method", ["LAC", "APS"])
@pytest.mark.parametrize("studies", STUDIES)
def test_by_diagnosis_the_promise_holds_for_the_rare_and_hard(studies, method):
    """One threshold for all leaves it far below; its own, from about twenty patients, keeps the promise for it."""
    for_all = coverages_of(studies, by_class=False, method=method)
    by_diagnosis = coverages_of(studies, by_class=True, method=method)

    assert for_all["rare and hard"] < 0.85
    for code in CODES:
        assert by_diagnosis[code] > 0.9 - 3 * 0.07 / np.sqrt(studies)


@pytest.mark.parametrize("studies", STUDIES)
def test_diagnoses_too_rare_for_a_threshold_of_their_own_keep_the_promise_together(studies):
    """Forty patients at 90 %: nine are needed, and the third diagnosis often has fewer; overall it still holds."""
    found = coverages_of(studies, by_class=True, method="LAC", patients=40)

    assert found["overall"] > 0.9 - 3 * 0.05 / np.sqrt(studies)
