"""What every figure keeps to, whoever is measured; its value is held to other implementations in tests/reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.metrics import ARGMAX, ONE_VS_REST, SHARES, Measure, matthews_correlation, measures, measuring
from factories import some_predictions

CODES = ("a", "b", "c")
THRESHOLDS = np.array([0.2, 0.35, 0.5])
MALIGNANT = np.array([False, False, True])
EXACT = {"rtol": 0, "atol": 1e-9}


def figures_of(predictions, weights, **fields):
    plain = {"codes": CODES, "thresholds": THRESHOLDS, "malignant": MALIGNANT, "malignant_threshold": 0.4}
    return measures(predictions.probabilities, predictions.truth, weights=np.atleast_2d(weights), **plain | fields)


def test_every_name_that_others_ask_for_is_there():
    """As pages and other benchmarks know them: convention, what, and the diagnosis where it is of one."""
    found = {str(measure) for measure in figures_of(some_predictions(cases=40), np.ones(40))}

    assert {"argmax/accuracy", "argmax/balanced_accuracy", "macro_auc", "auc/a", "log_loss", "brier"} <= found
    assert {"one_vs_rest/macro_balanced_accuracy", "one_vs_rest/sensitivity/c", "argmax/weighted_f1"} <= found
    assert {"malignant_auc", "argmax/malignant_ppv", "one_vs_rest/malignant_sensitivity"} <= found


def test_figures_of_all_diagnoses_come_before_those_of_one():
    """In the order in which a page lists them."""
    found = list(figures_of(some_predictions(cases=40), np.ones(40)))

    of_one = [measure.diagnosis is not None for measure in found]
    assert of_one == sorted(of_one)


def test_who_is_always_right_has_every_share_at_one():
    """Shares of the cases of one diagnosis, and of all of them."""
    truth = np.arange(12) % 4
    found = measures(
        np.eye(4)[truth],
        truth,
        codes=("a", "b", "c", "d"),
        thresholds=np.full(4, 0.5),
        weights=np.ones((1, 12)),
        malignant=np.arange(4) == 0,
        malignant_threshold=0.5,
    )

    assert {measure.what for measure in found} >= SHARES
    assert all(figure[0] == 1 for measure, figure in found.items() if measure.what in SHARES)


def test_a_probability_at_its_threshold_is_a_yes():
    """The first case, at exactly 0.5, is found; so is a summed probability of the malignant at theirs."""
    probabilities, truth = np.array([[0.5, 0.5], [0.4, 0.6]]), np.array([0, 1])

    found = measures(
        probabilities,
        truth,
        codes=("a", "b"),
        thresholds=np.array([0.5, 0.7]),
        weights=np.ones((1, 2)),
        malignant=np.array([False, True]),
        malignant_threshold=0.6,
    )

    assert found[Measure(ONE_VS_REST, "sensitivity", "a")][0] == 1.0
    assert found[Measure(ONE_VS_REST, "sensitivity", "b")][0] == 0.0
    assert found[Measure(ONE_VS_REST, "malignant_sensitivity")][0] == 1.0


def test_balanced_accuracy_scores_as_isic_does():
    """Truth MEL, NV, MEL, MEL, all called MEL: 0.5 (published with the challenge's scoring)."""
    truth = np.array([0, 1, 0, 0])
    probabilities = np.tile([0.9, 0.1], (4, 1))

    found = measures(
        probabilities, truth, codes=("MEL", "NV"), thresholds=np.array([0.5, 0.5]), weights=np.ones((1, 4))
    )

    assert found[Measure(ARGMAX, "balanced_accuracy")][0] == 0.5


def test_equally_probable_diagnoses_are_named_in_the_order_of_the_taxonomy():
    """Of four that are equally probable, the second one is among the first two, the third among the first three."""
    probabilities = np.full((4, 4), 0.25)

    found = measures(
        probabilities, np.arange(4), codes=("a", "b", "c", "d"), thresholds=np.full(4, 0.5), weights=np.eye(4)
    )

    assert found[Measure(ARGMAX, "accuracy")].tolist() == [1, 0, 0, 0]
    assert found[Measure(None, "top_2_accuracy")].tolist() == [1, 1, 0, 0]
    assert found[Measure(None, "top_3_accuracy")].tolist() == [1, 1, 1, 0]


def test_among_the_first_three_is_asked_only_where_there_are_more():
    """With three diagnoses everything is among the first three."""
    found = figures_of(some_predictions(cases=40), np.ones(40))

    assert Measure(None, "top_2_accuracy") in found
    assert Measure(None, "top_3_accuracy") not in found


def test_a_diagnosis_nobody_has_is_nan_and_left_out_of_the_averages():
    """Its sensitivity and areas do not exist; the means run over the diagnoses present."""
    predictions = some_predictions(cases=40, truth=np.arange(40) % 2)

    found = figures_of(predictions, np.ones(40))

    for convention, what in ((ARGMAX, "sensitivity"), (ONE_VS_REST, "f1"), (None, "auc"), (None, "average_precision")):
        assert np.isnan(found[Measure(convention, what, "c")][0])
        mean = np.mean([found[Measure(convention, what, code)][0] for code in "ab"])
        assert found[Measure(convention, f"macro_{what}")][0] == pytest.approx(mean, abs=1e-12)
        assert found[Measure(convention, f"weighted_{what}")][0] == pytest.approx(mean, abs=1e-12)


def test_an_answer_never_given_has_no_predictive_value_and_no_mean_of_them():
    """Leaving it out of the mean would reward a rater who never says it; pooled, all answers count."""
    predictions = some_predictions(cases=40)
    probabilities = predictions.probabilities * [1, 1, 0]
    unsaid = some_predictions(cases=40, probabilities=probabilities / probabilities.sum(axis=1, keepdims=True))

    found = figures_of(unsaid, np.ones(40))

    assert np.isnan(found[Measure(ARGMAX, "ppv", "c")][0])
    assert np.isnan(found[Measure(ARGMAX, "macro_ppv")][0])
    assert np.isnan(found[Measure(ARGMAX, "weighted_ppv")][0])
    assert np.isfinite(found[Measure(ARGMAX, "pooled_ppv")][0])
    assert found[Measure(ARGMAX, "f1", "c")][0] == 0.0


def test_a_test_of_one_diagnosis_gives_no_auc_and_no_specificity():
    """Without anything to tell apart, the figures are NaN whatever the weights, and nothing is raised."""
    predictions = some_predictions(cases=8, truth=np.zeros(8, dtype=np.int64))

    found = figures_of(predictions, np.random.default_rng(0).uniform(0.1, 3, 8))

    assert np.isnan(found[Measure(None, "macro_auc")][0])
    assert np.isnan(found[Measure(None, "malignant_auc")][0])
    assert np.isnan(found[Measure(ARGMAX, "macro_specificity")][0])
    assert np.isnan(found[Measure(ARGMAX, "matthews_correlation")][0])
    assert np.isfinite(found[Measure(ARGMAX, "accuracy")][0])
    assert np.isfinite(found[Measure(None, "pooled_auc")][0])


def test_a_round_without_any_weight_has_no_figure():
    """Such as a subgroup of which nobody was drawn: NaN, no error, and no harm to the round beside it."""
    predictions = some_predictions(cases=40)

    found = figures_of(predictions, np.vstack([np.zeros(40), np.ones(40)]))

    for measure, figures in found.items():
        assert np.isnan(figures[0]), str(measure)
        assert np.isfinite(figures[1]), str(measure)


def test_without_malignant_diagnoses_named_nothing_is_said_of_them():
    """And without a threshold nothing of the question under one-vs-rest."""
    predictions = some_predictions(cases=40)

    unnamed = {measure.what for measure in figures_of(predictions, np.ones(40), malignant=None)}
    without_threshold = figures_of(predictions, np.ones(40), malignant_threshold=None)

    assert not any("malignant" in what for what in unnamed)
    assert Measure(ARGMAX, "malignant_sensitivity") in without_threshold
    assert Measure(ONE_VS_REST, "malignant_sensitivity") not in without_threshold


def test_a_malignant_lesion_called_another_malignant_one_is_found():
    """Malignant or not is one question: confusing two malignant diagnoses is no miss."""
    probabilities, truth = np.array([[0.1, 0.6, 0.3], [0.1, 0.3, 0.6], [0.8, 0.1, 0.1]]), np.array([2, 1, 0])

    found = measures(
        probabilities,
        truth,
        codes=CODES,
        thresholds=THRESHOLDS,
        weights=np.ones((1, 3)),
        malignant=np.array([False, True, True]),
    )

    assert found[Measure(ARGMAX, "malignant_sensitivity")][0] == 1.0
    assert found[Measure(ARGMAX, "macro_sensitivity")][0] == pytest.approx(1 / 3)


def test_a_weight_of_two_is_the_case_twice():
    """A round of the bootstrap is a weight per case, for every figure."""
    predictions = some_predictions(cases=60)
    times = np.random.default_rng(3).integers(0, 4, 60)
    rows = np.repeat(np.arange(60), times)
    repeated = {"codes": CODES, "thresholds": THRESHOLDS, "malignant": MALIGNANT, "malignant_threshold": 0.4}

    weighted = figures_of(predictions, times.astype(float))
    written_out = measures(
        predictions.probabilities[rows], predictions.truth[rows], weights=np.ones((1, len(rows))), **repeated
    )

    assert weighted.keys() == written_out.keys()
    for measure, value in weighted.items():
        assert_allclose(value, written_out[measure], **EXACT, err_msg=str(measure))


def test_rounds_are_answered_alike_one_by_one_and_together():
    """What is set up once serves any weights, in any layout and of any kind of number."""
    predictions = some_predictions(cases=60)
    drawn = np.random.default_rng(3).integers(0, 4, (5, 60))
    figures = measuring(predictions.probabilities, predictions.truth, codes=CODES, thresholds=THRESHOLDS)

    together = figures(np.asfortranarray(drawn))

    for row, weights in enumerate(drawn):
        for measure, value in figures(weights[None].astype(float)).items():
            assert_allclose(together[measure][row], value[0], **EXACT, err_msg=str(measure))


@settings(deadline=None)  # the first one imports scipy
@given(st.integers(2, 5), st.integers(2, 30), st.integers(0, 99))
def test_pooled_and_weighted_figures_by_argmax_are_the_accuracy(kinds, cases, seed):
    """Each case has one diagnosis and gets one answer: pooled sensitivity, predictive value and F1 are one number."""
    random = np.random.default_rng(seed)
    probabilities, truth = random.dirichlet(np.ones(kinds), cases), random.integers(0, kinds, cases)
    weights = random.uniform(0.1, 2, (2, cases))

    found = measures(probabilities, truth, codes="abcde"[:kinds], thresholds=np.full(kinds, 0.5), weights=weights)

    for what in ("pooled_sensitivity", "pooled_ppv", "pooled_f1", "weighted_sensitivity"):
        assert_allclose(found[Measure(ARGMAX, what)], found[Measure(ARGMAX, "accuracy")], **EXACT, err_msg=what)


def test_the_correlation_of_two_diagnoses_is_that_of_the_four_counts():
    """Matthews' own formula: (TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))."""
    confusion = np.array([[[50.0, 10.0], [5.0, 35.0]]])

    found = matthews_correlation(confusion)

    assert found[0] == pytest.approx((35 * 50 - 10 * 5) / np.sqrt(45 * 40 * 60 * 55))
