"""The atlas of all cases, and how every figure of this room looks and is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cutis.vocabulary.files import stamp, written_aside
from cutis.vocabulary.taxonomy import Taxonomy

WIDTH = 640 / 96  # inches, as a browser counts pixels
STYLE: Any = {  # matplotlib types its keys one by one
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "svg.fonttype": "none",
}
GREY = "#666666"
# Seven colours that stay apart in every kind of colour blindness (Okabe and Ito 2008), eight markers: 56 pairs.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
UNWANTED = {".svg": "Date", ".png": "Software"}
LEGEND_COLUMNS = 3


def atlas_figure(
    places: NDArray[np.float64],
    truth: NDArray[np.int64],
    answers: NDArray[np.int64],
    taxonomy: Taxonomy,
    *,
    of_what: str,
) -> Figure:
    """Draw N cases at their places (N, 2): colour and shape tell the diagnosis, a black ring a wrong answer."""
    legend_rows = -(-(len(taxonomy) + 1) // LEGEND_COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH * 0.75 + 0.18 * legend_rows + 0.8), layout="constrained")
        figure.suptitle("Near each other: what the network finds alike", x=0.01, ha="left", fontsize=10, weight="bold")
        axes = figure.subplots()
        for kind, disease in enumerate(taxonomy.diseases):
            mark: Any = {"color": COLOURS[kind % len(COLOURS)], "marker": MARKERS[kind % len(MARKERS)]}
            own, is_right = truth == kind, answers == truth
            axes.scatter([], [], s=26, linewidths=0, label=disease.name, **mark)
            _draw_points(axes, places[own & is_right], s=18, linewidths=0, alpha=0.8, **mark)
            _draw_points(axes, places[own & ~is_right], s=24, linewidths=0.9, edgecolors="black", zorder=3, **mark)
        axes.scatter([], [], s=26, color="white", edgecolors="black", label="ring: answered wrongly")
        axes.set(xticks=(), yticks=())
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel(of_what, loc="left", fontsize=7.5, color=GREY)
        axes.spines[:].set_color("#d4d4d4")
        figure.legend(loc="outside lower left", ncols=LEGEND_COLUMNS, frameon=False, handletextpad=0.2)
    return figure


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as SVG or PNG by its suffix, without a date, so that the same figure is the same file."""
    kind = stamp("figure")
    about = {"Description": f"cutis {kind['kind']}, format {kind['format']}", UNWANTED[path.suffix]: None}
    with mpl.rc_context(STYLE | {"svg.hashsalt": path.name}), written_aside(path) as aside:
        figure.savefig(aside, format=path.suffix[1:], metadata=about, dpi=192)


def _draw_points(axes: Axes, places: NDArray[np.float64], **mark: Any) -> None:
    axes.scatter(places[:, 0], places[:, 1], **mark)
