"""What a probability means, and what a prediction set holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cutis.report.tables import Cell, Row, Shown, Table, cells_of, estimates_of, methods_of
from cutis.report.words import listed
from cutis.vocabulary.estimate import Estimate

ERRORS = {
    "expected_calibration_error": "expected calibration error",
    "debiased_calibration_error": "the same, debiased",
}
FITS = {
    "calibration_slope": "slope",
    "calibration_intercept": "intercept beside that slope",
    "calibration_in_the_large": "intercept beside a slope of 1",
}
SLOPE = "calibration_slope"
OF_SETS = {
    "coverage_of_one_picture": "one picture, at random, of each {kind}: what was promised",
    "coverage": "all pictures alike",
    "coverage_where_answered": "of those that are answered",
    "coverage_where_abstained": "of those that are not answered",
    "coverage_at_equal_prevalences": "if all diagnoses were equally frequent",
}
AT = "coverage_at_prevalence_"
FITTED_ON = {
    "cases with this diagnosis": "its own cases",
    "cases with any of the rare diagnoses": "all rare diagnoses together",
    "too few cases: always in the set": "nothing: always in the set",
}


def calibration_section(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return errors, slopes and intercepts of every event: the answer, *malignant or not*, and each diagnosis."""
    estimates = estimates_of(content["calibration"]["estimates"])
    events = {
        "the most probable diagnosis is right": ("", ""),
        "each diagnosis, on average": ("classwise_", ""),
        "malignant or not": ("malignant_", ""),
    } | {name: ("", code) for code, name in names.items()}

    def table(caption: str, figures: Mapping[str, str]) -> Table:
        rows = ((event, *_cells(estimates, before, figures, code)) for event, (before, code) in events.items())
        return Table(caption, ("event", *figures.values()), tuple(row for row in rows if any(row[1:])))

    return {
        "errors": table("How far probabilities lie from shares, in bins of equally many pictures", ERRORS),
        "fits": table("What turns the probabilities into the truth: 1 and 0 where all is well", FITS),
        "methods": methods_of(estimates.values()),
        "malignant_slope": estimates.get(f"malignant_{SLOPE}"),
    }


def sets_section(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what each kind of prediction sets promises and holds, side by side; None where the bundle makes none."""
    sets: Sequence[Mapping[str, Any]] = content["sets"]
    if not sets:
        return None
    estimates = [estimates_of(each["estimates"]) for each in sets]
    methods = [each["method"] for each in sets]
    return {
        "promised": sets[0]["promised"],
        "promised_for": sets[0]["promised_for"],
        "methods": methods,
        "silent": {each["method"]: listed([names[code] for code in each["says_nothing_of"]]) for each in sets},
        "held": Table(
            "How often the set holds the diagnosis, and how large it is",
            ("among", *methods),
            tuple(_held(estimates, kind=content["cluster_kind"])),
        ),
        "by_diagnosis": Table(
            "How often the set holds the diagnosis, by diagnosis",
            ("diagnosis", f"{content['cluster_kind']}s in calibrate", *methods, "fitted on"),
            tuple(_by_diagnosis(sets, estimates, names)),
        ),
        "how": methods_of(estimate for each in estimates for estimate in each.values()),
    }


def _held(estimates: Sequence[Mapping[str, Estimate]], *, kind: str) -> list[Row]:
    labels = OF_SETS | {
        name: f"if {float(name.removeprefix(AT)):.3g} were malignant" for name in estimates[0] if name.startswith(AT)
    }
    labels |= {"set_size": "diagnoses in a set, on average", "singletons": "sets of a single diagnosis"}
    return [
        (label.format(kind=kind), *(cell for each in estimates for cell in cells_of(each, (name,))))
        for name, label in labels.items()
        if name in estimates[0]
    ]


def _by_diagnosis(
    sets: Sequence[Mapping[str, Any]], estimates: Sequence[Mapping[str, Estimate]], names: Mapping[str, str]
) -> list[Row]:
    return [
        (
            name,
            int(sets[0]["by_diagnosis"][code]["clusters"]),
            *(cell for each in estimates for cell in cells_of(each, (f"coverage/{code}",), code=code)),
            FITTED_ON.get(sets[0]["by_diagnosis"][code]["fitted_on"], sets[0]["by_diagnosis"][code]["fitted_on"]),
        )
        for code, name in names.items()
    ]


def _cells(estimates: Mapping[str, Estimate], before: str, figures: Mapping[str, str], code: str) -> tuple[Cell, ...]:
    """Return a cell for each figure of one event; slopes and intercepts are read with two digits."""
    cells = cells_of(estimates, (f"{before}{figure}/{code}".strip("/") for figure in figures), code=code)
    return tuple(Shown(cell, digits=2) if figures is FITS and isinstance(cell, Estimate) else cell for cell in cells)
