"""Rules for thresholds, each held to a search over every threshold there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.operating_points import (
    FORMS,
    cheapest,
    rule_of,
    sensitivity_at_least,
    specificity_at_least,
    youden,
)
from cutis.vocabulary.errors import UserError

# Coarse scores, so that there are ties within and between those who have it and those who have it not.
questions = (
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=30)
    .filter(lambda cases: len({has for _, has in cases}) == 2)
    .map(lambda cases: (np.array([score for score, _ in cases]) / 8, np.array([has for _, has in cases])))
)


def reached(threshold, scores, positive):
    """Sensitivity and specificity at a threshold."""
    flagged = scores >= threshold
    return flagged[positive].mean(), (~flagged[~positive]).mean()


def every_point(scores, positive):
    return [reached(threshold, scores, positive) for threshold in [*np.unique(scores), 2.0]]


@settings(max_examples=60, deadline=None)
@given(questions)
def test_youden_is_the_best_sum_and_the_most_sensitive_of_the_best(question):
    """Over all thresholds, ties included."""
    points = every_point(*question)

    found = reached(youden(*question), *question)

    assert sum(found) == pytest.approx(max(map(sum, points)))
    assert found[0] == max(point[0] for point in points if sum(point) == pytest.approx(sum(found)))


@settings(max_examples=60, deadline=None)
@given(questions, st.sampled_from([0.05, 0.5, 0.8, 0.95, 1.0]))
def test_a_sensitivity_is_reached_with_the_highest_specificity(question, least):
    """There always is one: who flags everybody misses nobody."""
    points = every_point(*question)

    found = reached(sensitivity_at_least(least)(*question), *question)

    assert found[0] >= least
    assert found[1] == max(point[1] for point in points if point[0] >= least)
    assert found[0] == max(point[0] for point in points if point[1] == found[1])


@settings(max_examples=60, deadline=None)
@given(questions, st.sampled_from([0.05, 0.5, 0.8, 0.95, 1.0]))
def test_a_specificity_is_reached_with_the_highest_sensitivity(question, least):
    """There always is one: who flags nobody alarms nobody; even where somebody without it has a score of 1."""
    points = every_point(*question)

    found = reached(specificity_at_least(least)(*question), *question)

    assert found[1] >= least
    assert found[0] == max(point[0] for point in points if point[1] >= least)
    assert found[1] == max(point[1] for point in points if point[0] == found[0])


@settings(max_examples=60, deadline=None)
@given(questions, st.sampled_from([0.1, 1, 10, 100]), st.sampled_from([None, 0.02, 0.5]))
def test_the_cheapest_threshold_is_the_cheapest_of_all(question, missed, prevalence):
    """At a stated prevalence or that of the cases."""
    share = question[1].mean() if prevalence is None else prevalence

    def cost(point):
        return missed * share * (1 - point[0]) + (1 - share) * (1 - point[1])

    found = reached(cheapest(missed, prevalence=prevalence)(*question), *question)

    assert cost(found) == pytest.approx(min(map(cost, every_point(*question))))


def test_a_dearer_miss_lowers_the_threshold():
    """And a rarer disease raises it."""
    random = np.random.default_rng(0)
    positive = random.random(400) < 0.3
    scores = 1 / (1 + np.exp(-random.normal(size=400) - 1.5 * positive))

    thresholds = [cheapest(missed, prevalence=0.1)(scores, positive) for missed in (1, 10, 100)]

    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[-1]
    assert cheapest(10, prevalence=0.01)(scores, positive) > cheapest(10, prevalence=0.4)(scores, positive)


@settings(max_examples=60, deadline=None)
@given(questions)
def test_a_threshold_lies_between_two_scores(question):
    """Halfway, and no rounding moves a case to the other side; each is a number that JSON can hold."""
    scores, _ = question

    for rule in map(rule_of, FORMS):
        threshold = rule(*question)

        above, beneath = scores[scores >= threshold], scores[scores < threshold]
        assert np.isfinite(threshold)
        if len(beneath) and len(above):
            assert threshold == pytest.approx((above.min() + beneath.max()) / 2)


def test_neighbouring_numbers_are_kept_apart():
    """No number lies halfway between them; the threshold is the upper one."""
    upper = np.nextafter(0.5, 1)

    found = youden(np.array([0.5, upper]), np.array([False, True]))

    assert found == upper


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("youden", youden),
        ("Youden", youden),
        ("sensitivity>=0.95", sensitivity_at_least(0.95)),
        ("sensitivity ≥ .95", sensitivity_at_least(0.95)),
        ("specificity>=0.9", specificity_at_least(0.9)),
        ("cost=10", cheapest(10)),
        ("cost = 10 @ 0.02", cheapest(10, prevalence=0.02)),
    ],
)
def test_a_text_names_its_rule(text, rule):
    """In any case, with or without spaces."""
    random = np.random.default_rng(1)
    positive = random.random(300) < 0.3
    scores = 1 / (1 + np.exp(-random.normal(size=300) - positive))

    assert rule_of(text)(scores, positive) == rule(scores, positive)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "best",
        "youden=3",
        "sensitivity",
        "sensitivity>=",
        "sensitivity=0.9",
        "sensitivity>=95",
        "sensitivity>=0",
        "specificity>=nan",
        "cost",
        "cost=0",
        "cost=inf",
        "cost=nan",
        "cost=10@",
        "cost=10@1",
        "cost=10@nan",
    ],
)
def test_another_text_is_refused_with_the_known_forms(text):
    """All of them are named, and so is where it stood."""
    with pytest.raises(UserError) as refused:
        rule_of(text, where="recipe.toml")

    assert all(form in refused.value.mend for form in FORMS)
    assert refused.value.where == "recipe.toml"


def test_no_rule_answers_where_one_side_is_empty():
    """Nobody has it, or everybody."""
    for rule in map(rule_of, FORMS):
        for positive in (np.zeros(3, dtype=bool), np.ones(3, dtype=bool)):
            with pytest.raises(ValueError, match="with and without"):
                rule(np.array([0.1, 0.2, 0.3]), positive)
