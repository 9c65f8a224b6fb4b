"""What was measured of each method, in four figures; what failed is grey."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cutis.explain.figures import COLOURS, GREY, STYLE, WIDTH
from cutis.explain.sanity.findings import Findings
from cutis.explain.sanity.masks import INSIDE, SIGNS, TARGETS
from cutis.explain.sanity.verdicts import LEAST_STABLE, MOST_KEPT
from cutis.vocabulary.estimate import Estimate

FAILED = "#9a9a9a"
BLUE, ORANGE, GREEN = COLOURS[0], COLOURS[1], COLOURS[2]
DOTTED = (0, (2, 2))
ACROSS = 4  # panels in a row
ROW = 0.24  # inches of a method's line
SMALL = 7


class Dots(NamedTuple):
    """One mark with its interval on every method's line."""

    label: str
    read: Callable[[Findings], Estimate | None]
    marker: str
    colour: str


def sanity_figures(findings: Mapping[str, Findings], offered: Sequence[str], *, of_what: str) -> dict[str, Figure]:
    """Draw every measure of every method, by the names of the files; pointing only where something is known.

    Args:
        findings: by method.
        offered: the methods that failed nothing.
        of_what: which network on which pictures; stands beneath every figure.
    """
    with mpl.rc_context(STYLE):
        figures = {
            "sanity_removal.svg": _removal_figure(findings, offered),
            "sanity_weights.svg": _weights_figure(findings, offered),
            "sanity_stability.svg": _stability_figure(findings, offered),
        }
        target = _main_target(findings.values())
        if target:
            figures["sanity_pointing.svg"] = _pointing_figure(findings, offered, target)
        for figure in figures.values():
            figure.supxlabel(of_what, x=0.01, ha="left", fontsize=SMALL, color=GREY)
    return figures


def _main_target(findings: Iterable[Findings]) -> str | None:
    there = [target for found in findings for target in found.pointing]
    return next((target for target in (SIGNS, INSIDE, *there) if target in there), None)


def _removal_figure(findings: Mapping[str, Findings], offered: Sequence[str]) -> Figure:
    """Draw both curves of each method over those of the same map elsewhere; the last panel says what they are."""
    rows = len(findings) // ACROSS + 1
    figure = Figure(figsize=(WIDTH, 1.4 * rows + 0.9), layout="constrained")
    _title(figure, "Taking away what a map shows, and showing nothing else: probability of the answer")
    panels = np.atleast_1d(figure.subplots(rows, ACROSS, sharex=True, sharey=True)).ravel()
    for axes, (name, found) in zip(panels, findings.items(), strict=False):
        place = np.linspace(0, 100, len(found.curves["deletion"]))
        for kind, colour in (("deletion", ORANGE), ("insertion", BLUE)):
            axes.plot(place, found.curves[f"{kind}_elsewhere"], color=colour, linewidth=0.8, linestyle=DOTTED)
            axes.plot(place, found.curves[kind], color=colour, linewidth=1.6)
        gained = found.removal["gained"].value
        told = "" if gained is None else f"  {gained:+.2f}"
        axes.set_title(f"{_spoken(name)}{told}", loc="left", fontsize=SMALL, color=_ink(name, offered))
        axes.set(ylim=(0, 1), xlim=(0, 100), xticks=(0, 50, 100), yticks=(0, 0.5, 1))
        _plain(axes)
    for axes in panels[len(findings) :]:
        axes.set_axis_off()
    for label, colour, line in (
        ("taken away,\ngreatest first", ORANGE, "-"),
        ("shown alone,\ngreatest first", BLUE, "-"),
        ("the same map elsewhere;\nthe number is what is\ngained over it", GREY, DOTTED),
    ):
        panels[-1].plot([], [], color=colour, linestyle=line, label=label)
    panels[-1].legend(frameon=False, fontsize=6.5, loc="center", borderpad=0)
    figure.supylabel("probability", fontsize=SMALL, color=GREY)
    return figure


def _weights_figure(findings: Mapping[str, Findings], offered: Sequence[str]) -> Figure:
    """Draw every method against untrained networks, and below the cascade of those that were asked it."""
    falling = {name: found for name, found in findings.items() if found.cascade}
    heights = [ROW * len(findings) + 0.8, *([2.2] if falling else [])]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.6), layout="constrained")
    _title(figure, "Drawing the weights anew: how much of a map's order stays")
    above, *below = np.atleast_1d(figure.subplots(len(heights), 1, height_ratios=heights))
    dots = (
        Dots("with the map of an untrained network", lambda found: found.weights["trained"], "o", BLUE),
        Dots("two untrained networks", lambda found: found.weights["null"], "x", ORANGE),
        Dots("the first, whatever its sign", lambda found: found.weights["trained_absolute"], "|", GREEN),
    )
    _lines(above, findings, offered, dots)
    above.axvline(MOST_KEPT, color=GREY, linewidth=0.8, linestyle=DOTTED)
    above.axvline(0, color=GREY, linewidth=0.6)
    above.set_xlabel(f"rank correlation, all weights anew; the first must lie left of {MOST_KEPT}", fontsize=SMALL)
    for axes in below:
        _draw_cascade(axes, falling)
    return figure


def _draw_cascade(axes: Axes, falling: Mapping[str, Findings]) -> None:
    for number, (name, found) in enumerate(falling.items()):
        steps = [*found.cascade.values(), found.weights["trained"]]
        axes.plot(
            range(len(steps) + 1),
            [1.0, *(np.nan if step.value is None else step.value for step in steps)],
            color=COLOURS[number % len(COLOURS)],
            linewidth=2 if number == 0 else 0.9,
            linestyle="-" if number < len(COLOURS) else DOTTED,
            label=_spoken(name),
        )
    names = ["nothing", *next(iter(falling.values())).cascade, "all"]
    axes.set_xticks(range(len(names)), names, fontsize=SMALL)
    axes.legend(fontsize=6.5, frameon=False, ncols=1, loc="upper left", bbox_to_anchor=(1, 1))
    axes.axhspan(-MOST_KEPT, MOST_KEPT, color="#eeeeee", zorder=0)
    axes.set_ylabel("rank correlation", fontsize=SMALL)
    axes.set_xlabel("what was drawn anew, from the classifiers down to", fontsize=SMALL)
    _plain(axes)


def _pointing_figure(findings: Mapping[str, Findings], offered: Sequence[str], target: str) -> Figure:
    figure = Figure(figsize=(WIDTH, ROW * len(findings) + 1.3), layout="constrained")
    _title(figure, f"How much of a map lies inside {TARGETS[target]}")

    def read(name: str) -> Callable[[Findings], Estimate | None]:
        return lambda found: found.pointing.get(target, {}).get(name)

    dots = (
        Dots("the map", read("share"), "o", BLUE),
        Dots("maps of other pictures", read("others"), "x", ORANGE),
        Dots("an even map", read("chance"), "|", GREY),
        Dots("a blob in the middle", read("blob"), "d", GREEN),
    )
    axes = figure.subplots()
    _lines(axes, findings, offered, dots)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of its positive values", fontsize=SMALL)
    return figure


def _stability_figure(findings: Mapping[str, Findings], offered: Sequence[str]) -> Figure:
    figure = Figure(figsize=(WIDTH, ROW * len(findings) + 1.3), layout="constrained")
    _title(figure, "How much of a map's order stays when nothing happens")
    dots = (
        Dots("the picture shifted", lambda found: found.stability["shift"], "o", BLUE),
        Dots("noise that nobody sees", lambda found: found.stability["noise"], "x", ORANGE),
        Dots("the map of another picture", lambda found: found.stability["another"], "|", GREY),
    )
    axes = figure.subplots()
    _lines(axes, findings, offered, dots)
    axes.axvline(LEAST_STABLE, color=GREY, linewidth=0.8, linestyle=DOTTED)
    axes.set_xlabel(f"rank correlation; the first two must lie right of {LEAST_STABLE}", fontsize=SMALL)
    return figure


def _lines(axes: Axes, findings: Mapping[str, Findings], offered: Sequence[str], dots: Sequence[Dots]) -> None:
    """Draw a line for each method, the first on top, with its marks and their intervals."""
    for line, found in enumerate(findings.values()):
        for number, each in enumerate(dots):
            estimate = each.read(found)
            if estimate is None or estimate.value is None:
                continue
            at = line + (number - (len(dots) - 1) / 2) * 0.16
            axes.plot(estimate.value, at, each.marker, color=each.colour, markersize=4)
            if estimate.low is not None and estimate.high is not None:
                axes.plot((estimate.low, estimate.high), (at, at), color=each.colour, linewidth=1)
    for each in dots:
        axes.plot([], [], each.marker, color=each.colour, markersize=4, label=each.label)
    axes.set_yticks(range(len(findings)), [_spoken(name) for name in findings], fontsize=SMALL)
    for label, name in zip(axes.get_yticklabels(), findings, strict=True):
        label.set_color(_ink(name, offered))
    axes.set_ylim(len(findings) - 0.4, -0.6)
    axes.legend(fontsize=6.5, frameon=False, ncols=len(dots), loc="lower left", bbox_to_anchor=(0, 1.0), borderpad=0)
    _plain(axes)


def _title(figure: Figure, title: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", fontsize=9.5, weight="bold")


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL)


def _ink(name: str, offered: Sequence[str]) -> str:
    return "black" if name in offered else FAILED


def _spoken(name: str) -> str:
    return name.replace("_", " ")
