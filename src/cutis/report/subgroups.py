"""For whom the figures hold: every group that was recorded, each with its gap to all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from cutis.report.tables import Cell, Row, Shown, Table, clauses, joined, methods_of
from cutis.vocabulary.estimate import Estimate

TOLD_APART = ("macro_auc", "argmax/balanced_accuracy", "argmax/accuracy")
SHORT = {
    "macro_auc": "macro AUC",
    "argmax/balanced_accuracy": "balanced accuracy",
    "argmax/accuracy": "accuracy",
    "argmax/malignant_sensitivity": "malignant called malignant",
    "argmax/malignant_specificity": "benign called benign",
    "overconfidence": "surer than right by",
}
FEW = "few {kind}s: the interval is not to be relied on"
MEAN_OVER = "mean over"
UNRELIABLE = ("too few to rely", "to rely on the interval")


def subgroups_section(said: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    """Return the groups with figures and gaps, and what must be known to read them.

    Args:
        said: subgroups.json.
        kind: of cluster.
    """
    groups, spoken = said["groups"], _spoken(said)
    estimates = [Estimate(**each) for group in groups for each in group["estimates"].values()]
    return {
        "tables": [
            _table(groups, [name for name in names if name in spoken], said, kind=kind)
            for names in (TOLD_APART, [name for name in said["figures"] if name not in TOLD_APART])
        ],
        "mute": [SHORT.get(name, label) for name, label in said["figures"].items() if name not in spoken],
        "examined": said["gaps_examined"],
        "apart": said["gaps_apart"],
        "apart_names": _apart(said),
        "silent": _silent(groups),
        "fewest": said["fewest_clusters"],
        "unrecorded": said["unrecorded"],
        "methods": methods_of(estimates),
    }


def _table(groups: Sequence[Mapping[str, Any]], names: Sequence[str], said: Mapping[str, Any], *, kind: str) -> Table:
    parts = [
        (attribute, [_row(group, names, kind=kind) for group in members if _speaks(group)])
        for attribute, members in groupby(groups, lambda group: group["attribute"])
    ]
    columns = ("group", "pictures", f"{kind}s", *(SHORT.get(name, said["figures"][name]) for name in names))
    return joined(parts, caption="By group; beneath each figure, its gap to all others that are known", columns=columns)


def _row(group: Mapping[str, Any], names: Sequence[str], *, kind: str) -> Row:
    cells = (_cell(group["estimates"][name], group["gaps"][name], kind=kind) for name in names)
    return (group["group"], group["cases"], group["clusters"], *cells)


def _cell(estimate: Mapping[str, Any], gap: Mapping[str, Any], *, kind: str) -> Cell:
    """Return a figure with its gap beneath, or why there is none."""
    figure, apart = (_briefly(Estimate(**each), kind=kind) for each in (estimate, gap))
    if figure.value is None:
        return "too few"
    if apart.value is None:
        return Shown(figure, beneath="gap: too few")
    return Shown(figure, beneath="gap", gap=apart)


def _briefly(estimate: Estimate, *, kind: str) -> Estimate:
    """Say of a group what its row does not say already: which diagnoses speak, and that the interval is doubtful."""
    said = clauses(estimate.note)
    kept = [clause for clause in said if clause.startswith(MEAN_OVER)]
    doubtful = any(words in clause for clause in said for words in UNRELIABLE)
    return replace(estimate, note="; ".join([*kept, *([FEW.format(kind=kind)] if doubtful else [])]))


def _apart(said: Mapping[str, Any]) -> dict[str, list[str]]:
    """Name by attribute the groups that lie apart from the others, each with the figures in which it does."""
    named: dict[str, list[str]] = {}
    for group in said["groups"]:
        apart = [SHORT.get(name, said["figures"][name]) for name, gap in group["gaps"].items() if _leaves_zero_out(gap)]
        if apart:
            named.setdefault(group["attribute"], []).append(f"{group['group']} ({', '.join(apart)})")
    return named


def _leaves_zero_out(gap: Mapping[str, Any]) -> bool:
    return gap["low"] is not None and gap["high"] is not None and not gap["low"] <= 0 <= gap["high"]


def _silent(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the groups of which too few clusters carry every figure, with their number, by attribute."""
    named = []
    for attribute, members in groupby(groups, lambda group: group["attribute"]):
        silent = [f"{group['group']} ({group['clusters']:,})" for group in members if not _speaks(group)]
        named += [f"{attribute}: {', '.join(silent)}"] if silent else []
    return named


def _spoken(said: Mapping[str, Any]) -> set[str]:
    """Return the figures that at least one group has."""
    found = (group["estimates"].items() for group in said["groups"])
    return {name for estimates in found for name, each in estimates if each["value"] is not None}


def _speaks(group: Mapping[str, Any]) -> bool:
    return any(each["value"] is not None for each in group["estimates"].values())
