"""Points with intervals in rows: what each diagnosis, each group and each rival bundle reaches."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cutis.evaluate.evidence import Evidence
from cutis.evaluate.figures import (
    DASHED,
    GREY,
    SMALL,
    STRIPE,
    draw_across,
    framed,
    reliable,
    spoken,
    weight_of,
)
from cutis.evaluate.subgroups import Subgroup, Subgroups
from cutis.stats.intervals import FEWEST_CLUSTERS
from cutis.stats.metrics import ONE_VS_REST
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.taxonomy import Taxonomy

LONGEST_RIVAL = 24  # letters of a bundle beside its line
LONGEST_NAME = 34  # of a diagnosis
LONGEST_GROUP = 22
ROW, TALL_ROW = 0.19, 0.37  # inches
COLUMNS = {"AUC": "auc", "sensitivity": f"{ONE_VS_REST}/sensitivity", "specificity": f"{ONE_VS_REST}/specificity"}
OF_GROUPS = {"macro_auc": "macro AUC", "argmax/balanced_accuracy": "balanced accuracy"}


class _Row(NamedTuple):
    name: str
    beneath: str  # in small type
    weight: str
    estimates: tuple[Estimate, ...]  # by COLUMNS


def forest_figure(evidence: Evidence, taxonomy: Taxonomy, *, of_what: str) -> Figure:
    """Draw area, sensitivity and specificity of each diagnosis against the rest, and of all, with their intervals."""
    rows = list(_rows_of(evidence, taxonomy))
    reading = (
        "Each diagnosis against the rest, sensitivity and specificity at its own threshold. Points with 95% intervals; "
        "hollow: too few cases to rely on the interval, as its note in the tables says; ◂: it goes on below the scale. "
        "Bold name: malignant."
    )
    with framed(_range_of(evidence, taxonomy), of_what, reading, height=0.5 + TALL_ROW * len(rows)) as figure:
        panels = figure.subplots(1, len(COLUMNS), sharey=True).ravel()
        for column, (axes, label) in enumerate(zip(panels, COLUMNS, strict=True)):
            drawn = [row.estimates[column] for row in rows]
            lowest = _floor([each for each in drawn if not each.note] or drawn)
            _set_rows(axes, label, count=len(rows), lowest=lowest)
            for place, estimate in enumerate(drawn):
                if place % 2 == 0:
                    axes.axhspan(place - 0.5, place + 0.5, color=STRIPE, linewidth=0, zorder=0)
                draw_across(axes, place + 0.2, estimate, hollow=bool(estimate.note), lowest=lowest)
                _write(axes, place - 0.2, spoken(estimate), at=1.0, ha="right")
        for place, row in enumerate(rows):
            _write(panels[0], place - 0.18, row.name, at=-0.05, ha="right", fontsize=8, weight=row.weight)
            _write(panels[0], place + 0.24, row.beneath, at=-0.05, ha="right", color=GREY)
    return figure


def subgroups_figure(subgroups: Subgroups, evidence: Evidence, *, of_what: str) -> Figure:
    """Draw macro AUC and balanced accuracy of each group, with the gap to all others beside them."""
    rows: list[Subgroup | str] = []
    for attribute, groups in groupby(subgroups.groups, key=lambda group: group.attribute):
        rows += [attribute, *groups]
    kind = evidence.estimates["macro_auc"].cluster_kind
    reading = (
        "Points with 95% intervals; hollow: of few cases, or a mean over fewer diagnoses than elsewhere, so that only "
        "the gap compares fairly. Gap: the group less all others of whom it is known; bold: its interval leaves 0 out, "
        f"as {subgroups.gaps_apart} of the {subgroups.gaps_examined} gaps in all figures do; by chance one in twenty "
        f"would. A diagnosis of fewer than {FEWEST_CLUSTERS} {kind}s does not speak."
    )
    with framed(_furthest(subgroups.groups), of_what, reading, height=0.5 + ROW * len(rows)) as figure:
        panels = figure.subplots(1, len(OF_GROUPS), sharey=True).ravel()
        for axes, (what, label) in zip(panels, OF_GROUPS.items(), strict=True):
            drawn = {place: row for place, row in enumerate(rows) if isinstance(row, Subgroup)}
            lowest = _floor(each.estimates[what] for each in drawn.values())
            _set_rows(axes, label.replace(" ", "\n"), count=len(rows), lowest=lowest)
            for place, group in drawn.items():
                _draw_group(axes, place, group, what)
            axes.text(1.08, 1.01, "gap", transform=axes.transAxes, fontsize=9, weight="bold")
        for place, row in enumerate(rows):
            _name_row(panels[0], place, row, kind)
    return figure


def comparison_figure(
    differences: Mapping[str, Mapping[str, Estimate]], shown: Mapping[str, str], *, reference: str, of_what: str
) -> Figure:
    """Draw how far each rival lies from the reference: a panel per figure `shown`, a line per rival."""
    names = list(differences)
    short = [name if len(name) <= LONGEST_RIVAL else name[: LONGEST_RIVAL - 1] + "…" for name in names]
    reading = "Points: rival − reference, right of the line better. Bars: 95% intervals, the same cases for both."
    with framed(f"Difference to {reference}", of_what, reading, height=0.6 + 0.3 * len(names)) as figure:
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False).ravel()
        for axes, (what, label) in zip(panels, shown.items(), strict=True):
            axes.axvline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
            for row, name in enumerate(names):
                _draw_difference(axes, row, differences[name][what])
            reach = max((abs(end) for end in axes.dataLim.intervalx), default=0)
            axes.set(xlim=(-1.1 * reach or -1, 1.1 * reach or 1), ylim=(len(names) - 0.5, -0.5))
            axes.set_yticks(range(len(names)), short)
            axes.locator_params(axis="x", nbins=4)
            axes.set_title(label, loc="left", fontsize=9, weight="bold")
    return figure


def _rows_of(evidence: Evidence, taxonomy: Taxonomy) -> Iterator[_Row]:
    estimates = evidence.estimates
    kind = estimates["macro_auc"].cluster_kind
    for disease in taxonomy.diseases:
        counts = evidence.support[disease.code]
        yield _Row(
            f"{textwrap.shorten(disease.name, LONGEST_NAME, placeholder='…')} · {disease.abbreviation}",
            f"{counts['cases']:,} pictures of {counts['clusters']:,} {kind}s",
            weight_of(disease.malignant),
            tuple(estimates[f"{what}/{disease.code}"] for what in COLUMNS.values()),
        )
    of_all = {"all diagnoses": ("macro_", "their mean"), "malignant or not": ("malignant_", "the malignant as one")}
    for name, (prefix, beneath) in of_all.items():
        figures = [_with_prefix(what, prefix) for what in COLUMNS.values()]
        if all(figure in estimates for figure in figures):
            yield _Row(name, beneath, "normal", tuple(estimates[figure] for figure in figures))


def _with_prefix(what: str, prefix: str) -> str:
    *convention, figure = what.split("/")
    return "/".join([*convention, prefix + figure])


def _range_of(evidence: Evidence, taxonomy: Taxonomy) -> str:
    """Say between which diagnoses the areas lie."""
    areas = {disease.abbreviation: evidence.estimates[f"auc/{disease.code}"] for disease in taxonomy.diseases}
    there = reliable(areas)
    if not there:
        return "No diagnosis can be told from the rest: the test holds only one"
    if len(there) == 1:
        return f"AUC of {there[0][1]}: {spoken(there[0][2])}"
    (_, hardest, lowest), *_, (_, easiest, highest) = there
    return f"From the rest, {easiest} is told best, AUC {spoken(highest)}, and {hardest} worst, {spoken(lowest)}"


def _floor(estimates: Iterable[Estimate]) -> float:
    """Return the tenth at or below every end, so that the scale begins there."""
    ends = [end for each in estimates for end in (each.low, each.value) if end is not None]
    return math.floor(10 * min(ends, default=0.5)) / 10 - 0.01


def _set_rows(axes: Axes, label: str, *, count: int, lowest: float) -> None:
    axes.set(xlim=(lowest, 1.01), ylim=(count - 0.5, -0.5), yticks=())
    axes.locator_params(axis="x", nbins=4)
    axes.set_title(label, loc="left", fontsize=9, weight="bold")


def _write(axes: Axes, row: float, said: str, *, at: float, **style: Any) -> None:
    """Write in a row, at a place across the panel: 0 its left end, 1 its right one."""
    axes.text(at, row, said, transform=axes.get_yaxis_transform(), va="center", **{"fontsize": SMALL} | style)


def _draw_group(axes: Axes, place: int, group: Subgroup, what: str) -> None:
    estimate, gap = group.estimates[what], group.gaps[what]
    if estimate.value is None:
        _write(axes, place, "too few to speak", at=0.02, color=GREY)
        return
    draw_across(axes, place, estimate, hollow=bool(estimate.note))
    if gap.value is None:
        _write(axes, place, "the others are too few", at=1.08, color=GREY)
        return
    _write(axes, place, spoken(gap, signed=True), at=1.08, weight="bold" if _lies_apart(gap) else "normal")


def _name_row(axes: Axes, place: int, row: Subgroup | str, kind: str) -> None:
    if isinstance(row, str):
        _write(axes, place, row, at=-0.04, ha="right", fontsize=8, weight="bold")
        return
    name = textwrap.shorten(row.group, LONGEST_GROUP, placeholder="…")
    _write(axes, place, f"{name} · {row.clusters:,} {kind}{'s' * (row.clusters != 1)}", at=-0.04, ha="right")


def _lies_apart(gap: Estimate) -> bool:
    return gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high


def _furthest(groups: Sequence[Subgroup]) -> str:
    """Say which group lies furthest below the others, of those whose gap leaves 0 out."""
    apart = [
        (gap.value, label, group, gap)
        for group in groups
        for what, label in OF_GROUPS.items()
        if (gap := group.gaps[what]).value is not None and _lies_apart(gap)
    ]
    below = [each for each in apart if each[0] < 0]
    if not below:
        return "No group lies clearly below the others in macro AUC or balanced accuracy"
    _, label, group, gap = min(below, key=lambda each: each[0])
    return f"Furthest below the others: {group.attribute} {group.group}, {label} {spoken(gap, signed=True)}"


def _draw_difference(axes: Axes, row: int, difference: Estimate) -> None:
    """Draw a point with its interval, and say it at the right end of its row."""
    draw_across(axes, row, difference)
    said = "not available" if difference.value is None else f"{difference.value:+.3f}"
    if difference.low is not None and difference.high is not None:
        said += f" ({difference.low:+.3f} to {difference.high:+.3f})"
    _write(axes, row, said, at=1.03)
