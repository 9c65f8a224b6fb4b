"""The page says of every method whether it means anything, and where nobody asked."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from cutis.report.explanation import explanation_section
from cutis.report.page import render
from cutis.report.sanity import sanity_section
from cutis.report.sections import all_sections


def test_every_method_has_its_verdict_and_its_figures(first):
    """Offered or not, by which rule; the tables have a line for each, and the figures stand beside."""
    said = first.explanation.sanity

    section = sanity_section(first.explanation)

    assert [verdict.method for verdict in section["verdicts"]] == [name.replace("_", " ") for name in said["methods"]]
    for verdict, method in zip(section["verdicts"], said["methods"].values(), strict=True):
        failed = [rule for rule, each in method["verdicts"].items() if each["passed"] is False]
        assert verdict.is_offered == (not failed)
        assert verdict.failed == ", ".join(failed)
    rules, measures, compared = section["tables"]
    assert len(rules.rows) == len(measures.rows) == len(said["methods"])
    assert len(compared.rows) == len(said["methods"]) - 1
    assert len(section["drawings"]) == 3


def test_masks_add_a_table_with_chance_and_blob(first):
    """Beneath the methods stands what an even map and the middle of the picture have."""
    sanity = deepcopy(first.explanation.sanity)
    sanity["targets"] = {"mask": "the mask"}
    some = next(iter(sanity["methods"].values()))["stability"]["shift"]
    names = ("share", "hit", "chance", "blob", "blob_hit", "others", "over_chance", "over_blob", "over_others")
    for method in sanity["methods"].values():
        method["pointing"] = {"mask": dict.fromkeys(names, some)}

    section = sanity_section(replace(first.explanation, sanity=sanity))

    (pointing,) = [table for table in section["tables"] if "inside the mask" in table.caption]
    assert [row[0] for row in pointing.rows][-2:] == ["an even map", "a blob in the middle"]
    assert any("the mask" in line for line in section["best"])


def test_where_nobody_asked_the_page_says_how(material, first):
    """No verdict is invented; the command stands there."""
    explanation = replace(first.explanation, sanity=None)
    unasked = replace(material, trained=(replace(first, explanation=explanation),))

    assert explanation_section(explanation, first.bundle.taxonomy)["sanity"] is None
    assert "cutis explain --name first --sanity --again" in render(all_sections(unasked))
