"""The page says of every method whether it means anything, and where nobody asked."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import replace

import pytest

from cutis.explain.sanity.examined import Plan
from cutis.explain.sanity.inquiry import Inquiry
from cutis.explain.stage import explain
from cutis.report.chain import chain_of
from cutis.report.explanation import explanation_section
from cutis.report.page import render
from cutis.report.reading import read_material
from cutis.report.sanity import sanity_section
from cutis.report.sections import all_sections
from cutis.workspace import Workspace

FEW = Plan(cases=12, own_pass_cases=10, seeds=2, cascade_seeds=1, steps=2)


@pytest.fixture(scope="module")
def examined(reported_workspace, tmp_path_factory):
    """All of the workspace, its maps examined on a few cases."""
    root = tmp_path_factory.mktemp("examined") / "work"
    shutil.copytree(reported_workspace.root, root, symlinks=True)
    explain(Workspace(root), "first", inquiry=Inquiry(plan=FEW), again=True)
    return read_material(Workspace(root))


@pytest.fixture(scope="module")
def first(examined):
    """Its bundle."""
    return examined.trained[0]


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
    assert all("95% CI" in line for line in section["best"])


def test_the_page_shows_it_and_its_chain_holds(examined):
    """Every verdict stands there in words, and what it was made from is still the one that lies in the workspace."""
    page = render(all_sections(examined))

    links = [link for link in chain_of(examined) if link.result == "sanity of first"]
    assert "Does it mean anything?" in page
    assert page.count("is offered: it failed nothing") == len(examined.trained[0].explanation.sanity["offered"])
    assert [link.holds for link in links] == [True] * 5


def test_where_nobody_asked_the_page_says_how(material, first):
    """No verdict is invented; the command stands there."""
    explanation = replace(first.explanation, sanity=None)
    unasked = replace(material, trained=(replace(first, explanation=explanation),))

    assert explanation_section(explanation, first.bundle.taxonomy)["sanity"] is None
    assert "cutis explain --name first --sanity --again" in render(all_sections(unasked))
