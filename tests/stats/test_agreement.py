"""Held to published numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from cutis.stats.agreement import (
    cohen_kappa,
    counts_of,
    fleiss_kappa,
    gwet_coefficient,
    krippendorff_alpha,
    share_of_agreement,
)

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


@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_krippendorff_s_alpha_is_the_published_one(scale, alpha):
    """His data of 2011, with gaps, on each of the four scales."""
    found = krippendorff_alpha(gaps(), weights=once(12), scale=scale)

    assert found == pytest.approx([alpha], abs=5e-4)


def test_gwet_s_coefficient_and_the_plain_agreement_are_those_of_irrcac():
    """AC1 0.77544 and agreement 0.81818 for the same data."""
    assert gwet_coefficient(gaps(), weights=once(12)) == pytest.approx([0.77544], abs=5e-6)
    assert share_of_agreement(gaps(), weights=once(12)) == pytest.approx([0.81818], abs=5e-6)


def test_gwet_s_coefficient_stands_where_a_kappa_falls():
    """118 of 125 agreed on, nearly all of them one diagnosis: kappa is below 0, AC1 near the agreement (Gwet 2008)."""
    counts = np.repeat([[2, 0], [1, 1], [0, 2]], [118, 7, 0], axis=0)

    (kappa,), (ac1,) = fleiss_kappa(counts, weights=once(125)), gwet_coefficient(counts, weights=once(125))

    assert kappa < 0
    assert ac1 == pytest.approx(0.9409, abs=5e-4)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=60))
@pytest.mark.parametrize("partial", ["linear", "quadratic"])
def test_weighted_kappa_is_that_of_scikit_learn(partial, pairs):
    """Near misses count by their distance, or by its square."""
    first, second = np.array(pairs).T
    if len({*first.tolist(), *second.tolist()}) == 1:
        return

    (kappa,) = cohen_kappa(first, second, kinds=4, weights=once(len(pairs)), partial=partial)

    expected = cohen_kappa_score(first, second, weights=partial, labels=range(4))
    assert kappa == pytest.approx(expected, abs=1e-12)


def test_cases_that_one_did_not_rate_are_no_disagreement():
    """They are left out, as if they were not there."""
    first, second = np.array([0, 1, 2, 0, -1, 1]), np.array([0, 1, 1, -1, 0, 1])

    (with_gaps,) = cohen_kappa(first, second, kinds=3, weights=once(6))

    assert with_gaps == cohen_kappa(first[[0, 1, 2, 5]], second[[0, 1, 2, 5]], kinds=3, weights=once(4))[0]


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=3, max_size=12), st.data())
@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_answers_a_round_as_if_its_cases_stood_there(scale, rows, data):
    """A weight of two is a case twice, on every scale: an ordinal distance changes with who is drawn."""
    counts = np.array(rows)
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))

    (weighted,) = krippendorff_alpha(counts, weights=np.array([drawn], dtype=float), scale=scale)
    (repeated,) = krippendorff_alpha(np.repeat(counts, drawn, axis=0), weights=np.ones((1, sum(drawn))), scale=scale)

    assert weighted == pytest.approx(repeated, nan_ok=True)


def test_labels_are_counted_by_case():
    """Two raters, one of whom skipped the second case."""
    assert counts_of(np.array([[0, 2], [0, -1]]), 3).tolist() == [[2, 0, 0], [0, 0, 1]]


def gaps():
    """Krippendorff's data as counts."""
    return np.array([[labels.count(kind) for kind in range(1, 6)] for labels in LABELS_WITH_GAPS])
