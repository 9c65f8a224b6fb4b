"""A value per case for what was said of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics as oracle

from cutis.stats.scores import brier_scores, log_losses, named_before
from factories import some_predictions


def test_log_loss_and_brier_score_average_to_those_of_scikit_learn():
    """Per case here, averaged there; the Brier score is the multi-class one, 0 to 2."""
    predictions = some_predictions(cases=90)

    losses = log_losses(predictions.probabilities, predictions.truth)
    scores = brier_scores(predictions.probabilities, predictions.truth)

    by_diagnosis = [
        oracle.brier_score_loss(predictions.truth == kind, predictions.probabilities[:, kind]) for kind in range(3)
    ]
    assert_allclose(losses.mean(), oracle.log_loss(predictions.truth, predictions.probabilities), rtol=0, atol=1e-9)
    assert_allclose(scores.mean(), sum(by_diagnosis), rtol=0, atol=1e-9)


def test_log_loss_of_an_impossible_truth_is_finite():
    """A probability of zero counts as the smallest step of a float."""
    loss = log_losses(np.array([[1.0, 0.0]]), np.array([1]))

    assert np.isfinite(loss).all()


@given(st.integers(2, 6), st.integers(1, 20), st.integers(0, 99))
def test_diagnoses_are_named_as_a_stable_sort_names_them(kinds, cases, seed):
    """The most probable first, equally probable ones in the order of the taxonomy; so the first is that by arg-max."""
    random = np.random.default_rng(seed)
    probabilities, truth = random.integers(0, 3, (cases, kinds)) / 2, random.integers(0, kinds, cases)

    found = named_before(probabilities, truth)

    order = np.argsort(-probabilities, axis=1, kind="stable")
    assert (order[np.arange(cases), found] == truth).all()
    assert ((found == 0) == (probabilities.argmax(axis=1) == truth)).all()
