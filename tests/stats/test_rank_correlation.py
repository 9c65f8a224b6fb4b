"""Whether two lists have the same order, by the count of others and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from cutis.stats.rank_correlation import rank_correlations


def test_it_is_what_scipy_calls_spearman_with_ties():
    """Row by row, with values that are equal."""
    random = np.random.default_rng(0)
    one, other = random.integers(0, 6, (2, 4, 50)).astype(float)

    found = rank_correlations(one, other)

    np.testing.assert_allclose(found, [spearmanr(*pair).statistic for pair in zip(one, other, strict=True)])


def test_only_the_order_counts():
    """Any rising function keeps it, any falling one turns it round."""
    values = np.array([3.0, -1.0, 10.0, 0.5])

    assert rank_correlations(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlations(values, -(values**3)) == pytest.approx(-1)


def test_a_list_without_an_order_agrees_with_nothing():
    """A map that is the same everywhere, or has one place, is 0 and never a missing number."""
    assert rank_correlations(np.ones(5), np.arange(5.0)) == 0
    assert rank_correlations(np.ones((2, 1)), np.ones((2, 1))).tolist() == [0, 0]
