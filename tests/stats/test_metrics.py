"""Figures are held to scikit-learn, weights included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from cutis.stats.metrics import (
    ARGMAX,
    ONE_VS_REST,
    Measure,
    auc,
    brier_scores,
    confusion_matrix,
    log_losses,
    measures,
    one_hot,
    rates,
    roc_curve,
)
from factories import some_predictions

CODES = ("a", "b", "c")
THRESHOLDS = np.array([0.2, 0.35, 0.5])
EXACT = {"rtol": 0, "atol": 1e-9}


def figures_of(predictions, weights):
    return measures(
        predictions.probabilities, predictions.truth, codes=CODES, thresholds=THRESHOLDS, weights=np.atleast_2d(weights)
    )


def some_weights(rounds, cases):
    """Rounds of a bootstrap, some cases drawn never, and one row of uneven fractions."""
    random = np.random.default_rng(7)
    drawn = random.multinomial(cases, np.full(cases, 1 / cases), size=rounds - 1).astype(float)
    return np.vstack([drawn, random.uniform(0.1, 3, cases)])


def test_argmax_figures_are_those_of_scikit_learn_in_every_round():
    """Accuracy, balanced accuracy and recall with `sample_weight`, to 1e-9."""
    predictions = some_predictions(cases=120)
    weights = some_weights(5, 120)
    said = predictions.probabilities.argmax(axis=1)

    found = figures_of(predictions, weights)

    for row, weight in enumerate(weights):
        expected = {
            Measure(ARGMAX, "accuracy"): oracle.accuracy_score(predictions.truth, said, sample_weight=weight),
            Measure(ARGMAX, "balanced_accuracy"): oracle.balanced_accuracy_score(
                predictions.truth, said, sample_weight=weight
            ),
            Measure(ARGMAX, "macro_sensitivity"): oracle.recall_score(
                predictions.truth, said, average="macro", sample_weight=weight
            ),
        }
        for kind, code in enumerate(CODES):
            has, flagged = predictions.truth == kind, said == kind
            expected[Measure(ARGMAX, "sensitivity", code)] = oracle.recall_score(has, flagged, sample_weight=weight)
            expected[Measure(ARGMAX, "specificity", code)] = oracle.recall_score(~has, ~flagged, sample_weight=weight)
        for measure, value in expected.items():
            assert_allclose(found[measure][row], value, **EXACT, err_msg=str(measure))


def test_one_vs_rest_figures_are_those_of_scikit_learn_at_each_threshold():
    """Each diagnosis alone, yes at or above its threshold; macro figures are their means."""
    predictions = some_predictions(cases=120)
    weights = some_weights(3, 120)

    found = figures_of(predictions, weights)

    for row, weight in enumerate(weights):
        expected = []
        for kind, code in enumerate(CODES):
            has, flagged = predictions.truth == kind, predictions.probabilities[:, kind] >= THRESHOLDS[kind]
            one = {
                "accuracy": oracle.accuracy_score(has, flagged, sample_weight=weight),
                "sensitivity": oracle.recall_score(has, flagged, sample_weight=weight),
                "specificity": oracle.recall_score(~has, ~flagged, sample_weight=weight),
                "balanced_accuracy": oracle.balanced_accuracy_score(has, flagged, sample_weight=weight),
            }
            for what in ("accuracy", "sensitivity", "specificity"):
                assert_allclose(found[Measure(ONE_VS_REST, what, code)][row], one[what], **EXACT)
            expected.append(one)
        for what in expected[0]:
            mean = np.mean([one[what] for one in expected])
            assert_allclose(found[Measure(ONE_VS_REST, f"macro_{what}")][row], mean, **EXACT)


@pytest.mark.parametrize("decimals", [16, 1, 0])
def test_auc_is_that_of_scikit_learn_with_ties(decimals):
    """Coarse rounding makes nearly every score a tie; each counts one half."""
    predictions = some_predictions(cases=150)
    weights = some_weights(4, 150)
    rounded = predictions.probabilities.round(decimals)

    for kind in range(3):
        found = auc(rounded[:, kind], predictions.truth == kind, weights)

        expected = [
            oracle.roc_auc_score(predictions.truth == kind, rounded[:, kind], sample_weight=weight)
            for weight in weights
        ]
        assert_allclose(found, expected, **EXACT)


def test_macro_auc_is_the_one_vs_rest_mean_of_scikit_learn():
    """As `roc_auc_score(multi_class="ovr")`."""
    predictions = some_predictions(cases=150)
    weights = some_weights(2, 150)

    found = figures_of(predictions, weights)[Measure(None, "macro_auc")]

    expected = [
        oracle.roc_auc_score(predictions.truth, predictions.probabilities, multi_class="ovr", sample_weight=weight)
        for weight in weights
    ]
    assert_allclose(found, expected, **EXACT)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25))
def test_auc_counts_pairs(cases):
    """The share of weighted pairs in which the one with the diagnosis scores higher, ties one half; NaN: no pair."""
    scores, positive, weights = (np.array(column) for column in zip(*cases, strict=True))
    pairs = [(w * v, (s > r) + 0.5 * (s == r)) for s, p, w in cases for r, n, v in cases if p and not n]
    total = sum(weight for weight, _ in pairs)

    found = auc(scores.astype(float), positive, weights[None].astype(float))[0]

    assert np.isnan(found) if total == 0 else abs(found - sum(w * won for w, won in pairs) / total) < 1e-12


def test_a_probability_at_its_threshold_is_a_yes():
    """The first case, at exactly 0.5, is found."""
    probabilities, truth = np.array([[0.5, 0.5], [0.4, 0.6]]), np.array([0, 1])

    found = measures(probabilities, truth, codes=("a", "b"), thresholds=np.array([0.5, 0.7]), weights=np.ones((1, 2)))

    assert found[Measure(ONE_VS_REST, "sensitivity", "a")][0] == 1.0
    assert found[Measure(ONE_VS_REST, "sensitivity", "b")][0] == 0.0


def test_balanced_accuracy_scores_as_isic_does():
    """Truth MEL, NV, MEL, MEL, all called MEL: 0.5 (published with the challenge's scoring)."""
    truth = np.array([0, 1, 0, 0])
    probabilities = np.tile([0.9, 0.1], (4, 1))

    found = measures(
        probabilities, truth, codes=("MEL", "NV"), thresholds=np.array([0.5, 0.5]), weights=np.ones((1, 4))
    )

    assert found[Measure(ARGMAX, "balanced_accuracy")][0] == 0.5


def test_a_diagnosis_nobody_has_is_nan_and_left_out_of_the_macro():
    """Its sensitivity and AUC do not exist; the mean runs over the diagnoses present."""
    predictions = some_predictions(cases=40, truth=np.arange(40) % 2)

    found = figures_of(predictions, np.ones(40))

    assert np.isnan(found[Measure(ARGMAX, "sensitivity", "c")][0])
    assert np.isnan(found[Measure(None, "auc", "c")][0])
    present = [found[Measure(None, "auc", code)][0] for code in "ab"]
    assert found[Measure(None, "macro_auc")][0] == pytest.approx(np.mean(present), abs=1e-12)


def test_a_test_of_one_diagnosis_gives_no_auc_and_no_specificity():
    """Without anything to tell apart, the figures are NaN and nothing is raised."""
    predictions = some_predictions(cases=8, truth=np.zeros(8, dtype=np.int64))

    found = figures_of(predictions, np.ones(8))

    assert np.isnan(found[Measure(None, "macro_auc")][0])
    assert np.isnan(found[Measure(ARGMAX, "macro_specificity")][0])
    assert np.isfinite(found[Measure(ARGMAX, "accuracy")][0])


def test_a_weight_of_two_is_the_case_twice():
    """A round of the bootstrap is a weight per case, for every figure."""
    predictions = some_predictions(cases=60)
    times = np.random.default_rng(3).integers(1, 4, 60)
    repeated = np.repeat(np.arange(60), times)

    weighted = figures_of(predictions, times.astype(float))
    written_out = measures(
        predictions.probabilities[repeated],
        predictions.truth[repeated],
        codes=CODES,
        thresholds=THRESHOLDS,
        weights=np.ones((1, len(repeated))),
    )

    for measure, value in weighted.items():
        assert_allclose(value, written_out[measure], **EXACT, err_msg=str(measure))


def test_log_loss_and_brier_score_are_those_of_scikit_learn():
    """Per case here, averaged there; the Brier score is the multi-class one, 0 to 2."""
    predictions = some_predictions(cases=90)

    losses = log_losses(predictions.probabilities, predictions.truth)
    scores = brier_scores(predictions.probabilities, predictions.truth)

    assert_allclose(losses.mean(), oracle.log_loss(predictions.truth, predictions.probabilities), **EXACT)
    by_diagnosis = [
        oracle.brier_score_loss(predictions.truth == kind, predictions.probabilities[:, kind]) for kind in range(3)
    ]
    assert_allclose(scores.mean(), sum(by_diagnosis), **EXACT)


def test_log_loss_of_an_impossible_truth_is_finite():
    """A probability of zero counts as the smallest step of a float."""
    loss = log_losses(np.array([[1.0, 0.0]]), np.array([1]))

    assert np.isfinite(loss).all()


def test_the_confusion_matrix_is_that_of_scikit_learn():
    """Rows are the truth, columns what was said."""
    predictions = some_predictions(cases=80)
    said = predictions.probabilities.argmax(axis=1)

    found = confusion_matrix(predictions.truth, said, kinds=3)

    np.testing.assert_array_equal(found, oracle.confusion_matrix(predictions.truth, said))


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_roc_curve_is_that_of_scikit_learn(decimals):
    """All points, one per distinct score, from nobody to everybody."""
    predictions = some_predictions(cases=80)
    scores, positive = predictions.probabilities[:, 0].round(decimals), predictions.truth == 0

    found = roc_curve(scores, positive)

    false_alarms, hits, thresholds = oracle.roc_curve(positive, scores, drop_intermediate=False)
    assert_allclose(found.false_positive_rate, false_alarms, **EXACT)
    assert_allclose(found.sensitivity, hits, **EXACT)
    assert_allclose(found.thresholds, thresholds, **EXACT)


@given(st.integers(2, 6), st.integers(1, 30), st.integers(0, 99))
def test_accuracy_of_each_question_lies_between_its_sensitivity_and_specificity(kinds, cases, seed):
    """Accuracy is their mean, weighted by how many have the diagnosis."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, kinds, cases)

    found = rates(random.random((cases, kinds)) > 0.5, truth, np.ones((1, cases)))

    share = one_hot(truth, kinds).mean(axis=0)
    mean = share * np.nan_to_num(found.sensitivity) + (1 - share) * np.nan_to_num(found.specificity)
    assert_allclose(found.accuracy, mean, atol=1e-12)
