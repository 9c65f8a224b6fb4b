"""The page says what similar cases are worth, in words, and with nothing that names a training case."""

from __future__ import annotations

import pytest

from cutis.report.page import render
from cutis.report.sections import all_sections
from cutis.report.similar import similar_section
from report.page import Page

NAMES = {"A": "disease A", "B": "disease B", "C": "disease C"}


@pytest.fixture(scope="session")
def section(first):
    """What the page shows of the bundle that carries training cases."""
    return similar_section(first.evaluation.similar, NAMES)


def test_precision_stands_beside_raw_cosine_and_chance(section):
    """For each number of neighbours, over pictures and over diagnoses."""
    table = section["precision"]

    assert table.columns == ("of the neighbours", "most similar", "by raw cosine", "gain over raw cosine", "by chance")
    assert [row[0] for row in table.rows] == ["the first", "first 5", "first 10"] * 2
    assert [part for part, _ in table.parts] == ["mean over pictures", "mean over diagnoses"]
    for row in table.rows:
        similar, raw, gain = row[1], row[2], row[3].estimate
        assert gain.value == pytest.approx(similar.value - raw.value)


def test_each_diagnosis_has_its_row(section):
    """By the name that people know."""
    assert [row[0] for row in section["by_diagnosis"].rows] == list(NAMES.values())


def test_what_a_similarity_means_stands_beside_what_the_test_says(section):
    """By the neighbour's diagnosis; those without steps of their own are named together."""
    table = section["nearness"]

    assert table.parts == (("a neighbour with disease A", 2), ("a neighbour with disease B, disease C", 1))
    assert [row[0] for row in table.rows] == ["0.200", "0.900", "-0.500"]
    assert all(row[1].value == 0.5 for row in table.rows)


def test_the_page_has_the_section_and_names_no_training_case(material, first):
    """The bundle that carries none says so in a line."""
    text = render(all_sections(material))
    page = Page(text)

    shown = {attributes.get("id") for attributes in page.of("section")}
    assert {"similar-1", "similar-2"} <= shown
    assert "This bundle carries no training cases" in page.text
    assert "The space was chosen on tune" in page.text
    assert not any(case.case_id in text for case in material.dataset.manifest.of_split("train").cases)
