"""Paired tests and their correction, held to published numbers and to statsmodels.

Agresti's table is that of approval in two surveys (Categorical Data Analysis, 2002, table 10.1). The clustered pairs
are those that the clustered tests are compared on in the literature: psychiatrists and their patients (Petryshen and
Petryshen 1989), and thyroid glands in two kinds of scan (Obuchowski 1998). Durkalski et al. (Statistics in Medicine
22:2417, 2003) print Obuchowski's statistic of both; the R package clust.bin.pair has the data.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ztost

from cutis.stats.comparisons import holm
from cutis.stats.hypotheses import judge
from cutis.stats.mcnemar import clustered_chi_square, exact_p, mcnemar
from cutis.stats.paired_areas import compare_areas, wald
from cutis.stats.resampling import clusters_of

APPROVAL = [[794, 86], [150, 570]]
PATIENT_ALONE = [0, 1, 1, 1, 0, 3, 3, 3, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0]
PSYCHIATRIST_ALONE = [4, 2, 3, 2, 1, 3, 0, 2, 2, 4, 2, 4, 3, 2, 1, 3, 1, 2, 0, 0, 0, 2, 1, 2, 2, 0, 0, 1, 1]
# Each string is a person, each digit a gland: found or not.
PET = "000 110 111 1 110 1111 111 11 11 1 110 11 111 11 00 110 110 110 11 1 11"
SPECT = "011 111 111 1 111 1111 111 11 10 1 110 11 111 11 11 110 110 111 11 1 11"


def of_table(table, **how):
    """Two raters with this table of right and wrong, one case per patient."""
    counts = np.array(table).ravel()
    reference, other = np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)
    patients = clusters_of([f"patient{n}" for n in range(counts.sum())], kind="patient")
    return mcnemar(reference, other, clusters=patients, **how)


def test_mcnemar_is_the_published_one():
    """Agresti prints z = 4.17; its square is 17.356."""
    found = of_table(APPROVAL)

    assert found.statistic == pytest.approx(17.356, abs=5e-4)
    assert (found.only_reference, found.only_other, found.method) == (86, 150, "McNemar, chi-square")


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=4, max_size=4).filter(lambda counts: counts[1] + counts[2] > 0))
def test_every_form_of_mcnemar_is_that_of_statsmodels(counts):
    """Exact, with and without the correction for continuity; the correction never overshoots the difference."""
    table = np.array(counts).reshape(2, 2)
    if table.sum() < 2:
        return

    plain = of_table(table, test="chi-square")
    exact = of_table(table, test="exact")

    theirs = mcnemar_of_statsmodels(table, exact=False, correction=False)
    assert (plain.statistic, plain.p) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-9)
    assert exact.p == pytest.approx(mcnemar_of_statsmodels(table, exact=True).pvalue, abs=1e-9)
    if counts[1] != counts[2]:  # statsmodels corrects a difference of 0 to 1
        corrected = of_table(table, test="chi-square, corrected")
        theirs = mcnemar_of_statsmodels(table, exact=False, correction=True)
        assert (corrected.statistic, corrected.p) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-9)


def test_the_clustered_statistic_is_the_published_one():
    """7.19 for 29 psychiatrists, 2.86 for 21 persons with thyroid glands."""
    psychiatrists = np.subtract(PSYCHIATRIST_ALONE, PATIENT_ALONE)
    persons = [
        zip(map(int, pet), map(int, spect), strict=True) for pet, spect in zip(PET.split(), SPECT.split(), strict=True)
    ]
    glands = np.array([sum(spect - pet for pet, spect in person) for person in persons])

    assert clustered_chi_square(psychiatrists) == pytest.approx(7.19, abs=5e-3)
    assert clustered_chi_square(glands) == pytest.approx(2.86, abs=5e-3)


@settings(deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=80).filter(any))
def test_clusters_of_one_case_give_mcnemars_statistic_times_a_known_factor(surplus):
    """(C − 1) / C, and the exact test is the binomial one."""
    surplus = np.array(surplus)
    up, down = int((surplus > 0).sum()), int((surplus < 0).sum())

    clustered, exact = clustered_chi_square(surplus), exact_p(surplus)

    factor = (len(surplus) - 1) / len(surplus)
    theirs = mcnemar_of_statsmodels([[0, down], [up, 0]], exact=False, correction=False).statistic
    assert clustered == pytest.approx(factor * theirs, abs=1e-9)
    assert exact == pytest.approx(stats.binomtest(up, up + down).pvalue, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-4, 4), min_size=2, max_size=10).filter(any))
def test_the_exact_clustered_test_is_a_permutation_test_of_scipy(surplus):
    """All the ways to exchange the raters within patients, written out."""
    surplus = np.array(surplus)

    theirs = stats.permutation_test((surplus,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert exact_p(surplus) == pytest.approx(theirs.pvalue, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values):
    """The adjusted p of each, in its own place; ties and all."""
    named = {f"endpoint {n}": p for n, p in enumerate(p_values)}

    adjusted = holm(named)

    theirs = multipletests(p_values, method="holm")[1]
    assert list(adjusted.values()) == pytest.approx(list(theirs), abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(-0.5, 0.5), st.floats(0.05, 1.0))
def test_two_one_sided_tests_are_those_of_statsmodels(seed, shift, margin):
    """With an interval of value ± z · standard error, p is that of the two z-tests, and the verdict follows it."""
    sample = np.random.default_rng(seed).normal(shift, size=40)
    error = sample.std(ddof=1) / np.sqrt(40)

    difference = wald(sample.mean(), error, level=0.90, method="z", clusters=40, cluster_kind="patient")
    verdict = judge(difference, hypothesis="equivalence", margin=margin)

    p, _, _ = ztost(sample, -margin, margin)
    assert verdict.p == pytest.approx(p, abs=1e-9)
    assert verdict.shown == (p < 0.05)


@pytest.mark.parametrize(("hypothesis", "bound"), [("superiority", 0.05), ("non-inferiority", -0.05)])
def test_one_sided_tests_are_those_of_scipy(hypothesis, bound):
    """The upper tail of the normal distribution at the margin; shown where it is below 2.5 %."""
    for value in np.linspace(-0.2, 0.2, 41):
        difference = wald(value, 0.03, method="z", clusters=40, cluster_kind="patient")

        verdict = judge(difference, hypothesis=hypothesis, margin=0.05)

        p = stats.norm.sf((value - bound) / 0.03)
        assert verdict.p == pytest.approx(p, abs=1e-12)
        assert verdict.shown == (p < 0.025)


def test_the_paired_test_of_areas_is_a_naive_delong():
    """Areas and their covariance by loops over pairs of cases; z and p by scipy."""
    random = np.random.default_rng(3)
    sick, well = random.normal(1, 1, (2, 30)), random.normal(0, 1, (2, 50))
    sick[1] += 0.5 * sick[0]
    wins = (sick[:, :, None] > well[:, None, :]).astype(float)  # (raters, sick, well)
    areas, by_sick, by_well = wins.mean(axis=(1, 2)), wins.mean(axis=2), wins.mean(axis=1)
    covariance = np.cov(by_sick) / 30 + np.cov(by_well) / 50

    (found,) = compare_areas(areas, covariance, clusters=80, cluster_kind="patient")

    # The two parts are means of independent patients, so that the differences by patient say the same.
    each = (by_sick[1] - by_sick[0]).var(ddof=1) / 30 + (by_well[1] - by_well[0]).var(ddof=1) / 50
    z = (areas[1] - areas[0]) / np.sqrt(each)
    assert (found.z, found.p) == pytest.approx((z, 2 * stats.norm.sf(abs(z))), abs=1e-9)
    low, high = stats.norm.interval(0.95, areas[1] - areas[0], np.sqrt(each))
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), abs=1e-9)


def test_only_the_test_by_patient_keeps_its_word_where_images_of_a_patient_agree():
    """Two equal raters, 60 patients of four images each: the plain test rejects far too often."""
    random = np.random.default_rng(5)
    patients = clusters_of([f"patient{n // 4:02d}" for n in range(240)], kind="patient")
    images = clusters_of([f"image{n:03d}" for n in range(240)], kind="image")
    rejected = np.zeros(3)

    for _ in range(500):
        leaning = np.repeat(random.choice([0.05, 0.3, 0.55], 60), 4)  # how probably the first alone is right
        drawn = random.random(240)
        first, second = drawn < 0.4 + leaning, (drawn < 0.4) | (drawn >= 0.4 + leaning)
        found = [
            mcnemar(first, second, clusters=images),
            mcnemar(first, second, clusters=patients),
            mcnemar(first, second, clusters=patients, test="exact"),
        ]
        rejected += [each.p < 0.05 for each in found]

    plain, by_patient, exact = rejected / 500
    assert plain > 0.12
    assert 0.03 < by_patient < 0.07
    assert 0.02 < exact < 0.07
