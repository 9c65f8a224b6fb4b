"""Each figure says how many patients carry it, and where they are too few for its interval."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.metrics import ARGMAX, ONE_VS_REST, Measure, measures
from cutis.stats.resampling import clusters_in, clusters_of
from cutis.stats.support import (
    BY_FORMULA,
    RESAMPLED,
    answering_clusters,
    caution,
    qualified,
    qualified_mean,
    questions_of,
)
from cutis.vocabulary.estimate import Estimate
from factories import some_predictions

CODES = ("a", "b", "c")


def patients_with(*counts):
    """So many patients of one case with each diagnosis."""
    truth = np.repeat(np.arange(len(counts)), counts)
    return clusters_of([f"{n:04}" for n in range(len(truth))], truth, kind="patient", diagnoses=len(counts))


def estimate_of(value, *, low=0.4, high=0.99, clusters=100):
    return Estimate(value=value, low=low, high=high, method="test", clusters=clusters, cluster_kind="patient")


def noted(what, value, clusters, *, diagnosis="c", convention=ARGMAX, **how):
    measure = Measure(convention, what, diagnosis)
    return qualified(measure, estimate_of(value), clusters, CODES, is_difference=False, **how)


def test_a_sensitivity_rests_on_those_with_the_diagnosis_and_a_specificity_on_those_without():
    """An area rests on both; an accuracy on everybody."""
    clusters = patients_with(300, 300, 12)

    assert noted("sensitivity", 0.7, clusters).note == "only 12 patients with c: too few to rely on the interval"
    assert noted("sensitivity", 0.7, clusters).clusters == 12
    assert noted("specificity", 0.7, clusters).note == ""
    assert noted("specificity", 0.7, clusters).clusters == 600
    assert noted("auc", 0.7, clusters, convention=None).note == noted("sensitivity", 0.7, clusters).note
    assert noted("auc", 0.7, clusters, convention=None).clusters == 612
    assert noted("accuracy", 0.7, clusters).note == ""
    assert noted("f1", 0.7, clusters).note == noted("sensitivity", 0.7, clusters).note


def test_what_lies_near_one_needs_more_patients():
    """The closer, the more: few of them decide whether it is 0.97 or 0.99."""
    few, many = patients_with(300, 300, 40), patients_with(300, 300, 200)

    assert noted("sensitivity", 0.96, few).note == "too near 1 for 40 patients with c to rely on the interval"
    assert noted("sensitivity", 0.04, few).note == "too near 0 for 40 patients with c to rely on the interval"
    assert noted("sensitivity", 0.96, many).note == ""
    assert noted("auc", 0.96, few, convention=None).note == "too near 1 for 40 patients with c to rely on the interval"
    assert noted("auc", 0.96, many, convention=None).note == ""
    assert noted("f1", 0.99, few).note == ""


def test_a_difference_is_near_no_end():
    """A difference of 0.01 is no share of 1 %."""
    measure = Measure(ARGMAX, "sensitivity", "c")

    found = qualified(measure, estimate_of(0.01), patients_with(300, 300, 40), CODES)

    assert found.note == ""


def test_a_figure_over_all_diagnoses_names_the_rare_and_the_absent():
    """It averages the doubt about each, so that only what fewer than ten carry is named."""
    measure = Measure(None, "macro_auc")

    found = qualified(measure, estimate_of(0.99), patients_with(300, 12, 0), CODES, is_difference=False)
    of_few = qualified(measure, estimate_of(0.7), patients_with(6, 6, 2), CODES, is_difference=False)

    assert found.note == "not in this test: c"
    assert found.clusters == 312
    assert of_few.note.startswith("fewer than 10 patients: a (6), b (6), c (2); only 14 patients")


def test_malignant_or_not_rests_on_those_of_either_side():
    """Named by what they have; a patient with both sides counts on both."""
    ids, truth = ["p0", "p0", *(f"q{n}" for n in range(40))], np.array([0, 2] + [0] * 40)
    clusters = clusters_of(ids, truth, kind="patient", diagnoses=3)
    malignant = np.array([False, True, True])

    found = noted("malignant_sensitivity", 0.5, clusters, diagnosis=None, malignant=malignant)
    other = noted("malignant_specificity", 0.5, clusters, diagnosis=None, malignant=malignant)

    assert found.note == "only 1 patient with a malignant diagnosis: too few to rely on the interval"
    assert (found.clusters, other.clusters, other.note) == (1, 41, "")


def test_a_share_of_which_all_rounds_agree_is_held_to_the_limits_of_its_formula():
    """It gets Wilson's interval, which is made for that."""
    measure = Measure(ARGMAX, "sensitivity", "c")
    agreeing = estimate_of(1.0, low=1.0, high=1.0)

    found = qualified(measure, agreeing, patients_with(300, 300, 12), CODES, is_difference=False)
    of_mean = qualified_mean(estimate_of(1.0, low=1.0, high=1.0, clusters=12), is_share=True)

    assert found.note == ""
    assert of_mean.note == ""


@pytest.mark.parametrize(("clusters", "is_share", "noted"), [(12, True, True), (12, False, True), (40, False, False)])
def test_a_mean_of_few_patients_is_named(clusters, is_share, noted):
    """Shares and other means alike."""
    found = qualified_mean(estimate_of(0.5, clusters=clusters), is_share=is_share)

    assert (found.note == f"only {clusters} patients: too few to rely on the interval") == noted


def test_predictive_values_count_patients_who_got_the_answer():
    """Yes for a ppv, no for an npv, of every question that there is a figure of."""
    predictions = some_predictions(cases=60)
    thresholds, malignant = np.array([0.3, 0.3, 0.3]), np.array([False, True, True])
    how = {"thresholds": thresholds, "malignant": malignant, "malignant_threshold": 0.4}
    patients = np.array(predictions.cluster_ids)
    known = measures(
        predictions.probabilities, predictions.truth, codes=predictions.codes, weights=np.ones((1, 60)), **how
    )

    found = answering_clusters(questions_of(predictions, **how), clusters_in(predictions))

    resting = {measure for measure in known if measure.what.removeprefix("malignant_") in {"ppv", "npv"}}
    assert found.keys() == resting
    called = predictions.probabilities.argmax(axis=1) == 1
    assert found[Measure(ARGMAX, "ppv", "b")] == len(set(patients[called]))
    yes = predictions.probabilities[:, 1:].sum(axis=1) >= 0.4
    assert found[Measure(ONE_VS_REST, "malignant_npv")] == len(set(patients[~yes]))


def test_formulas_need_fewer_patients_than_resampling():
    """Their intervals are made for few."""
    counts = {"patients": 15}

    assert caution(counts, RESAMPLED["share"], value=0.5) == "only 15 patients: too few to rely on the interval"
    assert caution(counts, BY_FORMULA["share"], value=0.99) == ""
    assert caution({"patients": 0}, BY_FORMULA["share"]) == "no patients"
