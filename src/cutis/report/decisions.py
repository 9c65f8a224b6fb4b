"""What *malignant or not* is worth where it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.tables import Row, Shown, Table, estimates_of, methods_of
from cutis.report.words import number
from cutis.vocabulary.estimate import Estimate

THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)  # whose net benefit is printed; the figure has more
OWN = "own"
DIGITS = 4  # at a prevalence of 1 % a net benefit is below 0.01


def decisions_section(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return predictive values and net benefit by prevalence; None where nothing is to be decided."""
    said = content["decisions"]
    if said is None:
        return None
    return {
        "said": said,
        "method": methods_of(_estimates(said["net_benefit"][OWN]["network"])),
        "own": number(said["own_prevalence"]),
        "threshold": None if said["threshold"] is None else number(said["threshold"]),
        "values": _values(said) if said["predictive_values"] else None,
        "net_benefit": _net_benefit(said),
    }


def called(prevalence: str, *, own: float) -> str:
    """Return what a prevalence is called in a table."""
    return f"this test’s {own:.1%}" if prevalence == OWN else f"{float(prevalence):.3g} ({float(prevalence):.1%})"


def _values(said: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for prevalence, found in said["predictive_values"].items():
        estimates = estimates_of(found)
        rows.append((called(prevalence, own=said["own_prevalence"]), estimates["ppv"], estimates["npv"]))
    columns = ("prevalence of malignancy", "of those flagged, share malignant", "of the others, share benign")
    return Table("Predictive values of malignant or not, at its threshold", columns, tuple(rows))


def _net_benefit(said: Mapping[str, Any]) -> Table:
    at = [place for place, threshold in enumerate(said["thresholds"]) if threshold in THRESHOLDS]
    lines = [(_estimates(by["network"]), _estimates(by["all"])) for by in said["net_benefit"].values()]
    rows: tuple[Row, ...] = tuple(
        (f"{said['thresholds'][place]:g}", *(_cell(network[place], everybody[place]) for network, everybody in lines))
        for place in at
    )
    own = said["own_prevalence"]
    columns = ("refer from", *(called(prevalence, own=own) for prevalence in said["net_benefit"]))
    return Table("Net benefit of referring whom the network flags, by the prevalence of malignancy", columns, rows)


def _cell(network: Estimate, everybody: Estimate) -> Shown:
    """Return the network's net benefit, and beneath it that of referring all, which is arithmetic."""
    of_all = "not available" if everybody.value is None else number(everybody.value, digits=DIGITS)
    return Shown(network, digits=DIGITS, beneath=f"all: {of_all}")


def _estimates(line: list[dict[str, Any]]) -> list[Estimate]:
    return [Estimate(**each) for each in line]
