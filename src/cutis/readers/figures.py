"""What a reader study shows: readers beside the network's curve, the differences, votes, pace and switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cutis.readers.drawing import (
    BLUE,
    DASHED,
    FADED,
    GREY,
    PALE,
    ROW,
    SMALL,
    VERMILION,
    WIDTH,
    draw_row,
    framed,
    name_rows,
    row_name,
    spoken,
    write_beside,
)
from cutis.readers.scoring.collective import Vote
from cutis.readers.scoring.points import BENEATH, Points
from cutis.readers.scoring.scored import Arm, Scores
from cutis.readers.scoring.switches import Switches
from cutis.readers.scoring.tested import Tested
from cutis.readers.scoring.time import Pace
from cutis.vocabulary.estimate import Estimate

NAMED_READERS = 24  # more are drawn without their names
SWITCHES = {
    "switched": "changed the answer",
    "helped": "helped: wrong, then right",
    "misled": "misled: right, then wrong",
    "helped_where_it_was_right": "right after it was right",
    "over_reliance": "followed it from right to wrong",
    "under_reliance": "kept to wrong where it was right",
}


def figures_of(scores: Scores, names: Mapping[str, str], *, of_what: str) -> dict[str, Figure]:
    """Draw everything that was scored; what there is not has no figure."""
    figures: dict[str, Figure] = {}
    for name, arm in scores.arms.items():
        end = "" if arm is scores.first else f"_{name}"
        network = scores.network.get("accuracy") if arm is scores.first else None
        figures[f"readers{end}"] = readers_figure(arm, network, of_what=of_what)
        if arm.points:
            figures[f"roc{end}"] = roc_figure(arm.points, names, of_what=of_what)
        if any(each.outcome for each in arm.tested):
            figures[f"differences{end}"] = differences_figure(arm.tested, of_what=of_what)
        if len(arm.votes) > 1:
            figures[f"votes{end}"] = votes_figure(arm.votes, _accuracy(scores), of_what=of_what)
        if any(each is not None for each in arm.pace.quarters["accuracy"]):
            figures[f"pace{end}"] = pace_figure(arm.pace, of_what=of_what)
    if any(each.outcome for each in scores.aided):
        figures["aided"] = differences_figure(scores.aided, of_what=of_what)
    if scores.switches:
        figures["switches"] = switches_figure(scores.switches, of_what=of_what)
    return figures


def roc_figure(points: Sequence[Points], names: Mapping[str, str], *, of_what: str) -> Figure:
    """Draw each diagnosis against the rest: the network's curve, and every reader as a point."""
    columns = 4 if len(points) > 6 else 3  # noqa: PLR2004  as many as can be read side by side
    rows = -(-len(points) // columns)
    beneath = {each.code: each.estimates[BENEATH].value for each in points}
    there = [value for value in beneath.values() if value is not None]
    title = f"Of the readers, {min(there):.2f} to {max(there):.2f} lie beneath the network's curve"
    reading = (
        "Each diagnosis against the rest. Line: the network; square: its frozen operating point. Points: readers; "
        "cross: the mean reader. Beneath each name: the share of readers beneath the curve, with its 95% interval. The "
        "curve was not chosen on these readers, the place on it is: this describes, and tests nothing."
    )
    side = WIDTH / columns
    with framed(title, of_what, reading, height=(side + 0.25) * rows) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes in panels[len(points) :]:
            axes.set_axis_off()
        for place, (axes, each) in enumerate(zip(panels, points, strict=False)):
            _draw_points(axes, each)
            axes.set_title(names.get(each.code, each.code)[:23], loc="left", fontsize=SMALL, weight="bold", pad=14)
            axes.text(0, 1.03, spoken(each.estimates[BENEATH]), transform=axes.transAxes, fontsize=SMALL, color=GREY)
            if place % columns == 0:
                axes.set_ylabel("sensitivity")
            if place >= len(points) - columns:
                axes.set_xlabel("1 − specificity")
                axes.tick_params(labelbottom=True)
    return figure


def readers_figure(arm: Arm, network: Estimate | None, *, of_what: str) -> Figure:
    """Draw every reader's accuracy, the best at the top, beside the network's."""
    readers = sorted(arm.readers, key=lambda reader: -(reader.estimates["accuracy"].value or 0))
    named = len(readers) <= NAMED_READERS
    mean = arm.pooled.readers["accuracy"]
    values = [reader.estimates["accuracy"].value or 0 for reader in readers]
    title = f"Readers are right in {min(values):.2f} to {max(values):.2f} of cases, on average in {spoken(mean)}"
    reading = "Points: readers with Wilson's 95% intervals. Grey band: the mean reader, over readers and cases."
    if network is not None and network.value is not None:
        reading += f" Dashed: the network, {spoken(network)}."
    with framed(title, of_what, reading, height=0.5 + (ROW * len(readers) if named else 4.0)) as figure:
        axes = figure.subplots()
        if mean.low is not None and mean.high is not None:
            axes.axvspan(mean.low, mean.high, color=PALE, alpha=0.6, linewidth=0, zorder=1)
        if named:
            name_rows(axes, [reader.name for reader in readers])
        else:
            axes.set_ylim(len(readers), -1)
            axes.set_yticks([])
            axes.set_ylabel(f"{len(readers)} readers")
        for row, reader in enumerate(readers):
            estimate = reader.estimates["accuracy"]
            draw_row(axes, row, estimate)
            if named:
                write_beside(axes, row, spoken(estimate))
        if network is not None and network.value is not None:
            axes.axvline(network.value, color=VERMILION, linestyle=DASHED, linewidth=1.4)
        axes.set_xlabel("accuracy")
    return figure


def differences_figure(tested: Sequence[Tested], *, of_what: str) -> Figure:
    """Draw the difference of every endpoint that could be tested, the primary one in bold."""
    drawn = [each for each in tested if each.outcome is not None]
    first, second = drawn[0].compared
    apart = sum(_apart(each) for each in drawn)
    title = f"{first} − {second}: {apart} of {len(drawn)} differences leave 0 out of their interval"
    reading = (
        "Points with intervals that know of readers and cases (MRMC). Right of the line: the first is better. Bold: "
        "the primary endpoint; the others are not corrected for their number. Hollow: few cases for so many readers, "
        "or another caution that its note tells."
    )
    with framed(title, of_what, reading, height=0.5 + ROW * len(drawn)) as figure:
        axes = figure.subplots()
        name_rows(axes, [row_name(each.name) for each in drawn])
        axes.axvline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
        for row, (each, label) in enumerate(zip(drawn, axes.get_yticklabels(), strict=True)):
            assert each.outcome is not None
            estimate, weight = each.outcome.difference, "bold" if each.primary else "normal"
            draw_row(axes, row, estimate, hollow=bool(estimate.note))
            write_beside(axes, row, spoken(estimate, signed=True), weight=weight)
            label.set_fontweight(weight)
    return figure


def votes_figure(votes: Sequence[Vote], network: float | None, *, of_what: str) -> Figure:
    """Draw how right the vote of k readers is, beside the network."""
    last = votes[-1]
    title = f"One reader is right in {spoken(votes[0].accuracy)}, the vote of {last.readers} in {spoken(last.accuracy)}"
    reading = "Line with band: committees of so many of these readers, and the 95% interval over cases."
    reading += " Dashed: the network on the same cases." if network is not None else ""
    with framed(title, of_what, reading, height=2.4) as figure:
        axes = figure.subplots()
        sizes = [vote.readers for vote in votes]
        values = [np.nan if vote.accuracy.value is None else vote.accuracy.value for vote in votes]
        axes.plot(sizes, values, "o-", color=BLUE, markersize=4)
        ends = [(v.readers, v.accuracy.low, v.accuracy.high) for v in votes]
        at = [(size, low, high) for size, low, high in ends if low is not None and high is not None]
        axes.fill_between(
            [each[0] for each in at],
            [each[1] for each in at],
            [each[2] for each in at],
            color=BLUE,
            alpha=FADED,
            linewidth=0,
        )
        if network is not None:
            axes.axhline(network, color=VERMILION, linestyle=DASHED, linewidth=1.4)
        if max(sizes) > 30:  # noqa: PLR2004  a few large committees would press the small ones together
            axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="readers who vote", ylabel="accuracy")
    return figure


def pace_figure(pace: Pace, *, of_what: str) -> Figure:
    """Draw accuracy and time over the quarters of the way."""
    slope = pace.estimates["accuracy_from_first_to_last"]
    title = f"Accuracy changes by {spoken(slope, signed=True)} from the first case to the last"
    reading = "Means over readers, by the quarter of their way through the cases, whose order differs by reader."
    panels = {"accuracy": "accuracy", "median_seconds": "median seconds"}
    told = {name: label for name, label in panels.items() if any(each is not None for each in pace.quarters[name])}
    with framed(title, of_what, reading, height=1.9) as figure:
        grid = figure.subplots(1, len(told), squeeze=False).ravel()
        for axes, (name, label) in zip(grid, told.items(), strict=True):
            values = [np.nan if each is None else each for each in pace.quarters[name]]
            axes.plot(range(1, 5), values, "o-", color=BLUE, markersize=4)
            axes.set(xlabel="quarter", ylabel=label, xticks=range(1, 5))
            axes.margins(y=0.4)
    return figure


def switches_figure(switches: Switches, *, of_what: str) -> Figure:
    """Draw what becomes of answers once the network's is seen."""
    gain = switches.estimates["net_gain"]
    title = f"Helped less misled: {spoken(gain, signed=True)} of all answers"
    reading = (
        "Shares with 95% intervals over readers and cases. The last three are shares of the answers to which they can "
        "happen: wrong where the network is right, or right where it is wrong."
    )
    with framed(title, of_what, reading, height=0.5 + ROW * len(SWITCHES)) as figure:
        axes = figure.subplots()
        name_rows(axes, list(SWITCHES.values()))
        for row, name in enumerate(SWITCHES):
            estimate = switches.estimates[name]
            draw_row(axes, row, estimate, hollow=bool(estimate.note))
            write_beside(axes, row, f"{spoken(estimate)} of {switches.counts[f'{name}_of']:,}")
        axes.set_xlim(left=0)
        axes.set_xlabel("share")
    return figure


def _draw_points(axes: Axes, each: Points) -> None:
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.8)
    axes.plot(each.curve.false_positive[0], each.curve.sensitivity[0], color=VERMILION, linewidth=1.4)
    crowded = len(each.sensitivity) > NAMED_READERS
    axes.plot(
        1 - each.specificity,
        each.sensitivity,
        "o",
        markersize=2.5 if crowded else 4,
        color=BLUE,
        alpha=0.4 if crowded else 0.8,
        markeredgewidth=0,
    )
    axes.plot(1 - each.operating[1], each.operating[0], "s", markersize=5, color=VERMILION, markerfacecolor="white")
    mean = np.nanmean(each.sensitivity), np.nanmean(1 - each.specificity)
    axes.plot(mean[1], mean[0], "P", markersize=7, color="black", markeredgecolor="white")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), box_aspect=1)


def _apart(each: Tested) -> bool:
    estimate: Estimate | None = each.outcome.difference if each.outcome else None
    return bool(
        estimate and estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)
    )


def _accuracy(scores: Scores) -> float | None:
    return scores.network["accuracy"].value if "accuracy" in scores.network else None
