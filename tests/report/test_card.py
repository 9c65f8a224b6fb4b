"""What lies beside the page for machines, and what the page leaves to people."""

from __future__ import annotations

import json

from cutis.report.reviewers import FOR_PEOPLE, reviewers_section
from cutis.report.stage import report
from cutis.vocabulary.files import read_json, sha256_of


def test_the_card_has_headlines_counts_hashes_protocol_and_chain(compared_workspace):
    """Stamped as every file of ours, with the sha256 of the page that it belongs to."""
    report(compared_workspace)

    card = read_json(compared_workspace.root / "report.json", "report")
    first, second = card["bundles"]
    assert (card["kind"], card["format"]) == ("report", 1)
    assert card["page"] == {"file": "report.html", "sha256": sha256_of(compared_workspace.report)}
    assert card["made_from"]["manifest"] == sha256_of(compared_workspace.dataset / "manifest.parquet")
    assert card["dataset"]["rows"] == {"in": 120, "kept": 119, "rejected": 1}
    assert card["chain"]["holds"] is True
    assert len(card["chain"]["links"]) == 27
    assert set(card["chain"]["seals"]) == {
        *(f"bundle {name}" for name in ("first", "second")),
        *(f"evaluation of {name}" for name in ("first", "second", "first on coast")),
        "explanation of first",
        "comparison",
    }
    assert {"value", "low", "high", "note"} <= first["evaluation"]["estimates"]["macro_auc"].keys()
    assert first["elsewhere"]["coast"]["split"] == "all"
    assert second["evaluation"]["protocol"]["registration"]["before"] == "no"
    assert "For research. Not a medical device." in second["warnings"]


def test_the_card_is_plain_json_and_the_terminal_names_it(compared_workspace):
    """No number in it is none."""
    done = report(compared_workspace)

    text = (compared_workspace.root / "report.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert json.loads(text)
    assert done.facts["card"] == str(compared_workspace.root / "report.json")


def test_reviewers_find_what_is_known_and_where_and_the_rest_is_left_to_people(material, compared_workspace):
    """Every line leads to a place on the page; what no software can know is a blank."""
    section = reviewers_section(material)
    report(compared_workspace)
    page = compared_workspace.report.read_text(encoding="utf-8")

    lines = [line for _, part in section["parts"] for line in part]
    assert {line.anchor for line in lines if f'id="{line.anchor}"' not in page} == {""}
    subjects = " ".join(line.subject for line in lines)
    for subject in (
        "Source and dates",
        "Partitions",
        "Reference standard",
        "Missing data",
        "Thresholds",
        "Calibration",
    ):
        assert subject in subjects
    assert page.count("to be filled in by people") == len(FOR_PEOPLE)
    assert any("Funding" in blank for blank in section["blanks"])
    assert any("Ethics" in blank for blank in section["blanks"])
