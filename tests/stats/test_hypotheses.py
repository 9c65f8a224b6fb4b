"""A verdict is read from an interval and a margin, in words that claim no more than was shown."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.hypotheses import against_number, falls_when_better, judge, negated, with_holm
from cutis.vocabulary.estimate import Estimate


def a_difference(low=0.01, high=0.05, *, level=0.95, value=None, note=""):
    """A difference with an interval, its value in the middle."""
    middle = (low + high) / 2 if value is None and low is not None else value
    return Estimate(
        value=middle, low=low, high=high, level=level, method="test", clusters=50, cluster_kind="patient", note=note
    )


@pytest.mark.parametrize(
    ("hypothesis", "margin", "low", "high", "outcome", "shown"),
    [
        ("superiority", 0.0, 0.01, 0.05, "superior", True),
        ("superiority", 0.0, 0.0, 0.05, "superiority_not_shown", False),
        ("superiority", 0.0, -0.01, 0.05, "superiority_not_shown", False),
        ("superiority", 0.0, -0.05, -0.01, "inferior", False),
        ("superiority", 0.02, 0.01, 0.05, "superiority_not_shown", False),
        ("superiority", 0.02, 0.03, 0.05, "superior", True),
        ("non-inferiority", 0.02, -0.01, 0.05, "non_inferior", True),
        ("non-inferiority", 0.02, -0.02, 0.05, "non_inferiority_not_shown", False),
        ("non-inferiority", 0.02, -0.01, -0.005, "non_inferior", True),
        ("non-inferiority", 0.02, -0.05, -0.03, "inferior", False),
        ("equivalence", 0.02, -0.01, 0.01, "equivalent", True),
        ("equivalence", 0.02, -0.01, 0.02, "equivalence_not_shown", False),
        ("equivalence", 0.02, -0.03, 0.01, "equivalence_not_shown", False),
        ("equivalence", 0.02, 0.03, 0.05, "different", False),
        ("equivalence", 0.02, -0.05, -0.03, "different", False),
    ],
)
def test_the_interval_and_the_margin_decide(hypothesis, margin, low, high, outcome, shown):
    """An end that touches the margin has not left it behind."""
    verdict = judge(a_difference(low, high), hypothesis=hypothesis, margin=margin)

    assert (verdict.outcome, verdict.shown) == (outcome, shown)


@settings(deadline=None)
@given(
    st.sampled_from(["superiority", "non-inferiority", "equivalence"]),
    st.floats(-0.5, 0.5),
    st.floats(0.001, 0.5),
    st.floats(0.001, 0.5),
    st.floats(0.01, 0.3),
)
def test_p_and_interval_never_contradict_each_other(hypothesis, value, below, above, margin):
    """However lopsided the interval is, shown means that p is below the error of the test."""
    difference = a_difference(value - below, value + above, value=value)

    verdict = judge(difference, hypothesis=hypothesis, margin=margin)

    if abs(verdict.p - verdict.error) > 1e-9:
        assert verdict.shown == (verdict.p < verdict.error)


@settings(deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.5), st.floats(0.01, 0.3))
def test_where_lower_is_better_a_fall_counts_as_a_gain(value, half, margin):
    """The same verdict as for the turned difference of a figure that rises."""
    fallen = judge(
        a_difference(value - half, value + half), hypothesis="non-inferiority", margin=margin, lower_is_better=True
    )
    risen = judge(a_difference(-value - half, -value + half), hypothesis="non-inferiority", margin=margin)

    assert (fallen.outcome, fallen.gain, fallen.p) == (risen.outcome, pytest.approx(risen.gain), pytest.approx(risen.p))
    assert "lower is better" in fallen.words
    assert "lower is better" not in risen.words


@settings(deadline=None)
@given(st.floats(-0.4, 0.4), st.floats(0.001, 0.3), st.floats(0.01, 0.3))
def test_what_is_equivalent_is_no_worse_and_what_is_better_is_no_worse(value, half, margin):
    """On one and the same interval."""
    difference = a_difference(value - half, value + half)
    shown = {
        hypothesis: judge(difference, hypothesis=hypothesis, margin=0 if hypothesis == "superiority" else margin).shown
        for hypothesis in ("superiority", "non-inferiority", "equivalence")
    }

    assert shown["non-inferiority"] or not (shown["superiority"] or shown["equivalence"])


def test_equivalence_asks_for_an_interval_of_90_percent_and_the_others_for_one_of_95():
    """Two tests at 5 %, or one at 2.5 %; a wider interval makes it more careful, and is said."""
    narrow, wide = a_difference(-0.01, 0.01, level=0.90), a_difference(-0.01, 0.01, level=0.95)

    assert judge(narrow, hypothesis="equivalence", margin=0.02).error == pytest.approx(0.05)
    assert judge(wide, hypothesis="equivalence", margin=0.02).error == pytest.approx(0.025)
    assert "95% CI" in judge(wide, hypothesis="equivalence", margin=0.02).words
    refused = judge(narrow, hypothesis="non-inferiority", margin=0.02)
    assert (refused.outcome, refused.shown, refused.p) == ("not_testable", False, None)
    assert refused.words == "Non-inferiority could not be tested: the interval is one of 90%, and 95% were asked for."


def test_what_is_not_shown_is_never_said_to_be_untrue():
    """The words say that it is no proof of the contrary; nobody accepts a null hypothesis."""
    for hypothesis, margin in (("superiority", 0.0), ("non-inferiority", 0.02), ("equivalence", 0.02)):
        words = judge(a_difference(-0.1, 0.1), hypothesis=hypothesis, margin=margin).words

        assert "not shown" in words
        assert "That is no proof" in words
        assert "null" not in words
        assert "accept" not in words


def test_the_words_of_a_verdict_name_the_figure_the_interval_and_the_margin():
    """A reader needs no other page."""
    verdict = judge(a_difference(-0.01, 0.05), hypothesis="non-inferiority", margin=0.02)

    assert verdict.words == (
        "Gain +0.0200 (95% CI -0.0100 to +0.0500). Non-inferiority was shown: all of the interval lies above -0.02."
    )


@pytest.mark.parametrize(
    ("low", "high", "more"), [(0.001, 0.05, "it even does better"), (-0.015, -0.001, "it does worse, but by less")]
)
def test_non_inferior_may_also_be_better_or_worse(low, high, more):
    """Superiority may be read from the same interval; so may a loss within the margin."""
    assert more in judge(a_difference(low, high), hypothesis="non-inferiority", margin=0.02).words


def test_a_verdict_is_plain_data_whatever_numbers_it_came_from():
    """Figures come as numbers of numpy, and a verdict goes to JSON."""
    verdict = judge(a_difference(np.float64(0.01), np.float64(0.05)), hypothesis="non-inferiority", margin=0.02)

    assert json.loads(json.dumps(asdict(verdict)))["outcome"] == "non_inferior"
    assert verdict.words.endswith("it even does better.")


@pytest.mark.parametrize("value", [None, 0.02])
def test_without_an_interval_nothing_is_tested(value):
    """The reason is the estimate's own note."""
    verdict = judge(a_difference(None, None, value=value, note="no patients with c"), hypothesis="superiority")

    assert (verdict.outcome, verdict.shown, verdict.p) == ("not_testable", False, None)
    assert verdict.words == "Superiority could not be tested: no patients with c."


@pytest.mark.parametrize(
    ("hypothesis", "margin"), [("non-inferiority", 0.0), ("equivalence", 0.0), ("superiority", -1)]
)
def test_a_margin_that_tolerates_nothing_is_our_own_mistake(hypothesis, margin):
    """The protocol is checked before."""
    with pytest.raises(ValueError, match="margin"):
        judge(a_difference(), hypothesis=hypothesis, margin=margin)


def test_one_of_many_must_stand_holms_correction():
    """Alone it is below the error; as the second of two it still is; as the first of three it is not.

    What cannot be tested was asked for, too: it is one of them.
    """
    clear = judge(a_difference(0.01, 0.02), hypothesis="superiority")
    close = judge(a_difference(0.001, 0.041), hypothesis="superiority")
    open_ = judge(a_difference(-0.1, 0.1), hypothesis="superiority")
    absent = judge(a_difference(None, None, note="no patients with c"), hypothesis="superiority")

    two = with_holm({"clear": clear, "close": close})
    with_absent = with_holm({"clear": clear, "close": close, "absent": absent})
    three = with_holm({"close": close, "open": open_, "open too": open_})

    assert close.shown
    assert [two[name].shown for name in two] == [True, True]
    assert two["close"].p_adjusted == close.p
    assert [with_absent[name].shown for name in with_absent] == [True, False, False]
    assert with_absent["close"].p_adjusted == pytest.approx(2 * close.p)
    assert with_absent["absent"] == absent
    assert (three["close"].shown, three["close"].outcome) == (False, "superiority_not_shown")
    assert three["close"].p_adjusted == pytest.approx(3 * close.p)
    assert "As one of 3 it does not stand" in three["close"].words


def test_a_figure_is_held_against_a_number_or_seen_from_the_other_side():
    """Interval and all."""
    figure = a_difference(0.85, 0.95)

    beyond = against_number(figure, 0.88)
    assert (beyond.value, beyond.low, beyond.high) == pytest.approx((0.02, -0.03, 0.07))
    turned = negated(figure)
    assert (turned.value, turned.low, turned.high) == pytest.approx((-0.9, -0.95, -0.85))
    assert negated(a_difference(None, None)).value is None


def test_losses_are_better_the_lower_they_are():
    """Whatever stands before their name."""
    assert falls_when_better("log_loss")
    assert falls_when_better("by_lesion/brier")
    assert not falls_when_better("auc/a")
