"""Resampling of readers and cases doubts both."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.mrmc.two_way import draw_rounds, estimate_share_of_readings
from cutis.stats.resampling import clusters_of


def each_its_own(cases, truth=None, kinds=1):
    return clusters_of([f"{number:05}" for number in range(cases)], truth, kind="case", diagnoses=kinds)


def rounds_of(cases, readers, *, clusters=None, rounds=2000, **options):
    return draw_rounds(
        clusters or each_its_own(cases),
        readers=readers,
        generator=np.random.default_rng(0),
        rounds=rounds,
        **options,
    )


def test_few_readers_are_not_made_up_for_by_many_cases():
    """Where all the spread is between readers, the interval is that of a mean of ten readers, whatever the cases."""
    skill = np.linspace(0.3, 0.9, 10)

    widths = []
    for cases in (100, 1000):
        right = np.arange(cases) < (skill * cases)[:, None]
        right = np.stack([np.random.default_rng(reader).permutation(row) for reader, row in enumerate(right)])
        found = estimate_share_of_readings(right, np.ones_like(right), rounds_of(cases, 10))
        widths.append(found.high - found.low)

    spread = 2 * 1.96 * skill.std(ddof=1) / np.sqrt(10)
    assert widths[1] == pytest.approx(spread, rel=0.1)
    assert widths[0] > widths[1]


def test_fixed_readers_leave_the_doubt_of_the_cases():
    """All readers say the same: whether they are drawn or not, the interval is that of the cases."""
    right = np.tile(np.random.default_rng(1).random(200) < 0.8, (7, 1))

    fixed, drawn = (
        estimate_share_of_readings(right, np.ones_like(right), rounds_of(200, 7, readers_are_random=random))
        for random in (False, True)
    )

    assert (fixed.low, fixed.high) == pytest.approx((drawn.low, drawn.high))
    assert "readers fixed" in fixed.method
    assert "7 readers" in drawn.method


def test_pictures_of_a_patient_are_drawn_together():
    """Every case twice in one patient: about the interval of every case once."""
    right = np.random.default_rng(2).random((5, 150)) < 0.7
    patients = clusters_of([f"{number // 2:05}" for number in range(300)], kind="patient")

    once = estimate_share_of_readings(right, np.ones_like(right), rounds_of(150, 5))
    twice = estimate_share_of_readings(
        np.repeat(right, 2, axis=1), np.ones((5, 300), dtype=bool), rounds_of(300, 5, clusters=patients)
    )

    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.1)
    assert twice.cluster_kind == "patient"


def test_a_single_reader_says_so():
    """He stands for nobody else."""
    right = np.random.default_rng(3).random((1, 90)) < 0.7

    found = estimate_share_of_readings(right, np.ones_like(right), rounds_of(90, 1))

    assert "one reader" in found.note
    assert found.low is not None


@pytest.mark.parametrize("readers", [3, 12])
def test_the_interval_holds_the_truth_as_often_as_promised_or_more(readers):
    """150 studies of readers and cases that both vary: nine in ten intervals, or more, hold the expected share."""
    held = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        latent = 0.5 * random.normal(size=(readers, 1)) + random.normal(size=80) + random.normal(size=(readers, 80))
        right = latent > -1.5  # expected: Φ(1.5 / 1.5)
        found = estimate_share_of_readings(right, np.ones_like(right), rounds_of(80, readers, rounds=400))
        held += found.low <= 0.841345 <= found.high

    assert held >= 0.88 * 150
