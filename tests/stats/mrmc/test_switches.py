"""Who changes his answer, and to what."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.mrmc.switches import MEANING, estimate_switches
from cutis.stats.mrmc.two_way import draw_rounds
from cutis.stats.resampling import clusters_of


def rounds_of(truth, readers):
    clusters = clusters_of([f"{number:05}" for number in range(len(truth))], truth, kind="case", diagnoses=3)
    return draw_rounds(clusters, readers=readers, generator=np.random.default_rng(1), rounds=200)


def test_every_switch_is_counted_where_it_belongs():
    """Six readings of one reader: helped, misled, resisted, followed too far, twice unmoved."""
    truth = np.array([0, 0, 0, 1, 1, 1])
    network = np.array([0, 1, 0, 0, 0, 1])
    unaided = np.array([[1, 0, 1, 1, 1, 1]])
    aided = np.array([[0, 1, 1, 0, 1, 1]])

    found = estimate_switches(truth, network, unaided, aided, rounds_of(truth, 1))

    assert set(found) == set(MEANING)
    values = {name: each.value for name, each in found.items()}
    assert values == pytest.approx(
        {
            "changed": 3 / 6,
            "helped": 1 / 2,  # wrong on cases 0 and 2, mended on 0
            "misled": 2 / 4,  # right on 1, 3, 4, 5, spoilt on 1 and 3
            "followed": 3 / 5,  # differed on 0 to 4, followed on 0, 1, 3
            "over_reliance": 2 / 3,  # right against a wrong network on 1, 3, 4
            "under_reliance": 1 / 2,  # wrong against a right network on 0 and 2
            "unaided_accuracy": 4 / 6,
            "aided_accuracy": 3 / 6,
            "gain": -1 / 6,
        }
    )


def test_the_intervals_know_readers_and_cases():
    """Each has one, and says of what it was drawn."""
    random = np.random.default_rng(0)
    truth = np.arange(90) % 3
    network = np.where(random.random(90) < 0.8, truth, 0)
    unaided = np.where(random.random((6, 90)) < 0.6, truth, random.integers(0, 3, (6, 90)))
    aided = np.where(random.random((6, 90)) < 0.5, network, unaided)

    found = estimate_switches(truth, network, unaided, aided, rounds_of(truth, 6))

    assert all(each.low < each.value < each.high for each in found.values())
    assert "two-way bootstrap" in found["gain"].method


def test_a_reading_that_is_missing_in_one_arm_does_not_count():
    """Only pairs can show a switch."""
    truth = np.array([0, 1])
    unaided, aided = np.array([[0, -1]]), np.array([[1, 1]])

    found = estimate_switches(truth, truth, unaided, aided, rounds_of(truth, 1))

    assert found["changed"].value == 1
    assert found["unaided_accuracy"].value == 1


def test_what_never_happened_has_no_share():
    """Nobody was wrong, so nobody could be helped."""
    truth = np.array([0, 1, 2, 0])
    said = truth[None]

    found = estimate_switches(truth, truth, said, said, rounds_of(truth, 1))

    assert found["helped"].value is None
