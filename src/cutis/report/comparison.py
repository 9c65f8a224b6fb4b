"""Bundles in pairs: the reference, how far each of the others lies from it, and whether chance explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cutis.report.drawings import Drawing
from cutis.report.figures import inline_svg
from cutis.report.material import Comparison
from cutis.report.protocol import protocol_section
from cutis.report.tables import Row, Shown, Table, estimates_of, joined, methods_of, of_its_own
from cutis.report.words import MALIGNANT, p_said, parts_of, said_of, times
from cutis.vocabulary.estimate import Estimate

RIVALS_BY = ("macro_auc", "argmax/balanced_accuracy")
WHOLE = "argmax/accuracy"


def comparison_section(comparison: Comparison) -> dict[str, Any]:
    """Return the bundles beside the reference."""
    content, reference, names = comparison.content, comparison.content["reference"], comparison.content["diagnoses"]
    estimates = {name: estimates_of(found) for name, found in content["estimates"].items()}
    differences = {
        name: {what: Estimate(**each["difference"]) for what, each in found.items()}
        for name, found in content["differences"].items()
    }
    drawn = f"How far macro AUC and balanced accuracy of each bundle lie from those of {reference}, with intervals."
    path = comparison.folder / "figures" / "comparison.svg"
    return {
        "content": content,
        "opened": times(content["openings"]),
        "methods": methods_of(each for found in differences.values() for each in found.values()),
        "rivals": rivals_table(estimates, differences, reference=reference),
        "differences": differences_table(_beside_areas(content), names, reference=reference),
        "areas": areas_table(content["tests"], names),
        "shares": shares_table(content["tests"], names),
        "drawing": Drawing(inline_svg(path, alt=f"{drawn} The numbers stand in the table above."), drawn)
        if path.exists()
        else None,
        "protocol": protocol_section(content["protocol"], names),
    }


def rivals_table(
    estimates: Mapping[str, Mapping[str, Estimate]],
    differences: Mapping[str, Mapping[str, Estimate]],
    *,
    reference: str,
) -> Table:
    """Return a row per bundle: two figures, each with its difference to the reference."""
    rows: tuple[Row, ...] = tuple(
        (
            name,
            *(
                cell
                for figure in RIVALS_BY
                for cell in (
                    found[figure],
                    Shown(differences[name][figure], is_signed=True) if name != reference else "reference",
                )
            ),
        )
        for name, found in estimates.items()
    )
    columns = ("bundle", *("estimate (interval)", "difference (interval)") * len(RIVALS_BY))
    groups = (("", 1), *((said_of(figure, {}), 2) for figure in RIVALS_BY))
    return Table(f"Each bundle, and how far it lies from {reference}", columns, rows, groups)


def differences_table(
    differences: Mapping[str, Mapping[str, Mapping[str, Any]]], names: Mapping[str, str], *, reference: str
) -> Table:
    """Return a row per figure, a column per rival, each difference with its p beneath; diagnoses by their names."""
    (figures, *_) = differences.values()
    rows: tuple[Row, ...] = tuple(
        (
            said_of(figure, names),
            *(
                Shown(Estimate(**found[figure]["difference"]), is_signed=True, beneath=_p(found[figure]["p"]))
                for found in differences.values()
            ),
        )
        for figure in figures
    )
    return Table(f"Every other difference that was looked at: bundle − {reference}", ("figure", *differences), rows)


def _beside_areas(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the differences of all figures but the areas, which are tested by their covariance."""
    return {
        name: {figure: each for figure, each in found.items() if figure not in content["tests"][name]["areas"]}
        for name, found in content["differences"].items()
    }


def areas_table(tests: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    """Return DeLong's test of each area, a part per rival, with Holm's p over the diagnoses."""
    parts = ((f"{rival} − reference", _areas(tested["areas"], names)) for rival, tested in tests.items())
    columns = ("area under the ROC curve", "difference (interval)", "p", "p by Holm, over the diagnoses")
    return joined(parts, caption="Areas, tested by their covariance (DeLong, by cluster)", columns=columns)


def shares_table(tests: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    """Return McNemar's test of right answers, and of *malignant or not*, a part per rival."""
    parts = ((f"{rival} and reference", _shares(tested["shares"], names)) for rival, tested in tests.items())
    columns = ("right answers", "reference alone right", "rival alone right", "p", "test")
    return joined(parts, caption="Cases that only one of the two has right (McNemar)", columns=columns)


def _areas(areas: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Row]:
    for name, each in areas.items():
        difference = Shown(of_its_own(Estimate(**each["difference"]), parts_of(name, names).code), is_signed=True)
        adjusted = p_said(each["p_holm"]) if "p_holm" in each else "stands alone"
        yield said_of(name, names), difference, p_said(each["p"]), adjusted


def _shares(shares: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Row]:
    """Yield what is read most; what was tested by diagnosis stands in comparison.json."""
    for name, each in shares.items():
        figure = parts_of(name, names)
        if name == WHOLE or figure.what.startswith(MALIGNANT):
            test = each["method"] if each["p"] is not None else each["note"]
            yield said_of(name, names), each["only_reference"], each["only_other"], p_said(each["p"]), test


def _p(p: float | None) -> str:
    return "" if p is None else f"p {p_said(p)}"
