"""Tables name their figures, and cannot print a number without its doubt."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from cutis.report.stage import page_environment
from cutis.report.tables import (
    Table,
    counted,
    differences_table,
    overall_table,
    parts_of,
    rivals_table,
    table_by_diagnosis,
)
from cutis.vocabulary.estimate import Estimate
from factories import a_taxonomy


def _estimate(value=0.5, **fields):
    plain = {"value": value, "low": 0.4, "high": 0.6, "method": "invented", "clusters": 9, "cluster_kind": "patient"}
    return Estimate(**plain | fields)


def _drawn(table):
    text = '{% from "parts.html" import table with context %}{{ table(of) }}'
    return page_environment().from_string(text).render(of=table)


def test_a_name_comes_apart_into_convention_figure_and_diagnosis():
    """As evaluation writes them: none, some or all of the three parts."""
    codes = ("a", "b")

    assert parts_of("macro_auc", codes) == ("", "macro_auc", "")
    assert parts_of("auc/a", codes) == ("", "auc", "a")
    assert parts_of("argmax/accuracy", codes) == ("argmax", "accuracy", "")
    assert parts_of("one_vs_rest/sensitivity/b", codes) == ("one_vs_rest", "sensitivity", "b")


def test_each_convention_has_its_own_heading():
    """A sensitivity by arg-max is never set under one-vs-rest."""
    estimates = {
        f"{convention}/sensitivity/{code}": _estimate(number / 10)
        for number, (convention, code) in enumerate(
            [("one_vs_rest", "a"), ("argmax", "a"), ("one_vs_rest", "b"), ("argmax", "b")]
        )
    }
    support = {code: {"cases": 7, "clusters": 5} for code in "ab"}

    table = table_by_diagnosis(estimates, a_taxonomy(("a", "b")), support, caption="")

    assert table.groups == (("", 2), ("arg-max", 1), ("one-vs-rest", 1))
    assert table.rows[0] == (
        "disease a",
        "7 of 5",
        estimates["argmax/sensitivity/a"],
        estimates["one_vs_rest/sensitivity/a"],
    )
    assert table.rows[1][0] == "disease b (malignant)"


def test_the_overall_table_leaves_the_single_diagnoses_out():
    """One row per figure of all together, with its convention."""
    estimates = {"argmax/accuracy": _estimate(), "macro_auc": _estimate(), "auc/a": _estimate()}

    table = overall_table(estimates, ("a",), caption="", by="convention")

    assert [row[:2] for row in table.rows] == [("accuracy", "arg-max"), ("macro AUC", "—")]


def test_an_estimate_is_drawn_with_its_interval_and_a_number_of_its_note():
    """What qualifies several figures is told once, under the table."""
    few = "only 2 patients"
    rows = (
        ("one", _estimate(note=few)),
        ("two", _estimate(note=few)),
        ("three", _estimate(None, note="nobody has it")),
    )

    drawn = _drawn(Table("Three", ("figure", "estimate"), rows))

    assert drawn.count("(0.400–0.600)") == 2
    assert drawn.count("<sup>1</sup>") == 2
    assert drawn.count(few) == 1
    assert "not available" in drawn
    assert "<sup>2</sup>" in drawn


def test_a_difference_below_zero_is_read_without_doubt():
    """Minus and dash do not meet."""
    drawn = _drawn(Table("One", ("figure", "estimate"), (("one", _estimate(-0.01, low=-0.03, high=0.02)),)))

    assert "(-0.030 to 0.020)" in drawn


def test_the_reference_has_no_difference_to_itself():
    """A row per bundle; the reference says that it is the one."""
    names = ("macro_auc", "argmax/balanced_accuracy")
    estimates = {name: dict.fromkeys(names, _estimate()) for name in ("first", "second")}
    differences = {"second": dict.fromkeys(names, _estimate(0.1))}

    table = rivals_table(estimates, differences, reference="first", caption="")

    assert table.groups == (("", 1), ("macro AUC", 2), ("balanced accuracy, arg-max", 2))
    assert table.rows == (
        ("first", _estimate(), "reference", _estimate(), "reference"),
        ("second", _estimate(), _estimate(0.1), _estimate(), _estimate(0.1)),
    )


def test_every_difference_has_its_row_and_every_rival_its_column():
    """Diagnoses stand under their names."""
    differences = {name: {"argmax/accuracy": _estimate(), "auc/a": _estimate()} for name in ("second", "third")}

    table = differences_table(differences, {"a": "disease a"}, caption="")

    assert table.columns == ("figure", "convention", "second", "third")
    assert [row[:2] for row in table.rows] == [("accuracy", "arg-max"), ("AUC, disease a", "—")]


def test_a_bare_number_cannot_be_drawn():
    """A figure without an interval is our bug, and is not shown."""
    with pytest.raises(UndefinedError):
        _drawn(Table("One", ("figure", "estimate"), (("accuracy", 0.9),)))


def test_counts_stand_in_one_line_the_greatest_first():
    """Names are spoken, thousands are parted."""
    assert counted({"lower_extremity": 5, "back": 1200}) == "back 1,200, lower extremity 5"
