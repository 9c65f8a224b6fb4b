"""The mean reader beside the network, by diagnosis."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from cutis.stats.mrmc.pooled import estimate_readers
from cutis.stats.mrmc.two_way import draw_rounds
from cutis.stats.resampling import clusters_of

CODES = ("MEL", "NV", "BCC")
NONE_OF_THESE = 3


def a_study(*, readers=6, cases=90, skill=0.7, seed=0):
    random = np.random.default_rng(seed)
    truth = np.arange(cases) % 3
    said = np.where(random.random((readers, cases)) < skill, truth, random.integers(0, 4, (readers, cases)))
    network = np.where(random.random(cases) < 0.85, truth, 0)
    clusters = clusters_of([f"{number:05}" for number in range(cases)], truth, kind="case", diagnoses=3)
    rounds = draw_rounds(clusters, readers=readers, generator=np.random.default_rng(1), rounds=300)
    return truth, said, network, rounds


def test_the_figures_of_the_mean_reader_are_means_over_readers():
    """Sensitivity, specificity, accuracy and balanced accuracy, as scikit-learn has them for each reader."""
    truth, said, _, rounds = a_study()

    found = estimate_readers(truth, said, rounds, codes=CODES).mean_reader

    assert found["accuracy"].value == pytest.approx((said == truth).mean())
    assert found["sensitivity/MEL"].value == pytest.approx((said[:, truth == 0] == 0).mean())
    assert found["specificity/BCC"].value == pytest.approx((said[:, truth != 2] != 2).mean())
    with pytest.warns(UserWarning, match="y_pred contains classes"):
        each = [balanced_accuracy_score(truth, row) for row in said]
    assert found["balanced_accuracy"].value == pytest.approx(np.mean(each))


def test_all_called_one_diagnosis_is_balanced_by_diagnosis():
    """Truth MEL, NV, MEL, MEL, all called MEL: 0.5, as ISIC scores it."""
    truth = np.array([0, 1, 0, 0])
    clusters = clusters_of(["a", "b", "c", "d"], truth, kind="case", diagnoses=3)
    rounds = draw_rounds(clusters, readers=1, generator=np.random.default_rng(0), rounds=20)

    found = estimate_readers(truth, np.zeros((1, 4), dtype=int), rounds, codes=CODES)

    assert found.mean_reader["balanced_accuracy"].value == 0.5


def test_the_network_stands_beside_them_in_the_same_rounds():
    """A network that says what the only reader says differs from him in no round."""
    truth, said, _, _ = a_study(readers=1)
    clusters = clusters_of([f"{number:05}" for number in range(90)], truth, kind="case", diagnoses=3)
    rounds = draw_rounds(clusters, readers=1, generator=np.random.default_rng(1), rounds=100)

    found = estimate_readers(truth, said, rounds, codes=CODES, network=said[0])

    assert found.difference["accuracy"].value == 0
    assert found.difference["accuracy"].low is None
    assert found.outperformed["accuracy"].value == 0.5


def test_the_share_of_readers_that_the_network_outperforms_counts_ties_as_half():
    """Of four readers it is above two and level with one."""
    truth = np.zeros(10, dtype=int)
    network = np.array([0] * 8 + [1] * 2)
    said = np.stack([np.where(np.arange(10) < right, 0, 1) for right in (5, 7, 8, 10)])
    clusters = clusters_of([f"{number}" for number in range(10)], truth, kind="case", diagnoses=3)
    rounds = draw_rounds(clusters, readers=4, generator=np.random.default_rng(0), rounds=200)

    found = estimate_readers(truth, said, rounds, codes=CODES, network=network).outperformed["accuracy"]

    assert found.value == 0.625
    assert found.low < 0.625 < found.high


def test_each_reader_is_held_against_the_network_on_his_own_cases():
    """A reader of easy cases alone does not thereby outdo a network that has them all right too."""
    truth = np.zeros(20, dtype=int)
    network = np.array([0] * 10 + [1] * 10)
    said = np.full((2, 20), -1)
    said[0, :10], said[1] = np.array([0] * 9 + [1]), 1
    clusters = clusters_of([f"{number:02}" for number in range(20)], truth, kind="case", diagnoses=3)
    rounds = draw_rounds(clusters, readers=2, generator=np.random.default_rng(0), rounds=50)

    found = estimate_readers(truth, said, rounds, codes=CODES, network=network)

    assert found.outperformed["accuracy"].value == 1.0
    assert found.mean_reader["accuracy"].value == pytest.approx(9 / 30)


def test_a_diagnosis_that_no_case_has_is_not_invented():
    """It has no sensitivity, and balanced accuracy is over those that are there."""
    truth, said, network, _ = a_study()
    truth = truth % 2
    clusters = clusters_of([f"{number:05}" for number in range(90)], truth, kind="case", diagnoses=3)
    rounds = draw_rounds(clusters, readers=6, generator=np.random.default_rng(1), rounds=50)

    found = estimate_readers(truth, said, rounds, codes=CODES, network=network)

    assert "sensitivity/BCC" not in found.mean_reader
    assert found.mean_reader["balanced_accuracy"].value is not None
