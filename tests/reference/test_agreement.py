"""Agreement beyond chance, held to published numbers and to statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss_of_statsmodels

from cutis.stats.agreement import cohen_kappa, fleiss_kappa

# Fleiss' worked example: 10 cases (rows), 14 raters, 5 diagnoses (columns).
WORKED_EXAMPLE = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def kappa_of(table):
    """Cohen's kappa of two raters whose answers make this table."""
    table = np.array(table)
    kinds = len(table)
    first, second = np.divmod(np.repeat(np.arange(kinds**2), table.ravel()), kinds)
    return cohen_kappa(first, second, kinds=kinds, weights=np.ones((1, table.sum())))[0]


def test_cohens_kappa_is_the_published_one():
    """0.40 for the table of 50 cases that textbooks print."""
    assert kappa_of([[20, 5], [10, 15]]) == pytest.approx(0.40, abs=1e-12)


def test_fleiss_kappa_is_the_published_one():
    """0.210 for the worked example."""
    (kappa,) = fleiss_kappa(WORKED_EXAMPLE, weights=np.ones((1, 10)))

    assert kappa == pytest.approx(0.210, abs=5e-4)
    assert kappa == pytest.approx(fleiss_of_statsmodels(WORKED_EXAMPLE), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_cohens_kappa_is_that_of_statsmodels(counts):
    """Any table of three diagnoses that leaves room for chance."""
    table = np.array(counts).reshape(3, 3)
    assume(table.sum() > 1 and max(table.sum(axis=0).max(), table.sum(axis=1).max()) < table.sum())

    kappa = kappa_of(table)

    assert kappa == pytest.approx(cohens_kappa(table, return_results=False), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=2, max_size=30))
def test_fleiss_kappa_is_that_of_statsmodels(labels):
    """Any cases of five raters each that leave room for chance."""
    counts = np.array([np.bincount(case, minlength=4) for case in labels])
    assume(counts.sum(axis=0).max() < counts.sum())

    (kappa,) = fleiss_kappa(counts, weights=np.ones((1, len(counts))))

    assert kappa == pytest.approx(fleiss_of_statsmodels(counts), abs=1e-9)
