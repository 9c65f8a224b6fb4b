"""Intervals of agreement know readers and cases."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.rater_agreement import COEFFICIENTS, estimate_agreement, estimate_mean_kappa
from cutis.stats.resampling import clusters_of

KINDS = 4


def some_labels(*, readers=6, cases=80, seed=0, kinds=KINDS):
    """Readers who are right seven times in ten."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, kinds, cases)
    return np.where(random.random((readers, cases)) < 0.7, truth, random.integers(0, kinds, (readers, cases)))


def each_its_own(cases):
    return clusters_of([f"{number:04}" for number in range(cases)], kind="case")


@pytest.mark.parametrize(("coefficient", "error"), [("fleiss_kappa", 0.15302), ("gwet_ac1", 0.14295)])
def test_over_cases_alone_the_interval_is_near_that_of_irrcac(coefficient, error):
    """Its standard errors for Krippendorff's data, by a formula, are those of the jackknife within a seventh."""
    labels = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    )

    found = estimate_agreement(labels - 1, each_its_own(12), kinds=5, coefficient=coefficient, readers_are_random=False)

    half = 2.2009852  # Student's quantile with eleven degrees of freedom
    assert (found.value - found.low) / half == pytest.approx(error, rel=1 / 7)


def test_of_a_plain_share_the_jackknife_is_the_usual_error():
    """How often two readers say the same is a mean over cases, and so is its standard error."""
    labels = some_labels(readers=2)
    same = labels[0] == labels[1]

    found = estimate_agreement(labels, each_its_own(80), kinds=KINDS, coefficient="agreement", readers_are_random=False)

    half = 1.99045  # Student's quantile with 79 degrees of freedom
    assert (found.value - found.low) / half == pytest.approx(same.std(ddof=1) / np.sqrt(80), rel=1e-4)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_other_readers_widen_the_interval(coefficient):
    """Every coefficient has an interval around its value, wider where readers are random too."""
    labels = some_labels()

    these, others = (
        estimate_agreement(labels, each_its_own(80), kinds=KINDS, coefficient=coefficient, readers_are_random=random)
        for random in (False, True)
    )

    assert others.low < others.value < others.high
    assert others.high - others.low > these.high - these.low
    assert "jackknife over readers and cases" in others.method


def test_the_interval_covers_the_agreement_of_all_readers():
    """Of 150 studies of eight readers and 60 cases, nine in ten or more hold what two hundred readers have."""

    def study(readers, cases, seed):
        random = np.random.default_rng(seed)
        truth, skill = random.integers(0, 3, cases), random.beta(6, 3, (readers, 1))
        right = random.random((readers, cases)) < skill
        return np.where(right, truth, random.integers(0, 3, (readers, cases)))

    large = estimate_agreement(study(200, 400, 0), each_its_own(400), kinds=3, readers_are_random=False).value
    held = 0
    for seed in range(150):
        found = estimate_agreement(study(8, 60, seed + 1), each_its_own(60), kinds=3)
        held += found.low <= large <= found.high

    assert held >= 135


def test_two_readers_have_an_interval_over_cases():
    """None can be left out, and the note says so."""
    found = estimate_agreement(some_labels(readers=2), each_its_own(80), kinds=KINDS)

    assert found.low is not None
    assert "over cases alone" in found.note


def test_pictures_of_one_patient_are_left_out_together():
    """Every case twice in one patient: the same interval as every case once."""
    labels = some_labels(cases=40)
    patients = clusters_of([f"{number // 2:04}" for number in range(80)], kind="patient")

    once = estimate_agreement(labels, each_its_own(40), kinds=KINDS)
    twice = estimate_agreement(np.repeat(labels, 2, axis=1), patients, kinds=KINDS)

    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert twice.clusters == 40


def test_readers_are_held_against_their_own_second_reading():
    """The mean of their kappas; a reader who always says the same has none, and is named."""
    first = some_labels(readers=5)
    second = np.where(np.random.default_rng(9).random(first.shape) < 0.8, first, 0)
    first[4] = second[4] = 0

    found = estimate_mean_kappa(first, second, each_its_own(80), kinds=KINDS)

    assert 0.5 < found.value < 0.95
    assert found.low < found.value < found.high
    assert "1 readers have no kappa" in found.note


def test_a_network_is_held_against_each_reader():
    """One row stands for all."""
    labels = some_labels()
    network = labels[0]

    found = estimate_mean_kappa(network, labels[1:], each_its_own(80), kinds=KINDS)
    each = estimate_mean_kappa(np.tile(network, (5, 1)), labels[1:], each_its_own(80), kinds=KINDS)

    assert found == each


def test_agreement_by_chance_alone_is_not_invented():
    """All say the same of everything: no value, and a reason."""
    found = estimate_agreement(np.zeros((4, 10), dtype=int), each_its_own(10), kinds=2)

    assert found.value is None
    assert "chance" in found.note


def test_an_unknown_coefficient_is_refused():
    """The known ones are named."""
    with pytest.raises(ValueError, match="gwet_ac1"):
        estimate_agreement(some_labels(), each_its_own(80), kinds=KINDS, coefficient="tau")


def test_two_repeated_cases_are_too_few_and_not_a_warning():
    """Leaving out one of them may leave nothing to compare; what is left is told without an interval, or with one."""
    first = np.array([[0, 1], [0, 1]])

    found = estimate_mean_kappa(first, first, each_its_own(2), kinds=2)

    assert found.value == 1.0
    assert found.low is None
