"""Areas count pairs and steps, in whatever order and however many at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats import ranking
from cutis.stats.ranking import (
    areas,
    auc,
    auc_by_diagnosis,
    average_precision,
    precision_recall_curve,
    ranked,
    ranked_together,
    roc_curve,
)
from factories import some_predictions

CASES = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25)


def columns(cases):
    scores, positive, weights = (np.array(column) for column in zip(*cases, strict=True))
    return scores.astype(float), positive, weights[None].astype(float)


@settings(deadline=None)  # the first one imports scipy
@given(CASES)
def test_auc_counts_pairs(cases):
    """The share of weighted pairs in which the one with the diagnosis scores higher, ties one half; NaN: no pair."""
    pairs = [(w * v, (s > r) + 0.5 * (s == r)) for s, p, w in cases for r, n, v in cases if p and not n]
    total = sum(weight for weight, _ in pairs)

    found = auc(*columns(cases))[0]

    assert np.isnan(found) if total == 0 else abs(found - sum(w * won for w, won in pairs) / total) < 1e-12


@settings(deadline=None)  # the first one imports scipy
@given(CASES)
def test_average_precision_is_the_mean_precision_at_those_with_the_diagnosis(cases):
    """Each of them, by weight, at its own score: how many at or above it have the diagnosis too; NaN: nobody has it."""
    total = sum(w for _, p, w in cases if p)
    precision = [
        w * sum(v for r, q, v in cases if q and r >= s) / sum(v for r, _, v in cases if r >= s)
        for s, p, w in cases
        if p and w
    ]

    found = average_precision(*columns(cases))[0]

    assert np.isnan(found) if total == 0 else abs(found - sum(precision) / total) < 1e-12


@settings(deadline=None)  # the first one imports scipy
@given(CASES, st.integers(1, 3))
def test_areas_do_not_hang_on_how_many_steps_are_taken_at_once(cases, steps):
    """One by one, or all at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "STEPS_AT_ONCE", steps)
        few = auc(*columns(cases)), average_precision(*columns(cases))

    np.testing.assert_allclose(few, (auc(*columns(cases)), average_precision(*columns(cases))), rtol=0, atol=1e-12)


@settings(deadline=None)  # the first one imports scipy
@given(CASES)
def test_scores_turned_round_give_the_other_side_of_one_half(cases):
    """The AUC knows only the order."""
    scores, positive, weights = columns(cases)

    both = auc(scores, positive, weights) + auc(np.exp(-scores), positive, weights)

    assert np.isnan(both[0]) or both[0] == pytest.approx(1, abs=1e-12)


def test_uneven_weights_of_one_side_alone_leave_no_auc():
    """Not even a rounding: nobody is there to be told apart from."""
    random = np.random.default_rng(0)

    found = auc(random.random(9), np.ones(9, dtype=bool), random.uniform(0.1, 3, (50, 9)))

    assert np.isnan(found).all()


def test_perfect_scores_have_areas_of_one():
    """Exactly, whatever the weights."""
    weights = np.random.default_rng(0).uniform(0.1, 3, (5, 6))
    scores, positive = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1]), np.arange(6) < 3

    assert auc(scores, positive, weights).tolist() == [1.0] * 5
    assert average_precision(scores, positive, weights) == pytest.approx(np.ones(5), abs=1e-15)


def test_the_ranking_together_is_of_all_questions_in_one_list():
    """A case stands in it once for each diagnosis, always with its own weight."""
    predictions = some_predictions(cases=50)
    weights = np.random.default_rng(0).uniform(0, 3, (4, 50))
    has = predictions.truth[:, None] == np.arange(3)

    found = areas(
        ranked_together(predictions.probabilities, predictions.truth), weights, negative=2 * weights.sum(axis=1)
    )

    in_one_list = predictions.probabilities.ravel(), has.ravel(), np.repeat(weights, 3, axis=1)
    assert found.auc == pytest.approx(auc(*in_one_list), abs=1e-12)
    assert found.average_precision == pytest.approx(average_precision(*in_one_list), abs=1e-12)


def test_cases_below_the_lowest_step_are_not_kept():
    """They are passed by nobody, and their weight is known without them."""
    steps = ranked(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, False, False, False]))

    assert steps[0].hits.nnz == 1
    assert steps[0].alarms.nnz == 0


def test_each_diagnosis_has_a_column():
    """As if it were ranked alone; NaN for one that nobody has."""
    predictions = some_predictions(cases=40, truth=np.arange(40) % 2)

    found = auc_by_diagnosis(predictions.probabilities, predictions.truth, np.ones((1, 40)))

    alone = auc(predictions.probabilities[:, 1], predictions.truth == 1, np.ones((1, 40)))
    assert found.shape == (1, 3)
    assert found[0, 1] == alone[0]
    assert np.isnan(found[0, 2])


def test_curves_of_a_side_that_is_empty_are_nan():
    """And raise nothing."""
    scores = np.array([0.1, 0.2])

    roc, precision_recall = roc_curve(scores, np.ones(2, bool)), precision_recall_curve(scores, np.zeros(2, bool))

    assert np.isnan(roc.false_positive_rate).all()
    assert np.isnan(precision_recall.sensitivity).all()
    assert precision_recall.ppv.tolist() == [0, 0]


def test_the_precision_recall_curve_begins_with_the_highest_score():
    """Two of the three highest have it, and they are two of two; the last point flags everybody."""
    found = precision_recall_curve(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))

    assert found.thresholds.tolist() == [0.9, 0.8, 0.7, 0.1]
    assert found.ppv.tolist() == [1, 1 / 2, 2 / 3, 1 / 2]
    assert found.sensitivity.tolist() == [0.5, 0.5, 1, 1]
