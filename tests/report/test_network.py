"""The network's card says in words what a bundle says in names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutis.report.network import network_section, rule_of
from cutis.runtime.bundle import Thresholds
from factories import a_bundle

COST = "the lowest cost, a missed case weighing as much as {} false alarms"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("Youden", "the highest sensitivity + specificity − 1 (Youden), chosen on tune"),
        ("sensitivity>=0.95", "the highest specificity where sensitivity is at least 0.95, chosen on tune"),
        ("specificity >= 0.9", "the highest sensitivity where specificity is at least 0.9, chosen on tune"),
        ("cost=10", f"{COST.format(10)}, chosen on tune"),
        ("cost=5@0.02", f"{COST.format(5)} where the prevalence is 0.02, chosen on tune"),
        ("by the head of department", "by the head of department, chosen on tune"),
    ],
)
def test_a_rule_for_thresholds_is_told_in_words(rule, words):
    """One that is not known is told as it is."""
    bundle = a_bundle(thresholds=Thresholds(rule=rule, chosen_on="tune", values=(0.3,) * 3))

    assert rule_of(bundle) == words


def test_how_a_bundle_is_made_to_answer_is_told(first):
    """Recalibration, operating points, sets and acceptance, each with what it was fitted on."""
    watched = dict(network_section(first)["answering"])
    plain = dict(network_section(replace(first, bundle=replace(first.bundle, sets=(), acceptance=None)))["answering"])

    assert watched["recalibration"].startswith("none: as it stands")
    assert watched["malignant or not"] == "yes from a summed probability of 0.330 on, by the same rule"
    assert watched["prediction sets"].startswith("LAC of 60% and APS of 60%, fitted on ")
    assert watched["acceptance"].startswith("40% of the clinic’s own pictures are to be answered")
    assert (plain["prediction sets"], plain["acceptance"]) == ("none", "it answers every picture")
