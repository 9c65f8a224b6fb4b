"""A small panel for each diagnosis: its ROC curve or its precision–recall curve, with a band."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cutis.evaluate.curves import GRID, Band, Curves
from cutis.evaluate.evidence import Evidence
from cutis.evaluate.figures import (
    BLUE,
    DASHED,
    FADED,
    GREY,
    PALE,
    VERMILION,
    framed,
    head_panel,
    height_of_panels,
    panels_in,
    reliable,
    spoken,
)
from cutis.stats.intervals import FEWEST_CLUSTERS
from cutis.stats.metrics import ARGMAX, ONE_VS_REST, RocCurve
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.taxonomy import Taxonomy

HEADS = "Above each panel: the diagnosis, bold if malignant, how many pictures have it, and the area with its interval."
POINTS = "Points: ● at its threshold, ○ by arg-max."


def roc_figure(curves: Sequence[Curves], evidence: Evidence, taxonomy: Taxonomy, *, of_what: str) -> Figure:
    """Draw the ROC curve of each diagnosis against the rest, before the mean of all, and where it works."""
    estimates = evidence.estimates
    title = f"Macro AUC {spoken(estimates['macro_auc'])}{_hardest(estimates, 'auc', taxonomy)}"
    reading = f"ROC curve of each diagnosis against the rest; grey: mean of all. {HEADS} {POINTS}"
    mean = _mean_sensitivity([each.roc for each in curves])

    def draw(axes: Axes, drawn: Curves, code: str) -> None:
        axes.plot(GRID, mean, color=PALE, linewidth=2.4)
        _draw_band(axes, drawn.sensitivity)
        axes.plot(drawn.roc.false_positive_rate, drawn.roc.sensitivity, color=BLUE, linewidth=1.6)
        _mark_points(axes, estimates, code, across="specificity", up="sensitivity", from_right=True)

    with framed(
        title,
        of_what,
        f"{reading} {_of_bands(curves, 'sensitivity at each false positive rate', evidence)}",
        height=height_of_panels(len(taxonomy)),
    ) as figure:
        panels = panels_in(figure, len(taxonomy), across="1 − specificity", up="sensitivity")
        _draw_all(panels, curves, evidence, taxonomy, area="auc", draw=draw)
    return figure


def precision_recall_figure(
    curves: Sequence[Curves], evidence: Evidence, taxonomy: Taxonomy, *, of_what: str
) -> Figure:
    """Draw the precision–recall curve of each diagnosis against the rest, above its prevalence."""
    estimates = evidence.estimates
    macro = spoken(estimates["macro_average_precision"])
    title = f"Macro average precision {macro}{_hardest(estimates, 'average_precision', taxonomy)}"
    reading = (
        "Precision, the share that has it of those called so, against sensitivity, each diagnosis against the rest. "
        "Dashed: its prevalence, the precision of guessing."
    )

    def draw(axes: Axes, drawn: Curves, code: str) -> None:
        axes.axhline(drawn.prevalence, color=GREY, linewidth=0.9, linestyle=DASHED)
        _draw_band(axes, drawn.ppv)
        there = drawn.precision_recall.sensitivity > 0
        reached, precision = drawn.precision_recall.sensitivity[there], drawn.precision_recall.ppv[there]
        begun = np.append(0 * reached[:1], reached), np.append(precision[:1], precision)
        axes.plot(*begun, color=BLUE, linewidth=1.4, drawstyle="steps-pre")
        _mark_points(axes, estimates, code, across="sensitivity", up="ppv")

    with framed(
        title,
        of_what,
        f"{reading} {HEADS} {POINTS} {_of_bands(curves, 'precision at each sensitivity', evidence)}",
        height=height_of_panels(len(taxonomy)),
    ) as figure:
        panels = panels_in(figure, len(taxonomy), across="sensitivity (recall)", up="precision (PPV)")
        _draw_all(panels, curves, evidence, taxonomy, area="average_precision", draw=draw)
    return figure


def _draw_all(
    panels: Sequence[Axes],
    curves: Sequence[Curves],
    evidence: Evidence,
    taxonomy: Taxonomy,
    *,
    area: str,
    draw: Callable[[Axes, Curves, str], None],
) -> None:
    for axes, disease, drawn in zip(panels, taxonomy.diseases, curves, strict=True):
        code = disease.code
        said = spoken(evidence.estimates[f"{area}/{code}"])
        head_panel(axes, disease, cases=evidence.support[code]["cases"], said=said)
        draw(axes, drawn, code)


def _draw_band(axes: Axes, band: Band | None) -> None:
    if band is not None:
        axes.fill_between(GRID, band.low, band.high, color=BLUE, alpha=FADED, linewidth=0)


def _mark_points(
    axes: Axes, estimates: Mapping[str, Estimate], code: str, *, across: str, up: str, from_right: bool = False
) -> None:
    for convention, filling in ((ONE_VS_REST, VERMILION), (ARGMAX, "white")):
        place, height = (estimates[f"{convention}/{what}/{code}"].value for what in (across, up))
        if place is not None and height is not None:
            at = 1 - place if from_right else place
            axes.plot(at, height, "o", markersize=5, color=VERMILION, markerfacecolor=filling, zorder=3)


def _mean_sensitivity(curves: Sequence[RocCurve]) -> NDArray[np.float64]:
    """Average the curves of the diagnoses that have one, at each false positive rate of the grid."""
    there = [curve for curve in curves if np.isfinite(curve.false_positive_rate + curve.sensitivity).all()]
    heights = [np.interp(GRID, curve.false_positive_rate, curve.sensitivity) for curve in there]
    mean: NDArray[np.float64] = np.mean(heights or [np.full(len(GRID), np.nan)], axis=0)
    return mean


def _hardest(estimates: Mapping[str, Estimate], area: str, taxonomy: Taxonomy) -> str:
    """Say which diagnosis has the smallest area, if there are several."""
    there = reliable({disease.abbreviation: estimates[f"{area}/{disease.code}"] for disease in taxonomy.diseases})
    if len(there) < 2:  # noqa: PLR2004  the hardest of several
        return ""
    _, name, estimate = there[0]
    return f"; hardest to tell from the rest: {name}, {spoken(estimate)}"


def _of_bands(curves: Sequence[Curves], what: str, evidence: Evidence) -> str:
    """Say how the bands were made, and where there are none."""
    kind = evidence.estimates["macro_auc"].cluster_kind
    said = f"Band: 95% of the tests that {kind}s drawn anew would make, {what} by itself"
    if all(each.sensitivity is not None for each in curves):
        return f"{said}."
    return f"{said}; none where fewer than {FEWEST_CLUSTERS} {kind}s have the diagnosis, or have it not."
