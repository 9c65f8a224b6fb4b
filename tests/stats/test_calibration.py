"""Temperature, thresholds and reliability, against known answers."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar
from scipy.special import softmax as oracle_softmax
from sklearn.metrics import roc_curve as oracle_curve

from cutis.stats.calibration import (
    answer_of,
    choose_speakers,
    choose_thresholds,
    equal_bins,
    fit_temperature,
    softmax,
)
from cutis.stats.metrics import log_losses
from cutis.stats.operating_points import sensitivity_at_least
from factories import some_predictions


def drawn_from(logits, *, seed=0):
    """A truth (N,) that the probabilities of these logits describe exactly."""
    chances = softmax(logits)
    return (np.random.default_rng(seed).random((len(logits), 1)) > chances.cumsum(axis=1)).sum(axis=1)


def test_softmax_is_that_of_scipy_at_every_temperature():
    """To 1e-12, float32 logits included."""
    logits = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)

    for temperature in (0.3, 1.0, 4.0):
        found = softmax(logits, temperature)

        assert_allclose(found, oracle_softmax(logits.astype(float) / temperature, axis=1), atol=1e-12)


def test_softmax_of_huge_logits_neither_overflows_nor_loses_a_row():
    """Rows sum to one, without a warning."""
    found = softmax(np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]]), 0.1)

    assert_allclose(found, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-12)


def test_softmax_comes_without_scipy():
    """It stands on the way to an answer."""
    script = "import sys, cutis.stats.calibration; sys.exit(any(n in sys.modules for n in ('scipy', 'sklearn')))"

    finished = run([sys.executable, "-c", script], check=False)

    assert finished.returncode == 0


@pytest.mark.parametrize("known", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found_again(known):
    """Logits that were multiplied by it need exactly it, up to the chance of 20,000 cases."""
    logits = np.random.default_rng(1).normal(scale=2, size=(20_000, 4))
    truth = drawn_from(logits)

    found = fit_temperature(logits * known, truth)

    assert found == pytest.approx(known, rel=0.03)


def test_the_temperature_minimises_the_log_loss():
    """As a search over the log loss itself finds it; and the same each time."""
    logits = np.random.default_rng(2).normal(scale=3, size=(300, 7))
    truth = drawn_from(logits / 2)

    found = fit_temperature(logits, truth)

    def loss(temperature):
        return log_losses(softmax(logits, temperature), truth).mean()

    searched = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9})
    assert found == pytest.approx(searched.x, abs=1e-5)
    assert found == fit_temperature(logits, truth)


def test_a_temperature_outside_its_bounds_is_the_nearer_end():
    """Always right asks for 0, always wrong for infinity; the bounds are 0.05 and 20."""
    logits = np.eye(3)[[0, 1, 2, 0]] * 5

    assert fit_temperature(logits, np.array([0, 1, 2, 0])) == 0.05
    assert fit_temperature(logits, np.array([1, 2, 0, 1])) == 20.0


def test_a_threshold_has_the_highest_youden_index_of_all():
    """No threshold of scikit-learn's ROC curve beats the chosen one on the same cases."""
    predictions = some_predictions(cases=200)

    found = choose_thresholds(predictions.probabilities, predictions.truth)

    for kind in range(3):
        scores, has = predictions.probabilities[:, kind], predictions.truth == kind
        flagged = scores >= found[kind]
        false_alarms, hits, _ = oracle_curve(has, scores)
        assert flagged[has].mean() - flagged[~has].mean() == pytest.approx((hits - false_alarms).max(), abs=1e-12)


def test_among_equal_thresholds_the_most_sensitive_is_taken_halfway():
    """Yes, no, yes, no by falling score: two thresholds share J = 0.5; the lower one, between 0.6 and 0.2, wins."""
    scores = np.array([0.8, 0.7, 0.6, 0.2])
    truth = np.array([0, 1, 0, 1])

    found = choose_thresholds(np.column_stack([scores, 1 - scores]), truth)

    assert found[0] == pytest.approx(0.4)


def test_a_diagnosis_without_a_case_has_no_threshold():
    """Training has refused such a tune split long before."""
    probabilities = np.full((4, 3), 1 / 3)

    with pytest.raises(ValueError, match="with and without"):
        choose_thresholds(probabilities, np.array([0, 0, 2, 2]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(1, 12))
def test_bins_hold_every_case_once_and_equally_many(confidence, bins):
    """By rising confidence; sizes differ by one at most, and none is empty."""
    found = equal_bins(np.array(confidence), bins=bins)

    assert sorted(np.concatenate(found)) == list(range(len(confidence)))
    sizes = [len(members) for members in found]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    in_order = np.array(confidence)[np.concatenate(found)]
    assert (np.diff(in_order) >= 0).all()


def _two_classifiers(cases=400, seed=3):
    """The logits of two classifiers that see different things, so that they know more together, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, cases)
    heard = [random.normal(size=(cases, 4)) + 1.2 * np.eye(4)[truth] for _ in range(2)]
    return heard, truth


def test_one_classifier_alone_answers_by_its_own_temperature():
    """The mean of one is itself."""
    (logits, _), _ = _two_classifiers()

    np.testing.assert_allclose(answer_of([logits], [1.7], temperature_of_mean=3.0), softmax(logits, 1.7))


def test_classifiers_that_know_more_together_speak_together():
    """The mean of two is chosen where its log loss is lower, and its probabilities sum to one."""
    heard, truth = _two_classifiers()

    speakers = choose_speakers(heard, truth, most=2)

    together = answer_of(heard, speakers.temperatures, temperature_of_mean=speakers.temperature_of_mean)
    alone = softmax(heard[-1], speakers.temperatures[-1])
    assert speakers.speaking == 2
    assert log_losses(together, truth).mean() < log_losses(alone, truth).mean()
    np.testing.assert_allclose(together.sum(axis=1), 1)


def test_a_classifier_that_knows_nothing_does_not_speak():
    """Noise beside the final classifier leaves it alone."""
    heard, truth = _two_classifiers()
    noise = np.random.default_rng(0).normal(size=heard[0].shape)

    assert choose_speakers([noise, heard[1]], truth, most=2).speaking == 1


def test_a_recipe_may_leave_the_final_classifier_alone():
    """With one speaker allowed, one speaks."""
    heard, truth = _two_classifiers()

    speakers = choose_speakers(heard, truth, most=1)

    assert (speakers.speaking, speakers.temperature_of_mean, len(speakers.temperatures)) == (1, 1.0, 2)


def test_the_mean_of_calibrated_answers_is_sharpened():
    """It is less sure than it is right, so its temperature lies below one."""
    heard, truth = _two_classifiers()

    assert choose_speakers(heard, truth, most=2).temperature_of_mean < 1


def test_a_temperature_for_another_mix_is_that_of_cases_counted_so():
    """Counting a case three times is a weight of three."""
    (logits, _), truth = _two_classifiers(cases=60)
    times = np.random.default_rng(1).integers(1, 4, 60)
    rows = np.repeat(np.arange(60), times)

    weighted = fit_temperature(logits, truth, times.astype(np.float64))

    assert weighted == pytest.approx(fit_temperature(logits[rows], truth[rows]))
    assert weighted != pytest.approx(fit_temperature(logits, truth))


def test_thresholds_by_another_rule_are_that_rule_of_each_diagnosis():
    """One rule for all, each against the rest."""
    predictions = some_predictions(cases=200)
    rule = sensitivity_at_least(0.9)

    found = choose_thresholds(predictions.probabilities, predictions.truth, rule=rule)

    expected = [rule(predictions.probabilities[:, kind], predictions.truth == kind) for kind in range(3)]
    np.testing.assert_array_equal(found, expected)
