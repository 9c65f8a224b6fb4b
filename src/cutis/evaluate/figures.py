"""Confusion matrix, ROC, reliability and differences as SVG: 640 pixels wide, text as text, always the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cutis.evaluate.calibration import ANSWER, Calibration
from cutis.stats.metrics import ARGMAX, ONE_VS_REST, RocCurve, roc_curve
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import stamp, written_aside
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Taxonomy

WIDTH = 640 / 96  # inches, as a browser counts pixels
# Blue and vermilion stay apart in every kind of colour blindness (Okabe and Ito 2008).
BLUE, VERMILION, GREY, PALE = "#0072b2", "#d55e00", "#666666", "#d4d4d4"
DARK_CELL = 0.55  # from this share on, white figures read better than black ones
PANELS_IN_THREE_COLUMNS = 6
GRID = np.linspace(0, 1, 101)
UPRIGHT_LABELS = 10  # more of them would touch
LONGEST_NAME = 24  # of a bundle beside its line
STYLE: Any = {  # matplotlib types its keys one by one
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as SVG without a date, so that the same figure is the same file.

    Ids are salted by the file's name, so that several figures can stand in one page.
    """
    kind = stamp("figure")
    description = f"cutis {kind['kind']}, format {kind['format']}"
    with mpl.rc_context(STYLE | {"svg.hashsalt": path.name}), written_aside(path) as aside:
        figure.savefig(aside, format="svg", metadata={"Date": None, "Creator": None, "Description": description})


def confusion_figure(confusion: NDArray[np.int64], taxonomy: Taxonomy, *, of_what: str) -> Figure:
    """Draw how many pictures (K, K) of each truth (row) got each answer; the colour is the share of the row."""
    kinds = range(len(taxonomy))
    totals = confusion.sum(axis=1)
    shares = confusion / np.maximum(totals, 1)[:, None]
    short = [disease.abbreviation for disease in taxonomy.diseases]
    with mpl.rc_context(STYLE):
        figure = _figure(1.3 + 0.33 * len(taxonomy), "What each diagnosis was called (arg-max)")
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in zip(*np.nonzero(confusion), strict=True):
            ink = "white" if shares[row, column] > DARK_CELL else "black"
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{confusion[row, column]}", ha="center", va="center", color=ink, weight=weight)
        axes.set_xticks(kinds, short, rotation=45 if len(taxonomy) > UPRIGHT_LABELS else 0)
        axes.set_yticks(kinds, [f"{disease.name} · {disease.abbreviation}" for disease in taxonomy.diseases])
        for label, malignant in zip(axes.get_yticklabels(), taxonomy.malignant, strict=True):
            label.set_fontweight("bold" if malignant else "normal")
        axes.set(xlabel="answer", ylabel="truth")
        right = axes.secondary_yaxis("right")
        right.set_yticks(kinds, [f"n = {total}" for total in totals])
        for side in (axes, right):
            side.tick_params(length=0)
            side.spines[:].set_visible(False)
        _caption(
            figure, f"{of_what}\nCell: pictures. Colour: share of the row, white 0 to dark 1. Bold name: malignant."
        )
    return figure


def roc_figure(
    predictions: Predictions, estimates: Mapping[str, Estimate], taxonomy: Taxonomy, *, of_what: str
) -> Figure:
    """Draw a panel per diagnosis: its ROC curve against the rest, before the mean of all, and where it works."""
    truth = np.asarray(predictions.truth)
    curves = [roc_curve(scores, truth == kind) for kind, scores in enumerate(predictions.probabilities.T)]
    mean = _mean_sensitivity(curves)
    columns = 4 if len(taxonomy) > PANELS_IN_THREE_COLUMNS else 3
    rows = -(-len(taxonomy) // columns)
    with mpl.rc_context(STYLE):
        title = f"ROC, each diagnosis against the rest: macro AUC {_spoken(estimates['macro_auc'])}"
        figure = _figure(0.8 + (7.2 / columns - 0.12) * rows, title)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, disease, curve in zip(panels, taxonomy.diseases, curves, strict=False):
            axes.plot(GRID, mean, color=PALE, linewidth=2.4)
            axes.plot(curve.false_positive_rate, curve.sensitivity, color=BLUE, linewidth=1.6)
            _mark_operating_points(axes, estimates, disease.code)
            axes.set_title(disease.abbreviation, loc="left", fontsize=9, weight="bold", pad=3)
            axes.text(1, 0.04, "AUC " + _spoken(estimates[f"auc/{disease.code}"]), ha="right", fontsize=7)
            axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        for lowest in panels[max(0, len(taxonomy) - columns) : len(taxonomy)]:
            lowest.tick_params(labelbottom=True)
        for spare in panels[len(taxonomy) :]:
            spare.set_axis_off()
        reading = (
            "Across: 1 − specificity. Up: sensitivity. Grey: mean of all. Points: ● at its threshold, ○ by arg-max."
        )
        _caption(figure, f"{of_what}\n{reading}")
    return figure


def reliability_figure(calibration: Calibration, confidence: NDArray[np.float64], *, of_what: str) -> Figure:
    """Draw how often the answer is right against how sure it was, and how often it is how sure (N,)."""
    error = calibration.estimates["expected_calibration_error"].value
    bins = calibration.reliability[ANSWER]
    with mpl.rc_context(STYLE):
        figure = _figure(5.4, f"How often an answer is right, by its probability (mean distance {error:.3f})")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        upper.plot((0, 1), (0, 1), color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        for each in bins:
            if each.observed.low is not None and each.observed.high is not None:
                upper.plot([each.predicted] * 2, [each.observed.low, each.observed.high], color=BLUE, linewidth=1.4)
        upper.plot([each.predicted for each in bins], [each.observed.value for each in bins], "o", color=BLUE)
        upper.set(ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1.02))
        lower.hist(confidence, bins=np.linspace(0, 1, 21).tolist(), color=BLUE, edgecolor="white", linewidth=0.6)
        lower.set(xlabel="calibrated probability of the answer", ylabel="pictures")
        _caption(
            figure,
            f"{of_what}\nPoints: bins of equally many pictures. Bars: 95% intervals. Dashed: as often right as sure.",
        )
    return figure


def comparison_figure(
    differences: Mapping[str, Mapping[str, Estimate]], shown: Mapping[str, str], *, reference: str, of_what: str
) -> Figure:
    """Draw how far each rival lies from the reference: a panel per figure `shown`, a line per rival."""
    names = list(differences)
    short = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in names]
    with mpl.rc_context(STYLE):
        figure = _figure(1.5 + 0.3 * len(names), f"Difference to {reference}")
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False).ravel()
        for axes, (what, label) in zip(panels, shown.items(), strict=True):
            axes.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            for row, name in enumerate(names):
                _draw_difference(axes, row, differences[name][what])
            reach = max((abs(end) for end in axes.dataLim.intervalx), default=0)
            axes.set(xlim=(-1.1 * reach or -1, 1.1 * reach or 1), ylim=(len(names) - 0.5, -0.5))
            axes.set_yticks(range(len(names)), short)
            axes.locator_params(axis="x", nbins=4)
            axes.set_title(label, loc="left", fontsize=9, weight="bold")
        reading = "Points: rival − reference, right of the line better. Bars: 95% intervals, the same cases for both."
        _caption(figure, f"{of_what}\n{reading}")
    return figure


def _draw_difference(axes: Axes, row: int, difference: Estimate) -> None:
    """Draw a point with its interval, and say it at the right end of its row."""
    said = "not available"
    if difference.value is not None:
        said = f"{difference.value:+.3f}"
        axes.plot([difference.value], [row], "o", color=BLUE, markersize=5)
    if difference.low is not None and difference.high is not None:
        said += f" ({difference.low:+.3f} to {difference.high:+.3f})"
        axes.plot([difference.low, difference.high], [row, row], color=BLUE, linewidth=1.4)
    axes.text(1.03, row, said, transform=axes.get_yaxis_transform(), va="center", fontsize=7)


def _figure(height: float, title: str) -> Figure:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
    return figure


def _caption(figure: Figure, text: str) -> None:
    figure.supxlabel(text, x=0.01, ha="left", fontsize=7.5, color=GREY)


def _mean_sensitivity(curves: Sequence[RocCurve]) -> NDArray[np.float64]:
    """Average the curves of the diagnoses that have one, at each false positive rate of the grid."""
    there = [curve for curve in curves if np.isfinite(curve.false_positive_rate + curve.sensitivity).all()]
    heights = [np.interp(GRID, curve.false_positive_rate, curve.sensitivity) for curve in there]
    mean: NDArray[np.float64] = np.mean(heights or [np.full(len(GRID), np.nan)], axis=0)
    return mean


def _mark_operating_points(axes: Axes, estimates: Mapping[str, Estimate], code: str) -> None:
    for convention, filling in ((ONE_VS_REST, VERMILION), (ARGMAX, "white")):
        found = estimates[f"{convention}/sensitivity/{code}"].value
        spared = estimates[f"{convention}/specificity/{code}"].value
        if found is not None and spared is not None:
            axes.plot(1 - spared, found, "o", markersize=5, color=VERMILION, markerfacecolor=filling, zorder=3)


def _spoken(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not available" if estimate.value is None else f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"
