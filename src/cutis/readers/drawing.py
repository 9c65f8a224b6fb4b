"""How every figure of this room looks and is saved: 640 pixels wide, text as text, always the same bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import stamp, written_aside

WIDTH = 640 / 96  # inches, as a browser counts pixels
# Blue and vermilion stay apart in every kind of colour blindness (Okabe and Ito 2008).
BLUE, VERMILION, GREY, PALE, STRIPE = "#0072b2", "#d55e00", "#595959", "#d4d4d4", "#f3f3f3"
DASHED = (0, (4, 3))
SMALL = 7.5
FADED = 0.22
FULL_TITLE, FULL_LINE = 76, 116  # letters that fit into the width
ROW = 0.24  # inches
STYLE: Any = {  # matplotlib types its keys one by one
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def framed(title: str, *caption: str, height: float) -> Iterator[Figure]:
    """Give a figure to draw in, under a title that says the finding and above a caption that says how to read it."""
    above = textwrap.wrap(title, FULL_TITLE)
    below = [line for paragraph in caption for line in textwrap.wrap(paragraph, FULL_LINE)]
    with mpl.rc_context(STYLE):
        size = (WIDTH, height + 0.19 * len(above) + 0.15 * len(below) + 0.3)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.1))
        figure.suptitle("\n".join(above), x=0.01, ha="left", fontsize=10, weight="bold")
        figure.supxlabel("\n".join(below), x=0.01, ha="left", fontsize=SMALL, color=GREY)
        yield figure


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as SVG without a date, so that the same figure is the same file."""
    kind = stamp("figure")
    description = f"cutis {kind['kind']}, format {kind['format']}"
    with mpl.rc_context(STYLE | {"svg.hashsalt": path.name}), written_aside(path) as aside:
        figure.savefig(aside, format="svg", metadata={"Date": None, "Creator": None, "Description": description})


def spoken(estimate: Estimate, *, signed: bool = False) -> str:
    """Return a figure with its interval, as short as a row needs it."""
    if estimate.value is None:
        return "not available"
    value = number(estimate.value, signed=signed)
    if estimate.low is None or estimate.high is None:
        return value
    ends = (number(end, signed=signed) for end in (estimate.low, estimate.high))
    return f"{value} ({' to '.join(ends) if signed else '–'.join(ends)})"


def number(value: float, *, digits: int = 2, signed: bool = False) -> str:
    """Return a number with so many digits and a minus that is one."""
    return (f"{value:+.{digits}f}" if signed else f"{value:z.{digits}f}").replace("-", "−")


def draw_row(
    axes: Axes, row: float, estimate: Estimate, *, colour: str = BLUE, marker: str = "o", hollow: bool = False
) -> None:
    """Draw a figure and its interval in a row; nothing where there is none."""
    if estimate.value is None:
        return
    if estimate.low is not None and estimate.high is not None:
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=1.4, zorder=2)
    filling = "white" if hollow else colour
    axes.plot(estimate.value, row, marker, markersize=5, color=colour, markerfacecolor=filling, zorder=3)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows from the top, with a stripe behind every other one."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for row in range(0, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=STRIPE, linewidth=0, zorder=0)
    axes.spines["left"].set_visible(False)


def write_beside(axes: Axes, row: float, text: str, *, weight: str = "normal") -> None:
    """Write at the right end of a row."""
    axes.text(1.02, row, text, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL, weight=weight)


def row_name(endpoint: str) -> str:
    """Return how a row of this endpoint is called."""
    what, _, code = endpoint.partition("/")
    return ", ".join(filter(None, (what.replace("_", " "), code)))
