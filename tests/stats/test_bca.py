"""Quantiles are moved for bias and skewness, within strata as rounds are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats import resampling
from cutis.stats.bca import acceleration, accelerations, bca_levels
from cutis.stats.metrics import Measure, weighted_mean
from cutis.stats.resampling import clusters_of


def test_without_skewness_and_bias_bca_is_the_percentile_interval():
    """Levels of 2.5 and 97.5 %; rounds that equal the value count one half, so that a tie is no bias."""
    drawn = np.array([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0])

    assert bca_levels(0.0, drawn, acceleration=0.0) == pytest.approx((0.025, 0.975))
    assert bca_levels(0.0, -np.abs(drawn) - 1, acceleration=0.0) is None
    assert bca_levels(0.5, drawn, acceleration=0.0)[0] > 0.025


def test_a_patient_without_whom_a_figure_is_gone_is_left_out_of_the_acceleration():
    """As if that patient were not in its stratum."""
    with_gap = acceleration(np.array([1.0, 2.0, np.nan, 4.0, 9.0]), np.array([0, 0, 0, 0, 1]))
    without = acceleration(np.array([1.0, 2.0, 4.0, 9.0]), np.array([0, 0, 0, 1]))

    assert with_gap == without != 0
    assert acceleration(np.full(5, np.nan), np.zeros(5, dtype=np.int64)) == 0
    assert acceleration(np.zeros(0), np.zeros(0, dtype=np.int64)) == 0


def test_the_acceleration_knows_of_strata():
    """What lies between strata is no skewness: no round ever mixes them."""
    values = np.concatenate([np.arange(9.0), 100 + np.arange(21.0)])
    truth = np.repeat([0, 1], [9, 21])
    ids = [f"{n:02}" for n in range(30)]

    def figures(weights):
        return {Measure(None, "mean"): weighted_mean(values, weights)}

    together = clusters_of(ids, kind="patient")
    apart = clusters_of(ids, truth, kind="patient", diagnoses=2)

    assert accelerations(figures, apart)[Measure(None, "mean")] == pytest.approx(0, abs=1e-9)
    assert abs(accelerations(figures, together)[Measure(None, "mean")]) > 0.01


def test_of_very_many_patients_the_acceleration_is_about_the_same(monkeypatch):
    """Several left out together keep the skewness of the sum, but for chance."""
    values = np.random.default_rng(0).exponential(size=3000)
    clusters = clusters_of([f"{n:04}" for n in range(3000)], kind="patient")

    def figures(weights):
        return {Measure(None, "mean"): weighted_mean(values, weights)}

    grouped = accelerations(figures, clusters)[Measure(None, "mean")]
    monkeypatch.setattr(resampling.parts_of, "__kwdefaults__", {"most": 3000})
    one_by_one = accelerations(figures, clusters)[Measure(None, "mean")]

    assert one_by_one == pytest.approx(2 / 6 / np.sqrt(3000), rel=0.15)
    assert grouped == pytest.approx(one_by_one, abs=0.001)
