"""How far a map can be trusted is the same by someone else's count."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from cutis.explain.atlas import neighbours
from cutis.explain.atlas.neighbours import nearest_neighbours
from cutis.explain.atlas.quality import counts_for, quality_of


@pytest.fixture
def features():
    """Cases far from the origin, which is where short distances lose their digits."""
    return np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32) + 20


@pytest.mark.parametrize("block", [2**24, 1000])
def test_trustworthiness_is_that_of_scikit_learn_whatever_the_blocks(features, block, monkeypatch):
    """Venna and Kaski's figure, also where only a few rows fit the memory at once."""
    monkeypatch.setattr(neighbours, "BLOCK", block)
    places = features[:, :2].astype(np.float64) * [1, -3]

    found = quality_of(features, places, counts=(5, 40))

    for count, quality in found.items():
        expected = trustworthiness(features, places, n_neighbors=count)
        assert quality.trustworthiness.mean() == pytest.approx(expected, abs=1e-5)


def test_preservation_counts_the_neighbours_that_stayed(features):
    """As two searches for neighbours count it."""
    places = features[:, :2].astype(np.float64)
    one, other = (
        NearestNeighbors(n_neighbors=10).fit(each).kneighbors(return_distance=False) for each in (features, places)
    )
    expected = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(one, other, strict=True)])

    assert quality_of(features, places)[10].preservation.mean() == pytest.approx(expected)


def test_a_perfect_map_is_trusted_wholly_and_a_random_one_is_not():
    """The figures have their ends where they should."""
    random = np.random.default_rng(1)
    places = random.normal(size=(200, 2))

    perfect = quality_of(places, 5 * places)[10]
    chance = quality_of(places, random.normal(size=(200, 2)))[10]

    assert perfect.trustworthiness.mean() == perfect.preservation.mean() == 1
    assert chance.trustworthiness.mean() == pytest.approx(0.5, abs=0.1)
    assert chance.preservation.mean() == pytest.approx(10 / 199, abs=0.03)


def test_neighbours_are_exact_and_equals_come_in_order():
    """Two cases at one place are each other's neighbours at distance nought, never their own."""
    points = np.array([[0, 0], [3, 0], [0, 0], [0, 1], [5, 5]], np.float32)

    rows, distances = nearest_neighbours(points, 2)

    assert rows.tolist() == [[2, 3], [0, 2], [0, 3], [0, 2], [1, 3]]
    np.testing.assert_allclose(distances[0], [0, 1])


def test_few_cases_are_asked_for_few_neighbours():
    """Trustworthiness is defined for fewer than half of the cases."""
    assert counts_for(2005) == (10, 30)
    assert counts_for(60) == (10,)
    assert counts_for(10) == (2,)
    with pytest.raises(ValueError, match="not defined"):
        quality_of(np.eye(10), np.eye(10)[:, :2], counts=(5,))
