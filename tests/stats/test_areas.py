"""Areas under ROC curves by formula: DeLong's where each patient has one case, Obuchowski's elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.areas import areas_under, estimate_area, estimate_areas, won
from cutis.stats.metrics import auc
from cutis.stats.resampling import clusters_of
from factories import some_predictions


def a_study(*, patients=60, seed=0, raters=2, most=4):
    """Scores of two raters, truth and patients; a patient may have both sides."""
    random = np.random.default_rng(seed)
    of_case = np.repeat(np.arange(patients), random.integers(1, most + 1, patients))
    positive = random.random(len(of_case)) < 0.4
    scores = random.normal(size=(raters, len(of_case))) + positive + random.normal(size=patients)[of_case]
    return scores.round(1), positive, of_case


def estimated(scores, positive, of_case, **how):
    clusters = clusters_of([f"{each:04}" for each in of_case], kind="patient")
    return estimate_area(scores, np.asarray(positive, dtype=bool), clusters, **how)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_the_area_is_that_of_the_weighted_measure(seed):
    """Ties count one half; and each case has won what it would add to the area."""
    scores, positive, of_case = a_study(seed=seed, patients=12)
    if positive.all() or not positive.any():
        return

    found = areas_under(scores, positive, of_case)

    for rater, score in enumerate(scores):
        assert found.values[rater] == pytest.approx(auc(score, positive, np.ones((1, len(score))))[0])
        wins = won(score, positive)
        assert wins[positive].mean() == pytest.approx(wins[~positive].mean())


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_with_one_case_per_patient_obuchowski_is_delong(seed):
    """Not nearly, but factor by factor: all her finite-sample factors become his."""
    scores, positive, of_case = a_study(seed=seed, patients=30, most=1)
    if min(positive.sum(), (~positive).sum()) < 2:
        return

    by_cluster, by_case = areas_under(scores, positive, of_case), areas_under(scores, positive)

    np.testing.assert_allclose(by_cluster.covariance, by_case.covariance, rtol=1e-12, atol=0)
    wins = [won(score, positive) for score in scores]
    delong = sum(np.cov([win[side] for win in wins]) / side.sum() for side in (positive, ~positive))
    np.testing.assert_allclose(by_case.covariance, delong, rtol=1e-12)


def test_more_pictures_of_the_same_patients_do_not_narrow_an_interval():
    """Every picture five times over is no more evidence than once; by case it would seem so."""
    scores, positive, of_case = a_study()
    often = np.tile(scores[0], 5), np.tile(positive, 5)

    once, again = estimated(scores[0], positive, of_case), estimated(*often, np.tile(of_case, 5))
    as_if_apart = estimated(*often, np.arange(5 * len(positive)))

    assert (again.value, again.low, again.high) == pytest.approx((once.value, once.low, once.high))
    assert as_if_apart.high - as_if_apart.low < 0.6 * (once.high - once.low)


def test_raters_who_say_the_same_do_not_differ():
    """The variance of their difference is nothing, since what is hard for both cancels out."""
    scores, positive, of_case = a_study()
    found = areas_under(np.stack([scores[0], scores[0]]), positive, of_case)

    assert found.variance(np.array([1.0, -1.0])) == pytest.approx(0, abs=1e-15)
    assert found.variance(np.array([1.0, 0.0])) > 0


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["logit", "plain"]))
def test_the_interval_is_the_same_seen_from_the_other_side(seed, scale):
    """Scores turned round give one less the area, with the ends exchanged; all within 0 and 1."""
    scores, positive, of_case = a_study(seed=seed)

    found, turned = (estimated(each, positive, of_case, scale=scale) for each in (scores[0], -scores[0]))

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (1 - turned.high, 1 - turned.low) == pytest.approx((found.low, found.high))


def test_degrees_of_freedom_count_patients_of_the_side_that_varies():
    """Satterthwaite's lie between the smaller side's and those of both."""
    scores, positive, of_case = a_study(patients=40)

    found = areas_under(scores, positive, of_case)
    freedom = found.degrees_of_freedom(np.array([1.0, 0.0]))

    sides = sorted((found.positive_clusters, found.negative_clusters))
    assert sides[0] - 1 <= freedom <= sum(sides) - 2


def test_the_plain_form_is_used_only_where_each_patient_has_one_case():
    """The method says which."""
    scores, positive, of_case = a_study()
    first = np.unique(of_case, return_index=True)[1]

    clustered = estimated(scores[0], positive, of_case)
    plain = estimated(scores[0][first], positive[first], of_case[first])

    assert (clustered.method, clustered.clusters) == ("Obuchowski, clustered by patient, logit", 60)
    assert (plain.method, plain.clusters) == ("DeLong, one case per patient, logit", 60)


def test_a_perfect_area_is_no_certainty():
    """No variance can be counted, so that no interval is claimed."""
    positive = np.arange(40) < 20

    found = estimated(positive.astype(float), positive, np.arange(40) // 2)

    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert found.note == "all clusters say the same; too near 1 for 10 patients with it to rely on the interval"


def test_too_few_patients_or_an_area_too_near_one_are_named():
    """Fewer than ten on a side; or so near to 1 that only few patients tell it from 1."""
    random = np.random.default_rng(3)
    few, many = np.arange(300) < 8, np.arange(300) < 100
    noise = random.normal(size=300)

    of_few = estimated(noise + few, few, np.arange(300), of_whom=("with c", "without c"))
    near_one = estimated(noise + 3.5 * many, many, np.arange(300), of_whom=("with c", "without c"))
    sound = estimated(noise + 1.8 * many, many, np.arange(300))

    assert of_few.note == "only 8 patients with c: too few to rely on the interval"
    assert near_one.note == "too near 1 for 100 patients with c to rely on the interval"
    assert sound.note == ""


@pytest.mark.parametrize(
    ("positive", "note"), [([0, 0, 0], "no patients with it"), ([1, 1, 1], "no patients without it")]
)
def test_an_area_needs_both_sides(positive, note):
    """None with a reason, never a number."""
    found = estimated(np.array([0.1, 0.2, 0.3]), positive, np.arange(3))

    assert found.value is None
    assert note in found.note


def test_one_patient_on_a_side_shows_no_spread():
    """There is an area, but nothing to tell how far it can be trusted."""
    found = estimated(np.array([0.9, 0.3, 0.5, 0.1]), [1, 1, 0, 0], np.array([0, 0, 1, 2]))

    assert found.value == 0.75
    assert (found.low, found.high) == (None, None)
    assert "only 1 patient with it" in found.note


def test_every_diagnosis_and_malignant_or_not_have_their_area():
    """Under the names of the measures."""
    predictions = some_predictions(cases=90)

    found = estimate_areas(predictions, malignant=np.array([False, True, True]))

    assert list(found) == ["auc/a", "auc/b", "auc/c", "malignant_auc"]
    assert found["malignant_auc"].value == pytest.approx(found["auc/a"].value)
    assert found["auc/a"].method == "Obuchowski, clustered by patient, logit"


def test_what_cannot_be_asked_is_refused():
    """No truth, or a scale that there is not."""
    with pytest.raises(ValueError, match="truth"):
        estimate_areas(replace(some_predictions(), truth=None))
    with pytest.raises(ValueError, match="none of logit, plain"):
        estimate_areas(some_predictions(), scale="probit")
