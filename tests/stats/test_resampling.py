"""Patients are drawn and left out with all their cases, within strata, and no round lacks a diagnosis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.resampling import clusters_of, leave_out, parts_of, resample
from cutis.vocabulary.chance import chance


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 5)), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_no_round_lacks_a_diagnosis_or_splits_a_patient(cases, seed):
    """Whatever patients have: all their cases are drawn alike, and every diagnosis of the test is in every round."""
    patients, truth = np.array(cases).T
    clusters = clusters_of([str(patient) for patient in patients], truth, kind="patient", diagnoses=6)

    weights = np.concatenate(list(resample(clusters, rounds=150, generator=chance(seed, "test"))))

    assert weights.shape == (150, len(cases))
    for patient in np.unique(patients):
        of_patient = weights[:, patients == patient]
        assert (of_patient == of_patient[:, :1]).all()
    for diagnosis in np.unique(truth):
        assert (weights[:, truth == diagnosis].sum(axis=1) > 0).all()


def test_a_patient_belongs_to_the_stratum_of_the_rarest_diagnosis():
    """Rarity is counted in patients; each stratum gives as many draws as it has patients."""
    ids = ("p1", "p1", "p2", "p2", "p3", "p4", "p5")
    truth = np.array([0, 1, 0, 0, 0, 1, 2])

    clusters = clusters_of(ids, truth, kind="patient", diagnoses=3)
    weights = np.concatenate(list(resample(clusters, rounds=200, generator=chance(0, "test"))))

    assert clusters.strata.tolist() == [1, 0, 0, 1, 2]
    np.testing.assert_array_equal(weights[:, [0, 5]].sum(axis=1), 2)
    np.testing.assert_array_equal(weights[:, [2, 4]].sum(axis=1), 2)
    np.testing.assert_array_equal(weights[:, 6], 1)


def left_out(clusters, **how):
    parts = parts_of(clusters, **how)
    return parts, np.concatenate(list(leave_out(clusters, parts)))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=2, max_size=60))
def test_each_patient_is_left_out_once_and_the_stratum_keeps_its_share(cases):
    """Whatever patients have: the others of the stratum weigh more, by just what is gone; other strata stay."""
    patients, truth = np.array(cases).T
    clusters = clusters_of([str(patient) for patient in patients], truth, kind="patient", diagnoses=4)
    of_stratum = np.bincount(clusters.strata)
    several = of_stratum[clusters.strata] > 1
    if not several.any():
        return

    parts, weights = left_out(clusters)

    assert (parts >= 0).tolist() == several.tolist()
    assert len(weights) == several.sum()
    of_cluster = np.array([weights[:, clusters.of_case == cluster][:, 0] for cluster in range(len(clusters))]).T
    np.testing.assert_allclose(weights, of_cluster[:, clusters.of_case])
    for stratum in np.unique(clusters.strata):
        np.testing.assert_allclose(of_cluster[:, clusters.strata == stratum].sum(axis=1), of_stratum[stratum])
    for cluster, part in enumerate(parts):
        assert part < 0 or np.flatnonzero(of_cluster[part] == 0).tolist() == [cluster]


def test_the_only_patient_of_a_stratum_is_never_left_out():
    """No round of resampling is without that patient, so that leaving it out would measure what never happens."""
    clusters = clusters_of(("p1", "p2", "p3"), np.array([0, 0, 1]), kind="patient", diagnoses=2)

    parts, weights = left_out(clusters)

    assert parts.tolist() == [0, 1, -1]
    np.testing.assert_array_equal(weights, [[0, 2, 1], [2, 0, 1]])


def test_one_patient_leaves_nothing_to_leave_out():
    """There is no row at all."""
    clusters = clusters_of(("p1", "p1"), kind="patient")

    parts = parts_of(clusters)

    assert parts.tolist() == [-1]
    assert list(leave_out(clusters, parts)) == []


def test_of_very_many_patients_several_are_left_out_together():
    """Small strata still one by one, and no part mixes strata, so that time grows with the cases alone."""
    truth = np.array([0] * 500 + [1] * 7)
    clusters = clusters_of([f"{n:03}" for n in range(507)], truth, kind="patient", diagnoses=2)

    parts, weights = left_out(clusters, most=100)

    assert len(weights) == 50 + 7
    assert np.bincount(parts).tolist() == [10] * 50 + [1] * 7
    np.testing.assert_allclose(weights.sum(axis=1), 507)
    assert (parts[truth == 1] >= 50).all()


def test_blocks_of_parts_follow_each_other():
    """However many there are, each row is the part of its number."""
    clusters = clusters_of([f"{n:03}" for n in range(230)], kind="patient")

    parts, weights = left_out(clusters)

    assert weights.argmin(axis=1).tolist() == list(range(230))
    assert parts.tolist() == list(range(230))


def test_rounds_are_those_of_the_chance_that_is_handed_in():
    """The same generator, the same rounds; every round has as many draws as there are patients."""
    clusters = clusters_of([f"{n:03}" for n in range(20)], np.arange(20) % 3, kind="patient", diagnoses=3)

    first, second = (
        np.concatenate(list(resample(clusters, rounds=130, generator=chance(1, "test")))) for _ in range(2)
    )

    np.testing.assert_array_equal(first, second)
    assert first.sum(axis=1) == pytest.approx(20)
