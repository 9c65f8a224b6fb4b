"""Every figure of settled cases is found under its own convention, and none is lost."""

from __future__ import annotations

import pytest

from cutis.report.evidence import averages_table, evidence_section, headlines_table, table_by_diagnosis, together_table
from cutis.vocabulary.estimate import Estimate
from factories import a_taxonomy


def _estimate(value=0.5):
    return Estimate(value=value, low=0.4, high=0.6, method="invented", clusters=9, cluster_kind="patient")


def test_each_convention_has_its_own_heading():
    """A sensitivity by arg-max is never set under one-vs-rest; the threshold stands beside the diagnosis."""
    one_vs_rest, argmax = _estimate(0.7), _estimate(0.3)
    estimates = {"one_vs_rest/sensitivity/b": one_vs_rest, "argmax/sensitivity/b": argmax}
    content = {
        "support": {code: {"cases": 7, "clusters": 5} for code in "ab"},
        "thresholds": {"values": {"a": 0.25, "b": 0.5}},
    }

    table = table_by_diagnosis(estimates, a_taxonomy(("a", "b")), content, kind="patient")

    assert table.groups == (("", 3), ("by probability alone", 2), ("one-vs-rest", 4), ("arg-max", 1))
    assert table.columns[3:] == (
        "AUC",
        "average precision",
        "sensitivity",
        "specificity",
        "PPV",
        "NPV",
        "sensitivity",
    )
    assert table.rows[0][:3] == ("disease a", "7 (5)", "0.250")
    assert table.rows[1] == ("disease b (malignant)", "7 (5)", "0.500", "", "", one_vs_rest, "", "", "", argmax)


def test_averages_stand_side_by_side_and_all_else_by_convention():
    """Macro, weighted and pooled in a row; *malignant or not* apart from *which diagnosis*."""
    names = ["macro_auc", "weighted_auc", "pooled_auc", "argmax/macro_f1", "argmax/accuracy", "log_loss"]
    names += ["argmax/malignant_sensitivity", "one_vs_rest/malignant_sensitivity", "auc/a"]
    estimates = {name: _estimate(place / 10) for place, name in enumerate(names)}

    averages, together = averages_table(estimates), together_table(estimates, ("a",))

    assert averages.parts == (("by probability alone", 1), ("arg-max", 1))
    assert averages.rows == (
        ("AUC", *(estimates[f"{average}_auc"] for average in ("macro", "weighted", "pooled"))),
        ("F1 score", estimates["argmax/macro_f1"], "", ""),
    )
    assert together.parts == (("malignant or not", 1), ("which diagnosis", 2))
    assert together.rows == (
        ("sensitivity", "", *(estimates[f"{each}/malignant_sensitivity"] for each in ("argmax", "one_vs_rest"))),
        ("accuracy", "", estimates["argmax/accuracy"], ""),
        ("log loss", estimates["log_loss"], "", ""),
    )


def test_a_figure_that_the_page_has_never_heard_of_is_shown_all_the_same():
    """What evaluation learns to measure tomorrow is not hidden by a list of today."""
    estimates = {"argmax/sharpness_of_mind": _estimate(), "one_vs_rest/macro_wisdom": _estimate()}

    assert together_table(estimates, ()).rows == (("sharpness of mind", "", _estimate(), ""),)
    assert averages_table(estimates).rows == (("wisdom", _estimate(), "", ""),)


@pytest.mark.parametrize(("by_lesion", "columns"), [({}, 2), ({"macro_auc": _estimate(0.9)}, 3)])
def test_figures_per_lesion_have_a_column_where_there_are_any(by_lesion, columns):
    """A lesion with several pictures is answered once."""
    table = headlines_table({"macro_auc": _estimate(), "argmax/accuracy": _estimate()}, by_lesion)

    assert len(table.columns) == columns
    assert all(len(row) == columns for row in table.rows)


def test_what_is_known_of_the_indeterminate_stands_beside(first):
    """Their figures have words of their own, and the rule for lesions is told."""
    section = evidence_section(first.evaluation, first.bundle)

    assert section["beside"].rows[0][:2] == ("mean top probability", "settled cases")
    assert section["lesions"]["rule"] == "the mean of the calibrated probabilities of its pictures"
    assert section["rule"] == "the highest sensitivity + specificity − 1 (Youden), chosen on tune"
    assert list(section["drawings"])[:2] == ["confusion", "roc"]
