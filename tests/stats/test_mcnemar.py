"""Who is right where the other is wrong: patient by patient. Published numbers stand in tests/reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.mcnemar import FEWEST_DISCORDANT, exact_p, mcnemar
from cutis.stats.resampling import clusters_of


def of_patients(surplus, *, others=0, **how):
    """Patients whose images only one rater has right: +2, two that the other has; and patients both are right on."""
    patient, reference, other = [], [], []
    for number, each in enumerate([*surplus, *[0] * others]):
        images = abs(each) or 1
        patient += [f"patient{number:04d}"] * images
        reference += [each <= 0] * images
        other += [each >= 0] * images
    return mcnemar(np.array(reference), np.array(other), clusters=clusters_of(patient, kind="patient"), **how)


@pytest.mark.parametrize(
    ("surplus", "method"),
    [
        ([1] * (FEWEST_DISCORDANT - 1), "McNemar, exact binomial"),
        ([1] * FEWEST_DISCORDANT, "McNemar, chi-square"),
        ([2] + [1] * (FEWEST_DISCORDANT - 2), "McNemar by cluster, exact, raters exchanged"),
        ([2] + [1] * (FEWEST_DISCORDANT - 1), "McNemar by cluster, Obuchowski, chi-square"),
    ],
)
def test_few_patients_are_tested_exactly_and_many_by_a_distribution(surplus, method):
    """And patients with several images by a test that knows it."""
    assert of_patients(surplus, others=50).method == method


def test_images_of_one_patient_are_no_independent_witnesses():
    """Fourteen images of one patient and one each of seven others: the plain test would believe one patient."""
    found = of_patients([14, 1, 1, 1, -1, -1, -1, -1], others=40)

    plain = of_patients([1] * 17 + [-1] * 4, others=40)
    assert (found.only_other, found.only_reference) == (plain.only_other, plain.only_reference) == (17, 4)
    assert plain.p < 0.01
    assert found.p > 0.7


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=60).filter(any))
def test_the_raters_may_change_places(surplus):
    """Both sides of the table and the sign change; the p does not."""
    found, turned = of_patients(surplus), of_patients([-each for each in surplus])

    assert (found.only_reference, found.only_other) == (turned.only_other, turned.only_reference)
    assert (found.p, found.statistic) == (turned.p, turned.statistic)
    assert 0 <= found.p <= 1


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=60).filter(any))
def test_patients_on_whom_both_agree_change_nothing_in_an_exact_test(surplus):
    """Only the discordant speak."""
    assert exact_p(np.array(surplus)) == exact_p(np.array([*surplus, 0, 0]))


def test_only_the_cases_that_count_are_tested():
    """Such as those with a diagnosis, for its sensitivity; patients without one do not count as clusters either."""
    right, wrong = np.ones(8, bool), np.zeros(8, bool)
    patients = clusters_of([f"patient{n}" for n in (0, 0, 1, 1, 2, 2, 3, 3)], kind="patient")

    found = mcnemar(wrong, right, clusters=patients, among=np.arange(8) % 4 == 0)

    assert (found.only_other, found.clusters, found.method) == (2, 2, "McNemar, exact binomial")


@pytest.mark.parametrize(
    ("surplus", "among", "note"),
    [
        ([0, 0, 0], None, "right on the same cases"),
        ([3], None, "only one patient"),
        ([1, -1], np.zeros(2, bool), "no case of this kind"),
    ],
)
def test_where_nothing_can_be_tested_there_is_no_p(surplus, among, note):
    """None, with the reason."""
    found = of_patients(surplus, among=among)

    assert (found.p, found.statistic, found.method, found.note) == (None, None, "none", note)


def test_cases_that_even_out_within_each_patient_are_nothing_to_test():
    """One image for the one and one for the other, in every patient."""
    reference = np.array([True, False, True, False])
    patients = clusters_of(["a", "a", "b", "b"], kind="patient")

    found = mcnemar(reference, ~reference, clusters=patients)

    assert (found.p, found.note) == (None, "within each patient, the cases that only one has right even out")


def test_no_correction_for_continuity_where_a_patient_has_several_images():
    """It is one of single cases: asking for it is our own mistake."""
    with pytest.raises(ValueError, match="single cases"):
        of_patients([2, 1, -1], test="chi-square, corrected")


def test_other_lengths_are_our_own_mistake():
    """Two raters have answered for the same cases."""
    with pytest.raises(ValueError, match="same cases"):
        mcnemar(np.ones(3, bool), np.ones(2, bool), clusters=clusters_of(["a", "b", "c"], kind="patient"))
