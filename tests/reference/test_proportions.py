"""Intervals of shares, held to published numbers, statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from cutis.stats.proportions import clustered_wilson, effective_trials, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(38, 40, 0.835, 0.986), (46, 60, 0.646, 0.856), (0, 20, 0.0, 0.161)]
)
def test_wilson_gives_the_published_intervals(successes, trials, low, high):
    """38/40 and 46/60 as published in dermatology; they separate Wilson from Clopper–Pearson."""
    found = wilson(successes, trials)

    assert tuple(round(end, 3) for end in found) == (low, high)


@settings(deadline=None)
@given(st.integers(1, 60), st.data())
def test_wilson_is_that_of_scipy_and_of_statsmodels(trials, data):
    """For every count and several levels, to 1e-9."""
    successes, level = data.draw(st.integers(0, trials)), data.draw(st.sampled_from([0.9, 0.95, 0.99]))

    found = wilson(successes, trials, level=level)

    of_scipy = binomtest(successes, trials).proportion_ci(confidence_level=level, method="wilson")
    assert found == pytest.approx((of_scipy.low, of_scipy.high), abs=1e-9)
    assert found == pytest.approx(proportion_confint(successes, trials, 1 - level, method="wilson"), abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(3, 60))
def test_the_variance_by_clusters_is_the_sandwich_of_statsmodels(seed, clusters):
    """A regression on nothing but a constant, with a variance robust to clusters, is the ratio estimator."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 7, clusters)
    of_case = np.repeat(np.arange(clusters), sizes)
    right = (random.random(len(of_case)) < random.beta(2, 1, clusters)[of_case]).astype(float)
    share = right.mean()
    fitted = sm.OLS(right, np.ones(len(right))).fit(cov_type="cluster", cov_kwds={"groups": of_case})
    variance = float(fitted.cov_params()[0, 0])
    if share in {0, 1} or variance * len(right) <= share * (1 - share):
        return

    found = effective_trials(np.bincount(of_case, right), sizes.astype(float))

    assert found == pytest.approx(share * (1 - share) / variance, rel=1e-9)


def test_a_clustered_interval_is_wilsons_for_the_effective_trials():
    """Solved as Wilson did, as the shares that a t-test of so many trials would not reject."""
    from scipy.optimize import brentq
    from scipy.stats import t as student

    random = np.random.default_rng(4)
    trials = random.integers(1, 7, 25).astype(float)
    successes = random.binomial(trials.astype(int), random.beta(3, 1, 25)).astype(float)
    share, effective = successes.sum() / trials.sum(), effective_trials(successes, trials)

    def excess(tried):
        return abs(share - tried) - student.ppf(0.975, 24) * np.sqrt(tried * (1 - tried) / effective)

    found = clustered_wilson(successes, trials)

    assert found == pytest.approx((brentq(excess, 1e-6, share), brentq(excess, share, 1 - 1e-6)), abs=1e-9)
