"""What changed is found, what did not is not, and nobody can be read out of the bins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact, ks_2samp
from statsmodels.stats.proportion import confint_proportions_2indep

from cutis.stats.drift import (
    binned,
    counts_in,
    distance_change,
    greatest_distance,
    index_change,
    share_change,
    stability_index,
)

UNCHANGED = np.full(10, 0.1)
CHANGED = np.array([4, 4, 4, 6, 8, 10, 12, 14, 18, 20]) / 100


def drawn(shares, count, *, seed=0):
    return np.random.default_rng(seed).multinomial(count, shares)


def asked(change, recent, reference, *, seed=0):
    return change(
        np.asarray(recent), np.asarray(reference), cluster_kind="patient", generator=np.random.default_rng(seed)
    )


@given(
    st.lists(st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 1.0, 270000.0]), min_size=8, max_size=200),
    st.integers(2, 8),
)
def test_no_bin_tells_of_fewer_than_it_may(values, fewest):
    """Each holds as many as are asked for, or nobody; nothing is lost, and there are not too many bins."""
    found = binned(np.array(values), fewest=fewest)

    assert found is not None
    assert sum(found.counts) == len(values)
    assert all(count == 0 or count >= fewest for count in found.counts)
    assert len(found.counts) == len(found.edges) + 1 <= 12
    assert list(found.edges) == sorted(set(found.edges))


def test_bins_have_about_equal_counts():
    """A thousand different values make ten bins of a hundred."""
    found = binned(np.random.default_rng(0).lognormal(size=1000), fewest=5)

    assert found is not None
    assert found.counts == (100,) * 10


def test_where_all_have_one_value_another_one_is_seen():
    """All pictures of an archive may be of one size: what is larger or smaller lies in a bin of its own."""
    found = binned(np.full(100, 600.0), fewest=5)

    assert found is not None
    assert found.counts == (0, 100, 0)
    assert counts_in(np.array([600.0, 1920.0, 100.0, 599.0]), found.edges).tolist() == [2, 1, 1]


def test_fewer_than_may_be_told_are_not_binned():
    """Nothing is said of four."""
    assert binned(np.arange(4.0), fewest=5) is None


def test_the_index_is_that_of_the_formula():
    """Kullback–Leibler's divergence in both directions, of counts so large that what is added does not matter."""
    some, others = np.array([20, 30, 50]) * 10**6, np.array([30, 30, 40]) * 10**6

    index = float(stability_index(some, others))

    assert index == pytest.approx(-0.1 * math.log(2 / 3) + 0.1 * math.log(5 / 4), rel=1e-5)


def test_the_distance_is_that_of_scipy():
    """With an edge between all values it is the exact one."""
    random = np.random.default_rng(0)
    recent, reference = random.normal(0.3, 1.2, 80), random.normal(size=200)
    edges = np.sort(np.concatenate([recent, reference]))

    distance = float(greatest_distance(counts_in(recent, edges), counts_in(reference, edges)))

    assert distance == pytest.approx(ks_2samp(recent, reference).statistic)


def test_a_p_is_that_of_the_known_tests():
    """Dealt out anew or by the known distribution: of the index as by chi-square, of a distance as by its own test."""
    random = np.random.default_rng(1)
    recent, reference = random.normal(0.25, 1, 150), random.normal(size=400)
    edges = np.quantile(reference, np.linspace(0.1, 0.9, 9))
    counts = counts_in(recent, edges), counts_in(reference, edges)
    finely = np.sort(np.concatenate([recent, reference]))

    of_index = asked(index_change, *counts)
    of_distance = asked(distance_change, counts_in(recent, finely), counts_in(reference, finely))

    assert of_index.p == pytest.approx(chi2_contingency(np.array(counts)).pvalue, abs=0.05)
    assert of_distance.p == pytest.approx(ks_2samp(recent, reference).pvalue, abs=0.02)


def test_the_difference_of_two_shares_has_newcombes_interval():
    """As statsmodels has it."""
    found = asked(share_change, [80, 20], [270, 30])

    low, high = confint_proportions_2indep(20, 100, 30, 300, method="newcomb", compare="diff")
    assert found.estimate.value == pytest.approx(0.1)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((low, high), abs=1e-3)
    assert found.p == pytest.approx(fisher_exact([[80, 20], [270, 30]]).pvalue, abs=0.01)


@pytest.mark.parametrize("change", [index_change, distance_change])
@pytest.mark.parametrize("reference", [200, 1500])
def test_what_did_not_change_is_seldom_called_changed(change, reference):
    """In five of a hundred, as a p of 0.05 promises, and the interval reaches down to nought."""
    found = [
        asked(change, drawn(UNCHANGED, 100, seed=seed), drawn(UNCHANGED, reference, seed=1000 + seed), seed=seed)
        for seed in range(100)
    ]

    assert sum(each.p <= 0.05 for each in found) <= 10
    assert sum(each.estimate.low <= 1e-9 for each in found) >= 90


@pytest.mark.parametrize(
    ("change", "truth"),
    [
        (index_change, float(((CHANGED - UNCHANGED) * np.log(CHANGED / UNCHANGED)).sum())),
        (distance_change, float(np.abs((CHANGED - UNCHANGED).cumsum()).max())),
    ],
)
def test_what_changed_is_found_and_measured(change, truth):
    """A hundred clusters are enough, and the interval covers how far it is in truth."""
    found = [
        asked(change, drawn(CHANGED, 100, seed=seed), drawn(UNCHANGED, 500, seed=1000 + seed), seed=seed)
        for seed in range(40)
    ]

    assert np.mean([each.p < 0.05 for each in found]) > 0.9
    assert np.mean([each.estimate.low <= truth <= each.estimate.high for each in found]) >= 0.85
    assert all(each.estimate.low <= each.estimate.value <= each.estimate.high for each in found)
    assert np.mean([each.estimate.value for each in found]) == pytest.approx(truth, rel=0.2)


def test_the_same_draws_give_the_same_numbers():
    """Chance is handed in."""
    recent, reference = drawn(CHANGED, 60), drawn(UNCHANGED, 200)

    assert asked(index_change, recent, reference) == asked(index_change, recent, reference)
