"""What the page says of the atlas is what explain measured."""

from __future__ import annotations

from dataclasses import replace

from cutis.report.atlas import atlas_section
from cutis.vocabulary.estimate import Estimate


def test_each_depth_is_told_with_how_far_it_can_be_trusted(first, compared_workspace):
    """Every figure with its interval; the link leads to the page that lies in the workspace."""
    section = atlas_section(first.explanation)

    assert [row[0] for row in section["quality"].rows] == [*(f"stage {n}" for n in range(1, 8)), "last hidden layer"]
    assert all(
        isinstance(cell, Estimate) and cell.low is not None for row in section["quality"].rows for cell in row[2:]
    )
    assert section["quality"].columns[2].startswith("trustworthiness of ")
    assert section["cases"].endswith(" test pictures")
    assert section["page"] == "4_explanation/first/atlas.html"
    assert (compared_workspace.root / section["page"]).exists()


def test_an_atlas_of_an_earlier_version_is_shown_without_what_it_lacks(first):
    """The map and its settings were there from the first."""
    known = {"settings": first.explanation.atlas["settings"], "made_from": first.explanation.atlas["made_from"]}

    section = atlas_section(replace(first.explanation, atlas=known))

    assert (section["cases"], section["stages"], section["quality"], section["methods"]) == (
        "the test split",
        None,
        None,
        "",
    )
