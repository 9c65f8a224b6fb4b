"""The network read off where the mean reader stands."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from cutis.stats.mrmc.operating import estimate_at_mean_reader
from cutis.stats.mrmc.two_way import draw_rounds
from cutis.stats.resampling import clusters_of


def a_study(*, readers=5, cases=200, seed=0, digits=8):
    random = np.random.default_rng(seed)
    positive = np.arange(cases) % 2 == 0
    scores = np.round(positive * 1.5 + random.normal(size=cases), digits)
    flagged = (positive + random.normal(size=(readers, cases)) > 0.7).astype(float)
    clusters = clusters_of([f"{number:05}" for number in range(cases)], positive.astype(int), kind="case", diagnoses=2)
    rounds = draw_rounds(clusters, readers=readers, generator=np.random.default_rng(1), rounds=400)
    return positive, scores, flagged, rounds


@pytest.mark.parametrize("digits", [8, 0])
def test_it_is_read_off_the_curve_of_scikit_learn(digits):
    """Straight lines between thresholds, also where scores tie."""
    positive, scores, flagged, rounds = a_study(digits=digits)

    found = estimate_at_mean_reader(positive, scores, flagged, rounds)

    false, caught, _ = roc_curve(positive, scores, drop_intermediate=False)
    specificity = (flagged[:, ~positive] == 0).mean()
    sensitivity = (flagged[:, positive] == 1).mean()
    assert found.specificity.value == pytest.approx(specificity)
    assert found.network_sensitivity.value == pytest.approx(np.interp(1 - specificity, false, caught), abs=0.011)
    assert found.network_specificity.value == pytest.approx(1 - np.interp(sensitivity, caught, false), abs=0.011)
    gain = found.network_sensitivity.value - sensitivity
    assert found.gained_sensitivity.value == pytest.approx(gain)


def test_where_the_curve_is_upright_its_upper_end_is_read():
    """A network that tells all apart has full sensitivity at any specificity, and the reverse."""
    positive, _, flagged, rounds = a_study()

    found = estimate_at_mean_reader(positive, positive.astype(float), flagged, rounds)

    assert found.network_sensitivity.value == 1
    assert found.network_specificity.value == 1


def test_the_choice_is_doubted_too():
    """The interval is wider than that of the sensitivity at a threshold that was fixed beforehand."""
    positive, scores, flagged, rounds = a_study()

    found = estimate_at_mean_reader(positive, scores, flagged, rounds).network_sensitivity

    fixed = np.sqrt(found.value * (1 - found.value) / 100) * 2 * 1.96
    assert found.high - found.low > fixed


def test_gaps_are_left_out():
    """A reader counts with what he read."""
    positive, scores, flagged, rounds = a_study()
    flagged[0, :50] = np.nan

    found = estimate_at_mean_reader(positive, scores, flagged, rounds)

    read = ~np.isnan(flagged) & positive
    assert found.sensitivity.value == pytest.approx(np.nansum(np.where(read, flagged, 0)) / read.sum())
