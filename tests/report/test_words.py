"""Every figure has a name that people read."""

from __future__ import annotations

import pytest

from cutis.report.words import counted, listed, number, p_said, parts_of, percent, said_of, spoken, times


def test_a_name_comes_apart_into_convention_figure_and_diagnosis():
    """As evaluation writes them: none, some or all of the three parts."""
    codes = ("a", "b")

    assert parts_of("macro_auc", codes) == ("", "macro_auc", "")
    assert parts_of("auc/a", codes) == ("", "auc", "a")
    assert parts_of("argmax/accuracy", codes) == ("argmax", "accuracy", "")
    assert parts_of("one_vs_rest/sensitivity/b", codes) == ("one_vs_rest", "sensitivity", "b")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("macro_auc", "macro AUC"),
        ("weighted_ppv", "weighted positive predictive value"),
        ("pooled_average_precision", "pooled average precision"),
        ("malignant_npv", "malignant or not: negative predictive value"),
        ("cohen_kappa", "Cohen’s kappa"),
        ("matthews_correlation", "Matthews correlation"),
        ("top_2_accuracy", "the diagnosis is among the first two"),
        ("mean_top_probability", "mean top probability"),
    ],
)
def test_figures_are_spoken(word, said):
    """No underscore reaches a reader."""
    assert spoken(word) == said


def test_a_whole_name_is_one_line():
    """What, of which diagnosis, by which convention."""
    assert said_of("one_vs_rest/sensitivity/MEL", {"MEL": "melanoma"}) == "sensitivity, melanoma, one-vs-rest"
    assert said_of("macro_auc", {}) == "macro AUC"


def test_counts_stand_in_one_line_the_greatest_first():
    """Names are spoken, thousands are parted."""
    assert counted({"lower_extremity": 5, "back": 1200}) == "back 1,200, lower extremity 5"


def test_lists_and_times_are_words():
    """As in a sentence."""
    assert [listed(()), listed(("a",)), listed(("a", "b", "c"))] == ["", "a", "a, b and c"]
    assert [times(1), times(2), times(1200)] == ["once", "twice", "1,200 times"]


def test_numbers_have_a_true_minus_and_zero_no_sign():
    """What rounds to zero is zero."""
    assert [number(-0.1234), number(-0.0001), number(0.5, digits=2, is_signed=True)] == ["−0.123", "0.000", "+0.50"]


def test_shares_in_percent_have_no_more_digits_than_tell_something():
    """A level of 97.5 is not one of 98, and 0.4 per cent is not none."""
    assert [percent(0.95), percent(0.975), percent(0.0041), percent(1.0)] == ["95%", "97.5%", "0.41%", "100%"]


def test_p_values_are_never_zero():
    """And what was not tested has none."""
    assert [p_said(0.0004), p_said(0.0214), p_said(None)] == ["< 0.001", "0.021", "not tested"]
