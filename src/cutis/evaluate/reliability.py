"""Whether probabilities keep their word: how often it is so, against how probable it was said to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cutis.evaluate.calibration import ANSWER, Bin, Calibration
from cutis.evaluate.figures import BLUE, DASHED, GREY, SMALL, framed, head_panel, height_of_panels, number, panels_in
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Taxonomy

BINS = "Points: bins of equally many pictures. Bars: 95% intervals. Dashed: as often so as said."


STRETCHED = (lambda share: np.sqrt(np.maximum(share, 0)), np.square)  # most diagnoses are improbable in most pictures
TICKS, TICKED = (0, 0.1, 0.5, 1), ("0", "0.1", "0.5", "1")


def reliability_figure(calibration: Calibration, predictions: Predictions, *, of_what: str) -> Figure:
    """Draw how often the answer is right against how sure it was, and how often it is how sure."""
    error = calibration.estimates["expected_calibration_error"].value
    confidence = predictions.probabilities.max(axis=1)
    right = (predictions.probabilities.argmax(axis=1) == predictions.truth).mean()
    apart = number(error, digits=3)
    title = f"Answers are {confidence.mean():.0%} sure on average, and {right:.0%} right (mean distance {apart})"
    reading = "How often an answer is right, by its probability; below, how many answers have it."
    with framed(title, of_what, f"{reading} {BINS}", height=4.6) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        _draw_bins(upper, calibration.reliability[ANSWER], markersize=5)
        upper.set(ylabel="share of right answers", xlim=(0, 1.01), ylim=(0, 1.02))
        lower.hist(confidence, bins=np.linspace(0, 1, 21).tolist(), color=BLUE, edgecolor="white", linewidth=0.6)
        lower.set(xlabel="calibrated probability of the answer", ylabel="pictures")
    return figure


def reliability_by_diagnosis_figure(
    calibration: Calibration, predictions: Predictions, taxonomy: Taxonomy, *, of_what: str
) -> Figure:
    """Draw a panel for each diagnosis: how often it is there against the probability that it got."""
    error = calibration.estimates["classwise_expected_calibration_error"].value
    having = np.bincount(np.asarray(predictions.truth), minlength=len(taxonomy))
    reading = (
        "Above each panel: the diagnosis, bold if malignant, how many pictures have it, and the mean distance between "
        "probability and share. In it: how many pictures a bin has. Both scales are by square roots, wide "
        "near 0."
    )
    title = f"Probability and share of each diagnosis lie {number(error, digits=3)} apart on average"
    with framed(title, of_what, f"{reading} {BINS}", height=height_of_panels(len(taxonomy))) as figure:
        panels = panels_in(figure, len(taxonomy), across="probability", up="share that has it")
        for axes, disease, cases in zip(panels, taxonomy.diseases, having.tolist(), strict=True):
            bins = calibration.reliability[disease.code]
            distance = calibration.estimates[f"expected_calibration_error/{disease.code}"].value
            head_panel(axes, disease, cases=cases, said=f"mean distance {number(distance, digits=3)}")
            axes.set_xscale("function", functions=STRETCHED)
            axes.set_yscale("function", functions=STRETCHED)
            axes.set(xlim=(0, 1), ylim=(0, 1), xticks=TICKS, yticks=TICKS, xticklabels=TICKED, yticklabels=TICKED)
            _draw_bins(axes, bins, markersize=3.5)
            sizes = sorted({each.cases for each in bins})
            said = "–".join(f"{size:,}" for size in (sizes if len(sizes) == 1 else (sizes[0], sizes[-1])))
            axes.text(1, 0.001, f"bins of {said}", ha="right", fontsize=SMALL, color=GREY)
    return figure


def _draw_bins(axes: Axes, bins: Sequence[Bin], *, markersize: float) -> None:
    axes.plot((0, 1), (0, 1), color=GREY, linewidth=0.8, linestyle=DASHED)
    for each in bins:
        if each.observed.low is not None and each.observed.high is not None:
            axes.plot([each.predicted] * 2, [each.observed.low, each.observed.high], color=BLUE, linewidth=1.2)
    shares = [np.nan if each.observed.value is None else each.observed.value for each in bins]
    axes.plot([each.predicted for each in bins], shares, "o", color=BLUE, markersize=markersize, clip_on=False)
