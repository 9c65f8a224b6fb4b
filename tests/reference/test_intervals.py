"""BCa intervals, held to scipy on the same resamples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap as bootstrap_of_scipy

from cutis.stats.bca import accelerations, bca_levels
from cutis.stats.metrics import Measure, auc, weighted_mean
from cutis.stats.resampling import clusters_of

FIGURE = Measure(None, "figure")


def ends(value, drawn, pull, *, level=0.95):
    return np.quantile(drawn, bca_levels(value, drawn, acceleration=pull, level=level))


def spread_of(values):
    """The standard deviation of a value per case, a skewed figure."""

    def figures(weights):
        mean = weighted_mean(values, weights)
        return {FIGURE: np.sqrt(weighted_mean(values**2, weights) - mean**2)}

    return figures


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("seed", range(3))
def test_bca_of_one_sample_is_that_of_scipy(seed, level):
    """Each case a patient of its own, no strata: the same rounds give the same ends."""
    values = np.random.default_rng(seed).exponential(size=40)
    clusters = clusters_of([f"{n:02}" for n in range(40)], kind="patient")
    expected = bootstrap_of_scipy(
        (values,), np.std, n_resamples=999, confidence_level=level, method="BCa", rng=np.random.default_rng(0)
    )

    pull = accelerations(spread_of(values), clusters)[FIGURE]
    found = ends(np.std(values), expected.bootstrap_distribution, pull, level=level)

    assert found == pytest.approx(tuple(expected.confidence_interval), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_bca_within_strata_is_scipys_of_two_samples(seed):
    """An area under the ROC curve, those with and those without the diagnosis drawn apart."""
    random = np.random.default_rng(seed)
    positive = np.arange(60) < 18
    scores = random.normal(size=60) + 1.2 * positive
    clusters = clusters_of([f"{n:02}" for n in range(60)], positive.astype(int), kind="patient", diagnoses=2)

    def area(having, lacking, axis):
        return (having[..., :, None] > lacking[..., None, :]).mean(axis=(-2, -1))

    expected = bootstrap_of_scipy(
        (scores[positive], scores[~positive]),
        area,
        n_resamples=499,
        method="BCa",
        rng=np.random.default_rng(0),
    )
    pull = accelerations(lambda weights: {FIGURE: auc(scores, positive, weights)}, clusters)[FIGURE]
    found = ends(area(scores[positive], scores[~positive], -1), expected.bootstrap_distribution, pull)

    assert found == pytest.approx(tuple(expected.confidence_interval), abs=1e-6)


def test_bca_of_clusters_is_scipys_of_their_sums():
    """A share of patients with several cases is a ratio of two sums over patients, resampled in pairs."""
    random = np.random.default_rng(2)
    sizes = random.integers(1, 6, 35)
    of_case = np.repeat(np.arange(35), sizes)
    right = (random.random(len(of_case)) < random.beta(3, 1, 35)[of_case]).astype(float)
    clusters = clusters_of([f"{each:02}" for each in of_case], kind="patient")

    def share(hits, cases, axis):
        return hits.sum(axis=axis) / cases.sum(axis=axis)

    expected = bootstrap_of_scipy(
        (np.bincount(of_case, right), sizes.astype(float)),
        share,
        paired=True,
        n_resamples=999,
        method="BCa",
        rng=np.random.default_rng(0),
    )
    pull = accelerations(lambda weights: {FIGURE: weighted_mean(right, weights)}, clusters)[FIGURE]
    found = ends(right.mean(), expected.bootstrap_distribution, pull)

    assert found == pytest.approx(tuple(expected.confidence_interval), abs=1e-6)
