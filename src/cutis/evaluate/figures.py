"""What all figures share: 640 pixels wide, text as text, always the same bytes.

A title says the finding, a caption how to read it. Nothing is told by colour alone: lines differ in their dashes,
points in their shape or filling.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import stamp, written_aside
from cutis.vocabulary.taxonomy import Disease

INCH = 96  # pixels, as a browser counts them
WIDTH = 640 / INCH
# Blue and vermilion stay apart in every kind of colour blindness (Okabe and Ito 2008).
BLUE, VERMILION, BLACK, GREY, PALE = "#0072b2", "#d55e00", "#000000", "#595959", "#d4d4d4"
STRIPE = "#f3f3f3"  # behind every other row
DASHED, DOTTED = (0, (4, 3)), (0, (1, 1.6))
FADED = 0.22  # how much of its line's colour a band has
SMALL = 7.5  # points; on a telephone's 390 pixels still six of them high
FULL_TITLE, FULL_LINE = 76, 116  # letters that fit into the width
STRIP = 0.26  # inches that a legend needs
AIR = 0.1  # inches above and below what is drawn
UNBROKEN = "\u00a0"  # a space at which no line is broken
PANELS_IN_THREE_COLUMNS = 6
STYLE: Any = {  # matplotlib types its keys one by one
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "text.parse_math": False,  # a bundle may have any name
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
}


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as SVG without a date, so that the same figure is the same file.

    Ids are salted by the file's name, so that several figures can stand in one page.
    """
    kind = stamp("figure")
    description = f"cutis {kind['kind']}, format {kind['format']}"
    with mpl.rc_context(STYLE | {"svg.hashsalt": path.name}), written_aside(path) as aside:
        figure.savefig(aside, format="svg", metadata={"Date": None, "Creator": None, "Description": description})


@contextmanager
def framed(title: str, *caption: str, height: float) -> Iterator[Figure]:
    """Give a figure to draw in, under a title that says the finding and above a caption that says how to read it.

    Args:
        title: broken into lines where it is long.
        caption: paragraphs, the first one about what is shown.
        height: inches between the two.
    """
    above = _lines_of(title)
    below = [line for paragraph in caption for line in textwrap.wrap(paragraph, FULL_LINE)]
    with mpl.rc_context(STYLE):
        figure = Figure(
            figsize=(WIDTH, height + 0.19 * len(above) + 0.15 * len(below) + 0.3),
            layout=ConstrainedLayoutEngine(h_pad=AIR),
        )
        figure.suptitle("\n".join(above), x=0.01, ha="left", fontsize=10, weight="bold")
        figure.supxlabel("\n".join(below), x=0.01, ha="left", fontsize=SMALL, color=GREY)
        yield figure


def panels_in(figure: Figure | SubFigure, count: int, *, across: str, up: str) -> list[Axes]:
    """Return so many square panels, 0 to 1 both ways, whose scales are named at the outer sides."""
    columns = _columns_for(count)
    grid = figure.subplots(-(-count // columns), columns, sharex=True, sharey=True, squeeze=False)
    panels: list[Axes] = grid.ravel().tolist()
    for axes in panels[:count]:
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), box_aspect=1)
    name_outer_sides(panels, count, columns=columns, across=across, up=up)
    return panels[:count]


def name_outer_sides(panels: Sequence[Axes], count: int, *, columns: int, across: str, up: str = "") -> None:
    """Name the scales of the first so many panels where no other panel is beside or beneath, and hide the rest."""
    for place, axes in enumerate(panels[:count]):
        if place % columns == 0:
            axes.set_ylabel(up)
        if place >= count - columns:
            axes.set_xlabel(across)
            axes.tick_params(labelbottom=True)
    for spare in panels[count:]:
        spare.set_axis_off()


def with_strip(figure: Figure, *, height: float) -> tuple[SubFigure, SubFigure]:
    """Return a strip for a legend across the whole width, and the part below it of this height in inches."""
    parts: Any = figure.subfigures(2, 1, height_ratios=(STRIP, height))  # matplotlib types it as one part
    return parts[0], parts[1]


def write_legend(strip: SubFigure, axes: Axes) -> None:
    """Say in a strip what the lines of a panel are."""
    lines, names = axes.get_legend_handles_labels()
    strip.legend(lines, names, loc="center left", ncols=4, frameon=False, handlelength=3.2, borderaxespad=0.1)


def height_of_panels(count: int) -> float:
    """Return how many inches so many panels need."""
    columns = _columns_for(count)
    return 0.45 + (WIDTH / columns + 0.15) * -(-count // columns)


def head_panel(axes: Axes, disease: Disease, *, cases: int, said: str) -> None:
    """Write above a panel which diagnosis it is of, bold if malignant, how many cases have it, and a figure."""
    axes.set_title(disease.abbreviation, loc="left", fontsize=9, weight=weight_of(disease.malignant), pad=15)
    axes.set_title(f"{cases:,}", loc="right", fontsize=SMALL, color=GREY, pad=15)
    axes.text(0, 1.04, said, transform=axes.transAxes, fontsize=SMALL)


def weight_of(malignant: bool) -> str:  # noqa: FBT001  a diagnosis is malignant or not
    """Return how a name is printed."""
    return "bold" if malignant else "normal"


def draw_across(axes: Axes, row: float, estimate: Estimate, *, hollow: bool = False, lowest: float = -np.inf) -> None:
    """Draw a figure and its interval in a row; nothing where there is none, and ◂ where it goes on below the scale."""
    if estimate.value is None:
        return
    low, high = (estimate.value if end is None else end for end in (estimate.low, estimate.high))
    filling = "white" if hollow else BLUE
    axes.plot([max(low, lowest), max(high, lowest)], [row, row], color=BLUE, linewidth=1.4, zorder=2)
    if low < lowest:
        axes.plot(lowest, row, "<", markersize=5, color=BLUE, markerfacecolor=filling, zorder=3, clip_on=False)
    if estimate.value >= lowest:
        axes.plot(estimate.value, row, "o", markersize=5, color=BLUE, markerfacecolor=filling, zorder=3, clip_on=False)


def draw_line(
    axes: Axes, places: Sequence[float], estimates: Sequence[Estimate], *, intervals: bool = True, **line: Any
) -> None:
    """Draw figures along places, with a bar for each interval; a figure that is not there leaves a hole."""
    axes.plot(places, [np.nan if each.value is None else each.value for each in estimates], **line)
    for place, each in zip(places, estimates, strict=True) if intervals else ():
        if each.low is not None and each.high is not None:
            axes.plot([place, place], [each.low, each.high], color=line["color"], linewidth=1)


def draw_band(axes: Axes, places: Sequence[float], estimates: Sequence[Estimate], *, colour: str) -> None:
    """Fill what lies between the ends of the intervals along places."""
    ends = [
        (place, each.low, each.high)
        for place, each in zip(places, estimates, strict=True)
        if each.low is not None and each.high is not None
    ]
    at, lows, highs = ([end[side] for end in ends] for side in range(3))
    axes.fill_between(at, lows, highs, color=colour, alpha=FADED, linewidth=0)


def spoken(estimate: Estimate, *, signed: bool = False) -> str:
    """Return a figure with its interval, as short as a panel needs it."""
    value = number(estimate.value, signed=signed)
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return value
    low, high = (number(end, signed=signed) for end in (estimate.low, estimate.high))
    return f"{value} ({low}{' to ' if signed else '–'}{high})"


def number(value: float | None, *, digits: int = 2, signed: bool = False) -> str:
    """Return a number with so many digits and a minus that is one; signed, even what is rounded to 0 shows its side."""
    if value is None:
        return "not available"
    said = f"{value:+.{digits}f}" if signed else f"{value:z.{digits}f}"
    return said.replace("-", "−")


def reliable(areas: Mapping[str, Estimate]) -> list[tuple[float, str, Estimate]]:
    """Return figures by their value, of those that can be relied on; of all that there are, where none can."""
    there = sorted((each.value, name, each) for name, each in areas.items() if each.value is not None)
    return [each for each in there if not each[2].note] or there


def _lines_of(title: str) -> list[str]:
    """Break a title into lines, but not between a figure and its interval."""
    joined = re.sub(r"\S \([^)]*\)", lambda found: found.group().replace(" ", UNBROKEN), title)
    return [line.replace(UNBROKEN, " ") for line in textwrap.wrap(joined, FULL_TITLE)]


def _columns_for(count: int) -> int:
    return 4 if count > PANELS_IN_THREE_COLUMNS else 3
