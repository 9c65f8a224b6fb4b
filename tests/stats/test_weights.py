"""What is summed by weight, and what an empty whole gives."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.weights import EXACT_IN_SINGLE, one_hot, ratio, rounds_side_by_side, weighted_mean


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


@pytest.mark.parametrize(
    ("weights", "times", "exact_in"),
    [
        ([[3.0, 0.0, 2.0]], 1, np.float32),
        ([[3.0, 0.5, 2.0]], 1, np.float64),
        ([[3.0, 0.0, 2.0], [1.0, 1.0 + 1e-12, 1.0]], 1, np.float64),
        ([[EXACT_IN_SINGLE - 1.0]], 1, np.float32),
        ([[EXACT_IN_SINGLE - 1.0]], 2, np.float64),
    ],
)
def test_weights_are_in_single_precision_only_where_every_sum_is_exact(weights, times, exact_in):
    """Whole numbers whose sum single precision still counts; what is a hair beside one is none."""
    found = rounds_side_by_side(np.array(weights), times=times)

    assert found.dtype == exact_in
    assert found.tolist() == weights
    assert found.T.flags.c_contiguous
