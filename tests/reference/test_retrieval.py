"""Neighbours and precision beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import isotonic_regression
from sklearn.neighbors import NearestNeighbors

from cutis.stats.nearness import fit_nearness
from cutis.stats.resampling import clusters_of
from cutis.stats.retrieval import nearest
from cutis.stats.spaces import Space, fit_space, placed


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["raw", "standardised", "whitened"])
def test_neighbours_and_similarities_are_those_of_scikit_learn(kind, seed):
    """The same rows in the same order, and one less its cosine distance, to 1e-6."""
    random = np.random.default_rng(seed)
    known, asking = random.normal(size=(500, 40)) + 1, random.normal(size=(80, 40)) + 1
    space = fit_space(kind, known, np.arange(500) % 4)

    found = nearest(placed(asking, space), placed(known, space), k=12)

    def moved(features, space: Space):
        there = features - space.centre.astype(float)
        return there @ space.axes if space.axes.ndim > 1 else there * space.axes

    theirs = NearestNeighbors(n_neighbors=12, metric="cosine", algorithm="brute").fit(moved(known, space))
    distances, rows = theirs.kneighbors(moved(asking, space))
    assert np.abs(found.similarities - (1 - distances)).max() < 1e-6
    assert (found.rows == rows).mean() > 0.995  # where two differ by less than single precision tells


def test_steps_are_those_of_isotonic_regression_over_the_bins():
    """Where every bin has patients enough, pooling is what scikit-learn does with the shares of the bins."""
    random = np.random.default_rng(1)
    similarities = random.uniform(size=(1000, 1))
    same = (random.uniform(size=(1000, 1)) < 0.4 + 0.1 * np.sin(9 * similarities) + 0.2 * similarities).astype(float)
    clusters = clusters_of([f"p{n}" for n in range(1000)], kind="patient")

    nearness = fit_nearness(similarities, same, np.zeros((1000, 1), int), codes="a", clusters=clusters)

    bins = np.searchsorted(np.quantile(similarities, [0.2, 0.4, 0.6, 0.8]), similarities[:, 0], side="right")
    shares = [same[bins == each].mean() for each in range(5)]
    theirs = isotonic_regression(shares, sample_weight=np.bincount(bins))
    assert [step.share.value for step in nearness.of_diagnosis["a"]] == pytest.approx(np.unique(theirs.round(12)))
