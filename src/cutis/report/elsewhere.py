"""The frozen bundle on other datasets: the same figures there, and what it says of diagnoses that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.drawings import drawings_of
from cutis.report.evidence import HEADLINES, table_by_diagnosis
from cutis.report.material import Evaluation, Trained
from cutis.report.tables import Row, Table, estimates_of, methods_of
from cutis.report.words import counted, percent, spoken, times
from cutis.vocabulary.estimate import Estimate

DRAWN = ("confusion", "roc", "reliability", "decision_curve")


def elsewhere_sections(trained: Trained) -> list[dict[str, Any]]:
    """Return what was found on each other dataset, beside what was found at home."""
    home = trained.evaluation.content if trained.evaluation else None
    return [_section(other, evaluation, trained, home) for other, evaluation in trained.evaluations_elsewhere.items()]


def _section(other: str, evaluation: Evaluation, trained: Trained, home: Mapping[str, Any] | None) -> dict[str, Any]:
    content, taxonomy = evaluation.content, trained.bundle.taxonomy
    there, estimates = content["elsewhere"], estimates_of(content["estimates"])
    return {
        "other": other,
        "content": content,
        "opened": times(content["openings"]["of_this_dataset"]),
        "common": _common(there["common"]),
        "missing": [each.name for each in taxonomy.diseases if not _is_common(each.code, there["common"])],
        "headlines": _headlines(home, content),
        "kept": _kept(home, content),
        "by_diagnosis": table_by_diagnosis(estimates, taxonomy, _with_cases(content), kind=content["cluster_kind"]),
        "foreign": _foreign(there["foreign"], {each.code: each.name for each in taxonomy.diseases}),
        "drawings": {name: each for name, each in drawings_of(evaluation, taxonomy).items() if name in DRAWN},
        "methods": methods_of(estimates.values()),
    }


def _with_cases(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table by diagnosis needs, without the diagnoses that nobody has there."""
    support = {code: counts for code, counts in content["support"].items() if counts["cases"]}
    return {**content, "support": support}


def _headlines(home: Mapping[str, Any] | None, there: Mapping[str, Any]) -> Table:
    """Return the figures to be read first: at home, there, and there if nothing but the common diagnoses were asked."""
    restricted = there["elsewhere"]["restricted"]
    ways = {
        "at home": home["estimates"] if home else None,
        "there": there["estimates"],
        "there, if only the common diagnoses were asked": restricted["estimates"] if restricted else None,
    }
    found = {way: estimates_of(said) for way, said in ways.items() if said}
    return _beside("The figures to be read first", HEADLINES, found)


def _kept(home: Mapping[str, Any] | None, there: Mapping[str, Any]) -> Table:
    """Return whether probabilities, sets and abstention keep their word there."""
    labels: dict[str, str] = {}
    found: dict[str, dict[str, Estimate]] = {}
    for way, said in {"at home": home, "there": there}.items():
        if said:
            named = _words_kept(said)
            labels |= {name: name for name in named}
            found[way] = named
    return _beside("Whether probabilities, sets and abstention keep their word", labels, found)


def _words_kept(said: Mapping[str, Any]) -> dict[str, Estimate]:
    """Return figures by what they are called."""
    calibration = estimates_of(said["calibration"]["estimates"])
    chosen = {
        "expected calibration error of the answer": calibration.get("expected_calibration_error"),
        "malignant or not: calibration slope": calibration.get("malignant_calibration_slope"),
        "malignant or not: intercept beside a slope of 1": calibration.get("malignant_calibration_in_the_large"),
    }
    for sets in said["sets"]:
        estimates = estimates_of(sets["estimates"])
        chosen[f"{sets['method']} sets of {percent(sets['promised'])} hold the diagnosis"] = estimates["coverage"]
        chosen[f"diagnoses in such a set, {sets['method']}"] = estimates["set_size"]
    if said["abstention"]:
        estimates = estimates_of(said["abstention"]["estimates"])
        chosen["pictures that are answered"] = estimates["answered"]
        chosen["right answers among the answered"] = estimates["accuracy_where_answered"]
        missed = estimates.get("malignant_called_benign_and_answered")
        chosen["malignant called benign, and answered"] = missed
    return {name: estimate for name, estimate in chosen.items() if estimate is not None}


def _beside(caption: str, labels: Mapping[str, str], found: Mapping[str, Mapping[str, Estimate]]) -> Table:
    rows: tuple[Row, ...] = tuple(
        (label, *(cell or "" for way in found for cell in (found[way].get(name),)))
        for name, label in labels.items()
        if any(name in each for each in found.values())
    )
    return Table(caption, ("figure", *found), rows)


def _common(common: list[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (each["theirs"]["name"], each["theirs"]["code"], each["ours"]["name"], each["ours"]["code"]) for each in common
    )
    return Table("Diagnoses that both know", ("there", "code there", "here", "code here"), rows)


def _is_common(code: str, common: list[Mapping[str, Any]]) -> bool:
    return any(each["ours"]["code"] == code for each in common)


def _foreign(foreign: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what is said of diagnoses that the network does not know, to which no answer can be right."""
    if not foreign["cases"]:
        return None
    estimates = estimates_of(foreign["estimates"])
    rows: tuple[Row, ...] = tuple(
        (
            f"{each['name']} (malignant)" if each["malignant"] else each["name"],
            each["cases"],
            each["clusters"],
            Estimate(**each["mean_top_probability"]),
            Estimate(**each["called_malignant"]),
            counted({names.get(code, code): count for code, count in each["answers"].items()}),
        )
        for each in foreign["diagnoses"]
    )
    columns = ("diagnosis", "pictures", "independent", "mean probability of the answer", "called malignant", "answers")
    return {
        "cases": foreign["cases"],
        "clusters": foreign["clusters"],
        "figures": Table(
            "How sure the network is of them, and what it calls them",
            ("figure", "estimate (interval)"),
            tuple((_said(name), estimate) for name, estimate in estimates.items()),
        ),
        "diagnoses": Table("Diagnoses that the network does not know", columns, rows),
    }


def _said(name: str) -> str:
    group, _, what = name.rpartition("/")
    return ", ".join(filter(None, (spoken(what), spoken(group))))
