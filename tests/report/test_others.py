"""The bundle against a protocol, against others, and on other datasets."""

from __future__ import annotations

from copy import deepcopy

from cutis.report.comparison import areas_table, comparison_section, differences_table, rivals_table, shares_table
from cutis.report.elsewhere import elsewhere_sections
from cutis.report.protocol import protocol_section
from cutis.report.tables import Shown
from cutis.vocabulary.estimate import Estimate

NAMES = {"a": "disease a"}


def _estimate(value=0.5):
    return Estimate(value=value, low=0.4, high=0.6, method="invented", clusters=9, cluster_kind="patient")


def test_what_was_asked_is_told_with_its_margin_gain_p_and_verdict(first, material):
    """An endpoint against another bundle is not tested alone, and is judged where both are compared."""
    alone = protocol_section(first.evaluation.content["protocol"], {})
    together = protocol_section(material.comparison.content["protocol"], {})

    assert alone["said"] is None
    assert not together["untested"]
    assert (alone["before"], together["before"]) == ("there was no protocol", "NO")
    primary, secondary = together["endpoints"].rows
    assert primary[:3] == ("macro AUC, against 0.99", "primary", "superiority, margin 0.000")
    assert primary[5:] == ("stands alone", "not shown")
    assert secondary[0] == "macro specificity, one-vs-rest, against second"
    assert secondary[6] in {"shown", "not shown"}


def test_an_endpoint_that_could_not_be_tested_has_no_number(material):
    """Neither a gain nor a p is made up."""
    said = deepcopy(material.comparison.content["protocol"])
    said["endpoints"][1]["verdict"] |= {"outcome": "not_testable", "gain": None, "p": None, "p_adjusted": None}

    section = protocol_section(said, {})

    row = section["endpoints"].rows[1]
    assert section["untested"]
    assert row[3:] == ("not available", "not tested", "not tested", "not tested")


def test_the_reference_has_no_difference_to_itself():
    """A row per bundle; the reference says that it is the one."""
    names = ("macro_auc", "argmax/balanced_accuracy")
    estimates = {name: dict.fromkeys(names, _estimate()) for name in ("first", "second")}
    differences = {"second": dict.fromkeys(names, _estimate(0.1))}

    table = rivals_table(estimates, differences, reference="first")

    apart = Shown(_estimate(0.1), is_signed=True)
    assert table.groups == (("", 1), ("macro AUC", 2), ("balanced accuracy, arg-max", 2))
    assert table.rows == (
        ("first", _estimate(), "reference", _estimate(), "reference"),
        ("second", _estimate(), apart, _estimate(), apart),
    )


def test_every_difference_has_its_row_every_rival_its_column_and_its_p():
    """Diagnoses stand under their names."""
    compared = {"difference": _estimate().to_dict(), "p": 0.0213}
    differences = {name: {"argmax/accuracy": compared, "f1/a": compared | {"p": None}} for name in ("second", "third")}

    table = differences_table(differences, NAMES, reference="first")

    assert table.columns == ("figure", "second", "third")
    assert [row[0] for row in table.rows] == ["accuracy, arg-max", "F1 score, disease a"]
    assert [row[1].beneath for row in table.rows] == ["p 0.021", ""]


def test_areas_have_delong_and_holm_and_shares_have_mcnemar():
    """*Malignant or not* belongs to no family; of the shares the page has those that are read most."""
    area = {"difference": _estimate(0.02).to_dict(), "standard_error": 0.01, "z": 2.0, "p": 0.046}
    share = {"only_reference": 3, "only_other": 9, "p": 0.146, "method": "McNemar, exact binomial", "note": ""}
    untested = share | {"p": None, "note": "right on the same cases"}
    tests = {
        "second": {
            "areas": {"auc/a": area | {"p_holm": 0.092}, "malignant_auc": area},
            "shares": {"argmax/accuracy": share, "argmax/sensitivity/a": share, "argmax/malignant_accuracy": untested},
        }
    }

    areas, shares = areas_table(tests, NAMES), shares_table(tests, NAMES)

    assert [(row[0], *row[2:]) for row in areas.rows] == [
        ("AUC, disease a", "0.046", "0.092"),
        ("malignant or not: AUC", "0.046", "stands alone"),
    ]
    assert shares.rows == (
        ("accuracy, arg-max", 3, 9, "0.146", "McNemar, exact binomial"),
        ("malignant or not: accuracy, arg-max", 3, 9, "not tested", "right on the same cases"),
    )


def test_an_area_has_one_interval_on_the_page(material):
    """It is tested by its covariance, and so not shown with another interval above."""
    section = comparison_section(material.comparison)

    assert not any("AUC, disease" in row[0] for row in section["differences"].rows)
    assert sum("AUC, disease" in row[0] for row in section["areas"].rows) == 3


def test_elsewhere_stands_beside_home_and_foreign_diagnoses_have_their_own_tables(first):
    """Three readings of what is common; what cannot be answered rightly is told by diagnosis, with the answers."""
    (section,) = elsewhere_sections(first)

    assert section["other"] == "coast"
    assert section["headlines"].columns == (
        "figure",
        "at home",
        "there",
        "there, if only the common diagnoses were asked",
    )
    assert section["missing"] == ["disease B"]
    assert [row[0] for row in section["common"].rows] == ["disease A", "disease C"]
    assert [row[0] for row in section["by_diagnosis"].rows] == ["disease A", "disease C (malignant)"]
    (foreign,) = section["foreign"]["diagnoses"].rows
    assert foreign[0] == "disease D"
    assert "disease " in foreign[5]
    kept = [row[0] for row in section["kept"].rows]
    assert "pictures that are answered" in kept
    assert "malignant or not: calibration slope" in kept
