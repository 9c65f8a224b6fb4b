"""What is summed by weight, and what an empty whole gives."""

from __future__ import annotations

import numpy as np

from cutis.stats.weights import one_hot, ratio, weighted_mean


def test_a_part_of_nothing_is_nan():
    """And raises no warning."""
    found = ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))

    assert found[0] == 0.5
    assert np.isnan(found[1])


def test_every_row_of_weights_has_its_own_mean():
    """A round without weight has none."""
    found = weighted_mean(np.array([1.0, 4.0]), np.array([[1.0, 1.0], [2.0, 1.0], [0.0, 0.0]]))

    assert found[:2].tolist() == [2.5, 2.0]
    assert np.isnan(found[2])


def test_one_hot_has_a_one_per_row():
    """In the column of the index."""
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
