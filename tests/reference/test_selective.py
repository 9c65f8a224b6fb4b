"""Signals of trust, held to scikit-learn, scipy and to loops that do just what a definition says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist, jensenshannon
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from cutis.runtime.trust import disagreement
from cutis.stats.distance import fit_gaussian, mahalanobis, nearest_neighbours, relative_mahalanobis
from cutis.stats.foreign import foreign_answered, foreign_auroc
from cutis.stats.selective import aurc, excess_aurc, risk_coverage, risk_on

EXACT = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture
def features():
    """Features of 150 pictures in three groups, with the groups."""
    random = np.random.default_rng(0)
    groups = random.integers(0, 3, 150)
    mixing = random.normal(size=(9, 9))
    return (random.normal(size=(150, 9)) + 2 * np.eye(3, 9)[groups]) @ mixing, groups


@pytest.fixture
def signal():
    """A signal of 300 pictures, a hundred of them foreign, with many ties."""
    random = np.random.default_rng(1)
    foreign = np.arange(300) >= 200
    return (random.normal(size=300) + foreign).round(1), foreign


def some_weights(cases, *, rounds=5):
    """Rounds of a bootstrap, and one row of uneven fractions."""
    random = np.random.default_rng(2)
    drawn = random.multinomial(cases, np.full(cases, 1 / cases), size=rounds).astype(float)
    return np.vstack([np.ones(cases), drawn, random.uniform(0.1, 3, cases)])


def test_the_mahalanobis_distance_is_that_of_scikit_learns_ledoit_wolf(features):
    """To the nearest mean, with one shrunk covariance around all of them."""
    x, groups = features
    means = np.stack([x[groups == kind].mean(axis=0) for kind in range(3)])
    oracle = LedoitWolf(assume_centered=True).fit(x - means[groups])
    new = np.random.default_rng(3).normal(scale=5, size=(40, 9))

    found = mahalanobis(new, fit_gaussian(x, groups, kinds=3))

    assert_allclose(found, np.min([oracle.mahalanobis(new - mean) for mean in means], axis=0), rtol=1e-6)


def test_the_mahalanobis_distance_is_that_of_scipy_under_the_same_covariance(features):
    """Squared, by the inverse matrix itself."""
    x, _ = features
    gaussian = fit_gaussian(x, np.zeros(150, np.int64), kinds=1)
    covariance = gaussian.directions @ np.diag(gaussian.deviations**2) @ gaussian.directions.T

    found = mahalanobis(x, gaussian)

    assert_allclose(found, cdist(x, gaussian.means, "mahalanobis", VI=np.linalg.inv(covariance))[:, 0] ** 2, rtol=1e-6)


def test_with_very_many_pictures_it_is_that_of_the_plain_covariance():
    """Nothing is left to shrink."""
    x = np.random.default_rng(4).normal(size=(200_000, 3)) @ np.diag([1.0, 2.0, 3.0])

    found = mahalanobis(x[:100], fit_gaussian(x, np.zeros(len(x), np.int64), kinds=1))

    assert_allclose(found, EmpiricalCovariance().fit(x).mahalanobis(x[:100]), rtol=1e-3)


def test_the_relative_distance_is_the_difference_of_two_of_scikit_learns(features):
    """To the nearest mean, less that to one mean of everything."""
    x, groups = features
    means = np.stack([x[groups == kind].mean(axis=0) for kind in range(3)])
    within = LedoitWolf(assume_centered=True).fit(x - means[groups])
    overall = LedoitWolf().fit(x)

    found = relative_mahalanobis(
        x, fit_gaussian(x, groups, kinds=3), background=fit_gaussian(x, np.zeros(150, np.int64), kinds=1)
    )

    nearest = np.min([within.mahalanobis(x - mean) for mean in means], axis=0)
    assert_allclose(found, nearest - overall.mahalanobis(x), rtol=1e-6, atol=1e-6)


def test_neighbours_are_those_of_scikit_learn(features):
    """The seventh nearest, among features of length one."""
    x, _ = features
    oracle = NearestNeighbors(n_neighbors=7).fit(normalize(x[:100]))

    found = nearest_neighbours(x[100:], x[:100], neighbours=7)

    assert_allclose(found, oracle.kneighbors(normalize(x[100:]))[0][:, -1], **EXACT)


def test_the_disagreement_of_two_is_scipys_jensen_shannon_divergence():
    """Which gives its root."""
    random = np.random.default_rng(5)
    one, other = (random.dirichlet(np.ones(4), size=30) for _ in range(2))

    assert_allclose(disagreement([one, other]), jensenshannon(one, other, axis=1) ** 2, **EXACT)


def test_auroc_and_the_share_of_foreign_ones_answered_are_scikit_learns_in_every_round(signal):
    """For the latter an own picture is the positive, the first point of the curve at 95 % of them."""
    values, foreign = signal
    weights = some_weights(300)

    areas, shares = foreign_auroc(values, foreign, weights), foreign_answered(values, foreign, weights)

    for row, weight in enumerate(weights):
        false, true, _ = roc_curve(~foreign, -values, sample_weight=weight, drop_intermediate=False)
        assert_allclose(areas[row], roc_auc_score(foreign, values, sample_weight=weight), **EXACT)
        assert_allclose(shares[row], false[true >= 0.95 - 1e-12][0], **EXACT)


def test_risk_and_coverage_are_those_of_a_direct_loop(signal):
    """Answer up to every signal in turn, and average by hand."""
    values, wrong = signal
    weights = some_weights(300)
    losses = wrong.astype(float)

    areas = aurc(values, losses, weights)
    risks = risk_on(risk_coverage(values, losses, weights), 0.8)

    for row, weight in enumerate(weights):
        points = []
        for limit in np.unique(values):
            answered = values <= limit
            there = weight[answered].sum()
            points.append((there / weight.sum(), weight[answered] @ losses[answered] / there if there else 1.0))
        coverage, risk = np.array(points).T
        entered = [risk[np.searchsorted(np.unique(values), value)] for value in values]
        assert_allclose(areas[row], np.average(entered, weights=weight), **EXACT)
        assert_allclose(risks[row], risk[coverage >= 0.8 - 1e-12][0], **EXACT)


def test_the_area_without_ties_is_the_mean_of_running_means():
    """Geifman's own definition: the risk of the first one, of the first two, and so on."""
    random = np.random.default_rng(6)
    values, wrong = random.normal(size=500), random.random(500) < 0.3
    running = np.cumsum(wrong[np.argsort(values)]) / np.arange(1, 501)
    perfect = np.cumsum(np.sort(wrong)) / np.arange(1, 501)

    assert_allclose(aurc(values, wrong.astype(float), np.ones((1, 500))), [running.mean()], **EXACT)
    assert_allclose(excess_aurc(values, wrong, np.ones((1, 500))), [running.mean() - perfect.mean()], atol=1 / 500)
