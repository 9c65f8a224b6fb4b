"""Curves at fixed places are those of scikit-learn, and their bands those of resampled patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import auc as area_under
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from cutis.evaluate.curves import GRID, curves_of, on_grid
from cutis.vocabulary.chance import chance
from factories import some_predictions


@pytest.fixture(params=[None, 1], ids=["scores apart", "scores tied"])
def weighed(request):
    """Scores with their truth, and twenty rounds of whole weights."""
    random = np.random.default_rng(0)
    positive = random.random(300) < 0.2
    scores = random.normal(size=300) + positive
    if request.param is not None:
        scores = scores.round(request.param)
    return scores, positive, random.multinomial(300, np.full(300, 1 / 300), size=20).astype(float)


def test_sensitivity_at_a_false_positive_rate_is_that_of_scikit_learn(weighed):
    """Its curve by weighted cases, at the highest sensitivity of each rate, straight between its points."""
    scores, positive, weights = weighed

    found = on_grid(scores, positive, weights).sensitivity

    for row, drawn in zip(found, weights, strict=True):
        rates, heights, _ = roc_curve(positive, scores, sample_weight=drawn, drop_intermediate=False)
        # Between k and k + 1 hundredths nothing is ambiguous; at a step the upper end is meant.
        expected = [np.interp(place + 1e-12, rates, heights) for place in GRID]
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_precision_at_a_sensitivity_is_that_of_scikit_learn(weighed):
    """The precision of the first threshold, from above, that reaches it."""
    scores, positive, weights = weighed

    found = on_grid(scores, positive, weights).ppv

    for row, drawn in zip(found, weights, strict=True):
        # Cases that were not drawn are left out, since scikit-learn makes a point of each of them.
        precision, recall, _ = precision_recall_curve(
            positive[drawn > 0], scores[drawn > 0], sample_weight=drawn[drawn > 0], drop_intermediate=False
        )
        precision, recall = precision[-2::-1], recall[-2::-1]  # by rising recall, without the point made up at 0
        first = [np.flatnonzero(recall >= max(place - 1e-12, 1e-12))[0] for place in GRID]
        np.testing.assert_allclose(row, precision[first], atol=1e-12)


def test_the_areas_beneath_are_the_areas_of_the_evaluation(weighed):
    """On a grid of a hundred places to two digits."""
    scores, positive, _ = weighed

    found = on_grid(scores, positive, np.ones((1, 300)))

    assert area_under(GRID, found.sensitivity[0]) == pytest.approx(roc_auc_score(positive, scores), abs=0.01)
    assert found.ppv[0, 1:].mean() == pytest.approx(average_precision_score(positive, scores), abs=0.01)


def test_bands_lie_about_the_curve_and_are_wider_where_patients_have_more_pictures():
    """Ten pictures of each patient, all alike, say no more than one."""
    alone = some_predictions(cases=150)
    alone = replace(alone, cluster_ids=alone.case_ids)
    tenfold = replace(
        alone,
        case_ids=tuple(f"{name}-{copy}" for name in alone.case_ids for copy in range(10)),
        cluster_ids=tuple(np.repeat(alone.cluster_ids, 10).tolist()),
        truth=alone.truth.repeat(10),
        probabilities=alone.probabilities.repeat(10, axis=0),
    )

    once, ten, unknown = (
        curves_of(each, generator=chance(0, "test"), rounds=200)
        for each in (alone, tenfold, replace(tenfold, cluster_ids=tenfold.case_ids))
    )

    plain = on_grid(alone.probabilities[:, 0], alone.truth == 0, np.ones((1, 150)))
    for band, line in ((once[0].sensitivity, plain.sensitivity[0]), (once[0].ppv, plain.ppv[0])):
        assert ((band.low <= line + 1e-9) & (line <= band.high + 1e-9)).mean() > 0.97
    widths = [np.mean(curves[0].sensitivity.high - curves[0].sensitivity.low) for curves in (once, ten, unknown)]
    assert widths[1] == pytest.approx(widths[0])
    assert widths[2] < widths[0] / 2


def test_a_diagnosis_of_few_patients_or_none_has_no_band():
    """Nine patients carry none; one that nobody has carries no curve either."""
    predictions = some_predictions(cases=60)
    predictions = replace(predictions, cluster_ids=predictions.case_ids, truth=np.array([0] * 51 + [1] * 9))

    first, second, third = curves_of(predictions, generator=chance(0, "test"), rounds=10)

    assert first.sensitivity is second.sensitivity is second.ppv is third.ppv is None
    assert np.isfinite(second.roc.sensitivity).all()
    assert np.isnan(third.roc.sensitivity).all()
    assert second.prevalence == pytest.approx(0.15)


def test_the_same_chance_gives_the_same_bands():
    """No other source of chance."""
    predictions = some_predictions(cases=100)

    one, other = (curves_of(predictions, generator=chance(1, "test"), rounds=20) for _ in range(2))

    np.testing.assert_array_equal(one[0].sensitivity.low, other[0].sensitivity.low)
