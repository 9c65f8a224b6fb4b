"""The size of a study, from studies that are analysed as the real one will be."""

from __future__ import annotations

import pytest

from cutis.stats.mrmc.power import Plan, power_of, search, smallest
from cutis.stats.mrmc.study import Asked
from cutis.vocabulary.errors import UserError


def planned(endpoint="auc", *, hypothesis="superiority", margin=0.0, **plan):
    return Plan(asked=Asked(endpoint=endpoint, hypothesis=hypothesis, margin=margin), **{"reference": 0.8} | plan)


@pytest.mark.parametrize("design", ["network", "aided"])
@pytest.mark.parametrize("endpoint", ["auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy"])
def test_without_an_effect_the_power_is_the_error(design, endpoint):
    """Superiority is then shown in one study of forty, or less."""
    found = power_of(planned(endpoint, design=design), readers=5, cases=40, studies=200)

    assert found.power.value < 0.06
    assert found.power.low < found.power.value < found.power.high or found.power.value == 0
    assert found.power.cluster_kind == "study"


@pytest.mark.parametrize("design", ["network", "aided"])
def test_more_cases_and_more_readers_find_more(design):
    """The power rises with both."""
    plan = planned(design=design, gain=0.08)

    few, cases, readers = (
        power_of(plan, readers=readers, cases=cases, studies=200).power.value
        for readers, cases in ((4, 20), (4, 100), (16, 20))
    )

    assert few < cases
    assert few < readers


def test_no_worse_is_shown_more_easily_than_better():
    """With a margin of ten points, equal raters are shown to be no worse."""
    no_worse = planned("sensitivity", hypothesis="non-inferiority", margin=0.1)

    found = power_of(no_worse, readers=10, cases=300, studies=200)

    assert found.power.value > 0.8


def test_the_smallest_size_is_found_within_a_twentieth():
    """Sizes are doubled and halved; the one below it does not reach the power, and all that was tried is told."""
    tried = list(search(planned(gain=0.1), readers=8, power=0.8, studies=100))

    found = smallest(tried, power=0.8)
    short = [each.cases for each in tried if each.power.value < 0.8 and each.cases < found.cases]
    assert found.power.value >= 0.8
    assert found.cases - max(short) <= max(1, found.cases // 20)


def test_a_power_out_of_reach_is_told():
    """No number of cases makes up for few readers; the search ends with the most that was allowed."""
    tried = list(search(planned(gain=0.005), readers=3, power=0.9, most=60, studies=50))

    assert smallest(tried, power=0.9) is None
    assert tried[-1].cases == 60


def test_the_same_seed_gives_the_same_power():
    """And another one another."""
    plan = planned(gain=0.05)

    assert power_of(plan, readers=4, cases=30, studies=60) == power_of(plan, readers=4, cases=30, studies=60)


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"design": "twins"}, "unknown design"),
        ({"structure": "XX"}, "unknown structure"),
        ({"endpoint": "right"}, "unknown endpoint"),
        ({"reference": 0.3}, "not between 0.5 and 1"),
        ({"gain": 0.3}, "not between"),
        ({"healthy_per_diseased": 0}, "no healthy cases"),
    ],
)
def test_a_plan_that_cannot_be_simulated_is_refused(plan, reason):
    """With what would be."""
    with pytest.raises(UserError, match=reason):
        planned(**plan)


def test_one_reader_is_refused_before_long_work():
    """The analysis says why."""
    with pytest.raises(UserError, match="single reader"):
        power_of(planned(), readers=1, cases=30, studies=10)
