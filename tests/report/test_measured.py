"""Probabilities, sets, abstention, decisions, groups and disturbances as the page tells them."""

from __future__ import annotations

from copy import deepcopy

import pytest

from cutis.report.abstention import abstention_section
from cutis.report.decisions import called, decisions_section
from cutis.report.probabilities import calibration_section, sets_section
from cutis.report.robustness import robustness_section
from cutis.report.subgroups import subgroups_section
from cutis.report.tables import Shown, estimates_in

NAMES = {code: f"disease {code}" for code in "ABC"}


@pytest.fixture
def content(first):
    """What an evaluation wrote, to be spoilt."""
    return deepcopy(first.evaluation.content)


def _estimate(value, low=None, high=None, note=""):
    plain = {"level": 0.95, "method": "invented", "clusters": 20, "cluster_kind": "patient"}
    return plain | {"value": value, "low": low, "high": high, "note": note}


def test_every_event_has_its_errors_and_a_diagnosis_its_slope(content):
    """An error has no interval and says why; *the answer is right* has no slope."""
    section = calibration_section(content, NAMES)

    events = ["the most probable diagnosis is right", "each diagnosis, on average", "malignant or not", *NAMES.values()]
    assert [row[0] for row in section["errors"].rows] == events
    assert [row[0] for row in section["fits"].rows] == events[2:]
    assert all(estimate.low is None for row in section["errors"].rows for estimate in estimates_in(row[1]))
    assert "resampling makes this figure larger than it is" in section["errors"].common


def test_sets_say_what_they_promise_and_where_they_are_silent(content):
    """Methods side by side; a diagnosis that is always in the set is named."""
    content["sets"][0]["says_nothing_of"] = ["A", "C"]

    section = sets_section(content, NAMES)

    assert (section["promised"], section["methods"]) == (0.6, ["LAC", "APS"])
    assert section["silent"] == {"LAC": "disease A and disease C", "APS": ""}
    assert section["held"].columns == ("among", "LAC", "APS")
    assert section["held"].rows[0][0] == "one picture, at random, of each patient: what was promised"
    assert "if 0.05 were malignant" in [row[0] for row in section["held"].rows]
    assert [row[0] for row in section["by_diagnosis"].rows] == list(NAMES.values())


def test_a_bundle_without_sets_or_abstention_has_no_such_tables(content):
    """The page says so in a sentence."""
    content |= {"sets": [], "abstention": None, "decisions": None}

    assert sets_section(content, NAMES) is None
    assert abstention_section(content, NAMES) is None
    assert decisions_section(content) is None


def test_abstention_tells_what_is_gained_and_who_is_left_without_an_answer(content):
    """With the malignant called benign, with and without it; each signal with its worth."""
    section = abstention_section(content, NAMES)

    labels = [row[0] for row in section["rule"].rows]
    assert {"malignant called benign, were all answered", "malignant called benign, and answered"} <= set(labels)
    assert [row[0] for row in section["unanswered"].rows] == list(NAMES.values())
    assert [row[0] for row in section["signals"].rows] == ["uncertainty", "disagreement", "distance", "combined"]
    assert section["signals"].columns[1:3] == ("area under risk and coverage", "above the best order")
    assert "right, where 90% are answered" in section["signals"].columns


def test_where_everything_is_answered_nobody_is_left_without_an_answer(content):
    """No table of ones; what the signals would be worth stays."""
    content["abstention"]["abstains"] = False

    section = abstention_section(content, NAMES)

    assert section["rule"] is None
    assert section["unanswered"] is None
    assert section["signals"].rows


def test_decisions_stand_at_the_tests_own_prevalence_and_at_stated_ones(content):
    """Net benefit has four digits, and beneath it what referring everybody has."""
    section = decisions_section(content)

    own = content["decisions"]["own_prevalence"]
    columns = [called(prevalence, own=own) for prevalence in ("own", "0.01", "0.05", "0.2")]
    assert columns == [f"this test’s {own:.1%}", "0.01 (1.0%)", "0.05 (5.0%)", "0.2 (20.0%)"]
    assert [row[0] for row in section["values"].rows] == columns
    assert section["net_benefit"].columns == ("refer from", *columns)
    assert [row[0] for row in section["net_benefit"].rows] == ["0.02", "0.05", "0.1", "0.2", "0.3", "0.5"]
    cell = section["net_benefit"].rows[0][1]
    assert (cell.digits, cell.beneath[:5]) == (4, "all: ")


def _group(name, clusters, figure, gap):
    return {
        "attribute": "sex",
        "group": name,
        "cases": 2 * clusters,
        "clusters": clusters,
        "estimates": {"macro_auc": _estimate(None), "argmax/accuracy": figure},
        "gaps": {"macro_auc": _estimate(None), "argmax/accuracy": gap},
    }


def test_a_group_that_is_too_small_is_named_and_in_no_table():
    """With how many it has; a group that speaks has its gap, and says briefly what to make of it."""
    few = "only 19 patients: too few to rely on the interval"
    said = {
        "figures": {"macro_auc": "macro AUC", "argmax/accuracy": "accuracy, arg-max"},
        "fewest_clusters": 10,
        "unrecorded": ["skin tone"],
        "gaps_examined": 1,
        "gaps_apart": 1,
        "groups": [
            _group("female", 40, _estimate(0.8, 0.7, 0.9), _estimate(0.2, 0.1, 0.3)),
            _group("male", 19, _estimate(0.6, 0.4, 0.8, few), _estimate(-0.2, -0.3, -0.1, few)),
            _group("other", 3, _estimate(None, note="only 3 patients: too few to speak"), _estimate(None)),
        ],
    }

    section = subgroups_section(said, kind="patient")

    (table, _) = section["tables"]
    assert [row[0] for row in table.rows] == ["female", "male"]
    assert table.columns == ("group", "pictures", "patients", "accuracy")
    assert section["mute"] == ["macro AUC"]
    assert section["silent"] == ["sex: other (3)"]
    assert section["apart_names"] == {"sex": ["female (accuracy)", "male (accuracy)"]}
    assert [cell.leaves_0_out for row in table.rows for cell in row if isinstance(cell, Shown)] == [True, True]
    assert table.notes == ("few patients: the interval is not to be relied on",)


def test_the_worst_disturbances_are_named_the_worst_first(first):
    """Only those that balanced accuracy falls under beyond doubt; all of them stand in both tables."""
    said = deepcopy(first.evaluation.robustness)
    for each, (value, high) in zip(said["disturbed"][:3], [(-0.1, -0.01), (-0.3, -0.2), (-0.4, 0.1)], strict=True):
        each["differences"]["argmax/balanced_accuracy"] |= {"value": value, "low": -0.5, "high": high}
    for each in said["disturbed"][3:]:
        each["differences"]["argmax/balanced_accuracy"] |= {"value": 0.1, "low": -0.1, "high": 0.2}

    section = robustness_section(said)

    assert section["worst"] == ["JPEG: saved as JPEG of quality 50", "JPEG: saved as JPEG of quality 90"]
    assert len(section["right"].rows) == len(section["sure"].rows) == 1 + len(said["disturbed"])
    assert section["right"].columns[-1] == "pictures with another answer"
    assert section["right"].parts[:2] == (("undisturbed", 1), ("JPEG", 3))
