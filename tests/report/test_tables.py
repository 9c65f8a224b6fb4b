"""Tables name their figures, and cannot print a number without its doubt."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from cutis.report.notes import with_numbered_notes
from cutis.report.page import page_environment
from cutis.report.tables import Shown, Table, cells_of, joined, methods_of, of_its_own
from cutis.vocabulary.estimate import Estimate

FEW = "only 2 patients: too few to rely on the interval"
AGREE = "all rounds of resampling agree"


def _estimate(value=0.5, **fields):
    plain = {"value": value, "low": 0.4, "high": 0.6, "method": "invented", "clusters": 9, "cluster_kind": "patient"}
    return Estimate(**plain | fields)


def _drawn(*tables):
    text = '{% from "parts.html" import table with context %}{% for each in of %}{{ table(each) }}{% endfor %}'
    return page_environment().from_string(text).render(of=with_numbered_notes(list(tables)))


def _table(*cells, **fields):
    rows = tuple((f"row {number}", cell) for number, cell in enumerate(cells))
    return Table("Some", ("figure", "estimate"), rows, **fields)


def test_an_estimate_is_drawn_with_its_interval_and_the_numbers_of_its_notes():
    """A note of several parts is told part by part, each once, under the table."""
    cells = [_estimate(note=f"{FEW}; {AGREE}"), _estimate(note=FEW), _estimate(None, note="nobody has it"), _estimate()]

    drawn = _drawn(_table(*cells, 7))

    assert drawn.count("(0.400–0.600)") == 3
    assert drawn.count("<sup>1, 2</sup>") == 1
    assert drawn.count("<sup>1</sup>") == 1
    assert drawn.count("<sup>3</sup>") == 1
    assert drawn.count(FEW) == 1
    assert '<li value="2">all rounds of resampling agree</li>' in drawn
    assert "not available" in drawn


def test_a_note_of_an_earlier_table_is_not_told_again():
    """The second table leads to the note under the first, and goes on counting."""
    drawn = _drawn(_table(_estimate(note=FEW), _estimate()), _table(_estimate(note=FEW), _estimate(note=AGREE)))

    assert drawn.count(FEW) == 1
    assert drawn.count("<sup>1</sup>") == 2
    assert '<li value="2">' in drawn


def test_what_qualifies_every_estimate_of_a_table_stands_at_its_caption():
    """Not at each of them; one estimate alone is no table's worth."""
    of_all = _drawn(_table(_estimate(note=FEW), _estimate(note=f"{AGREE}; {FEW}")))
    of_one = _drawn(_table(_estimate(note=FEW)))

    assert "<caption>Some<sup>1</sup></caption>" in of_all
    assert of_all.count("<sup>") == 2
    assert "<caption>Some</caption>" in of_one


def test_a_difference_below_zero_is_read_without_doubt():
    """Minus and dash do not meet, and a difference above zero has its sign."""
    drawn = _drawn(_table(_estimate(-0.01, low=-0.03, high=0.02), Shown(_estimate(0.2), is_signed=True)))

    assert "<b>−0.010</b>" in drawn
    assert "(−0.030 to 0.020)" in drawn
    assert "<b>+0.200</b>" in drawn
    assert "(+0.400 to +0.600)" in drawn


def test_a_gap_stands_beneath_its_figure_and_stands_out_where_it_is_beyond_doubt():
    """By weight, not by colour alone."""
    plain = _drawn(_table(Shown(_estimate(), beneath="gap", gap=_estimate(-0.1, low=-0.3, high=0.1))))
    beyond = _drawn(_table(Shown(_estimate(), beneath="gap", gap=_estimate(-0.1, low=-0.3, high=-0.05))))

    assert 'class="beneath">gap <span class="estimate"><b>−0.100</b>' in plain
    assert 'class="beneath apart">gap' in beyond


def test_a_table_of_many_intervals_sets_them_beneath_their_figures():
    """So that it fits on paper; one of few keeps them in line."""
    row = ("melanocytic nevus", *[_estimate(0.123, low=-0.1, high=0.2)] * 3)

    assert not Table("", ("",) * 4, (row,)).is_wide
    assert Table("", ("",) * 6, ((*row, *row[1:3]),)).is_wide
    assert 'class="wide"' in _drawn(Table("", ("",) * 6, ((*row, *row[1:3]),)))


def test_parts_of_a_table_have_their_headings_and_empty_ones_none():
    """A heading without rows would promise something."""
    rows = {"first": [("a", 1), ("b", 2)], "nothing": [], "last": [("c", 3)]}

    table = joined(rows.items(), caption="", columns=("name", "count"))

    assert table.parts == (("first", 2), ("last", 1))
    assert [(heading, len(part)) for heading, part in table.bodies] == [("first", 2), ("last", 1)]
    assert _drawn(table).count('scope="rowgroup"') == 2


def test_of_its_own_row_a_diagnosis_says_few_without_its_name_and_number():
    """So that all diagnoses share one note; what is said of anything else stays as it is."""
    few, near = "too few to rely on the interval", "to rely on the interval"
    notes = {
        f"only 2 patients with MEL: {few}": f"few patients with it: {few}",
        f"only 1 lesion without MEL: {few}": f"few lesions without it: {few}",
        f"too near 1 for 12 patients with MEL {near}": f"too near 1 for the patients with it {near}",
        f"only 3 patients with such an answer: {few}": f"few patients with such an answer: {few}",
        f"only 2 patients with NV: {few}": f"only 2 patients with NV: {few}",
    }

    for note, said in notes.items():
        assert of_its_own(_estimate(note=note), "MEL").note == said
    assert of_its_own(_estimate(note=f"only 2 patients with MEL: {few}"), "").note == f"only 2 patients with MEL: {few}"


def test_what_there_is_not_has_an_empty_cell():
    """A table keeps its shape."""
    assert cells_of({"a": _estimate()}, ("a", "b")) == (_estimate(), "")


def test_methods_are_named_by_level_the_most_frequent_first():
    """An estimate without an interval has none to name."""
    estimates = [
        _estimate(),
        _estimate(method="Wilson"),
        _estimate(method="Wilson"),
        _estimate(low=None, method="none"),
    ]

    assert (
        methods_of([*estimates, _estimate(level=0.9)])
        == "Intervals of 95% by Wilson, or invented; Intervals of 90% by invented"
    )


def test_a_bare_number_cannot_be_drawn():
    """A figure without an interval is our bug, and is not shown."""
    with pytest.raises((UndefinedError, TypeError)):
        _drawn(Table("One", ("figure", "estimate"), (("accuracy", 0.9),)))
