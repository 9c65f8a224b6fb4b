"""Held to published numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from cutis.stats.agreement import cohen_kappa, fleiss_kappa

# Fleiss' worked example: 10 cases, 14 raters, 5 diagnoses.
WORKED_EXAMPLE = [
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
# Krippendorff's example of 2011 (Gwet 2014, page 120): 12 cases, 4 raters, none of whom rated them all.
LABELS_WITH_GAPS = [
    (1, 1, 1),
    (2, 2, 3, 2),
    (3, 3, 3, 3),
    (3, 3, 3, 3),
    (2, 2, 2, 2),
    (1, 2, 3, 4),
    (4, 4, 4, 4),
    (1, 1, 2, 1),
    (2, 2, 2, 2),
    (5, 5, 5),
    (1, 1),
    (3,),
]


def once(cases):
    return np.ones((1, cases))


def test_cohen_s_kappa_is_the_published_one():
    """[[20, 5], [10, 15]] gives 0.40."""
    first, second = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])

    (kappa,) = cohen_kappa(first, second, kinds=2, weights=once(50))

    assert kappa == pytest.approx(0.40)


def test_fleiss_kappa_is_the_published_one():
    """The worked example gives 0.210."""
    (kappa,) = fleiss_kappa(np.array(WORKED_EXAMPLE), weights=once(10))

    assert kappa == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_with_gaps_is_the_one_of_irrcac():
    """Gwet's own software prints 0.76117 for Krippendorff's data, where the number of raters varies."""
    counts = np.array([[labels.count(kind) for kind in range(1, 6)] for labels in LABELS_WITH_GAPS])

    (kappa,) = fleiss_kappa(counts, weights=once(12))

    assert kappa == pytest.approx(0.76117, abs=5e-6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=60))
def test_cohen_s_kappa_is_that_of_scikit_learn(pairs):
    """An independent implementation agrees on any two raters who leave room for chance."""
    first, second = np.array(pairs).T
    if len({*first.tolist(), *second.tolist()}) == 1:
        return

    (kappa,) = cohen_kappa(first, second, kinds=4, weights=once(len(pairs)))

    assert kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_a_weight_of_two_is_a_case_twice():
    """A round of the bootstrap is answered as if its cases stood there as often as they were drawn."""
    counts = np.array(WORKED_EXAMPLE)
    drawn = np.array([2, 0, 1, 1, 3, 0, 0, 1, 1, 1])

    both = fleiss_kappa(counts, weights=np.stack([np.ones(10), drawn.astype(float)]))

    assert both[0] == fleiss_kappa(counts, weights=once(10))[0]
    assert both[1] == pytest.approx(fleiss_kappa(np.repeat(counts, drawn, axis=0), weights=once(10))[0])


def test_nothing_to_compare_is_not_a_number():
    """One rater per case, or one diagnosis in all: chance explains everything, and kappa is not invented."""
    single, unanimous = np.array([[1, 0], [0, 1]]), np.array([[3, 0], [3, 0]])

    assert np.isnan(fleiss_kappa(single, weights=once(2))).all()
    assert np.isnan(fleiss_kappa(unanimous, weights=once(2))).all()
    assert np.isnan(cohen_kappa(np.zeros(3, int), np.zeros(3, int), kinds=2, weights=once(3))).all()
