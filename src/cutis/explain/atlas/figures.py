"""The atlas on paper: the map of the last hidden layer, and small ones of all depths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cutis.explain.figures import COLOURS, GREY, MARKERS, STYLE, WIDTH
from cutis.vocabulary.taxonomy import Taxonomy

LEGEND_COLUMNS = 3
PANELS = 4  # in a row
ROOMY = 800  # points up to which they are drawn in full size; then the area of each shrinks as they become more
MANY = 4000  # points of a figure from which on they are pictures within the SVG, which would be megabytes else
Places = NDArray[np.float64]  # (N, 2)


class Panel(NamedTuple):
    """One small map."""

    title: str
    places: Places
    beneath: str


class Called(NamedTuple):
    """What N cases have and what was answered, as indices of diagnoses; -1 where nobody knows."""

    truth: NDArray[np.int64]
    answers: NDArray[np.int64]


def atlas_figure(
    places: Places,
    called: Called,
    taxonomy: Taxonomy,
    *,
    of_what: str,
    marked: Sequence[tuple[str, Places]] = (),
) -> Figure:
    """Draw N cases at their places: colour and shape tell the diagnosis, a black ring a wrong answer.

    Args:
        places: (N, 2).
        called: diagnosis and answer of each.
        taxonomy: names them.
        of_what: stands beneath.
        marked: names and places (2,) of single cases to be pointed at.
    """
    legend_rows = -(-(len(taxonomy) + 1) // LEGEND_COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH * 0.75 + 0.18 * legend_rows + 0.8), layout="constrained")
        figure.suptitle("Near each other: what the network finds alike", x=0.01, ha="left", fontsize=10, weight="bold")
        axes = figure.subplots()
        _draw(axes, places, called, taxonomy, sizes=(18, 24), points=len(places))
        for name, (x, y) in marked:
            axes.scatter(x, y, s=90, marker="o", facecolors="none", edgecolors="black", linewidths=1.6, zorder=5)
            axes.annotate(
                name, (x, y), xytext=(7, 5), textcoords="offset points", fontsize=7.5, weight="bold", zorder=6
            )
        axes.set_xlabel(of_what, loc="left", fontsize=7.5, color=GREY)
        _legend(figure, axes, taxonomy)
    return figure


def depths_figure(panels: Sequence[Panel], called: Called, taxonomy: Taxonomy, *, of_what: str) -> Figure:
    """Draw the maps of all depths side by side, shallow to deep."""
    rows, legend_rows = -(-len(panels) // PANELS), -(-(len(taxonomy) + 1) // LEGEND_COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, WIDTH / PANELS * 1.35 * rows + 0.18 * legend_rows + 1.0), layout="constrained")
        figure.suptitle("What each depth finds alike", x=0.01, ha="left", fontsize=10, weight="bold")
        grid = list(figure.subplots(rows, min(PANELS, len(panels)), squeeze=False).flat)
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel.places, called, taxonomy, sizes=(5, 7), points=len(panels) * len(panel.places))
            axes.set_title(panel.title, loc="left", fontsize=8, weight="bold")
            axes.set_xlabel(panel.beneath, loc="left", fontsize=7, color=GREY)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        _legend(figure, figure.axes[0], taxonomy, title=of_what)
    return figure


def _draw(
    axes: Axes, places: Places, called: Called, taxonomy: Taxonomy, *, sizes: tuple[int, int], points: int
) -> None:
    """Draw one map of a figure that has so many points in all."""
    crowded = max(0.1, min(1, ROOMY / max(1, len(places))))
    plain, ringed = (crowded * size for size in sizes)
    rasterized = points > MANY
    for kind in range(len(taxonomy)):
        mark: Any = _mark(kind) | {"rasterized": rasterized}
        own, is_right = called.truth == kind, called.answers == called.truth
        (x, y), (wrong_x, wrong_y) = places[own & is_right].T, places[own & ~is_right].T
        axes.scatter(x, y, s=plain, linewidths=0, alpha=0.8, **mark)
        axes.scatter(wrong_x, wrong_y, s=ringed, linewidths=ringed**0.5 / 6, edgecolors="black", zorder=3, **mark)
    axes.set(xticks=(), yticks=())
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_color("#d4d4d4")


def _legend(figure: Figure, axes: Axes, taxonomy: Taxonomy, *, title: str = "") -> None:
    for kind, disease in enumerate(taxonomy.diseases):
        axes.scatter([], [], s=26, linewidths=0, label=disease.name, **_mark(kind))
    axes.scatter([], [], s=26, color="white", edgecolors="black", label="ring: answered wrongly")
    legend = figure.legend(
        loc="outside lower left",
        ncols=LEGEND_COLUMNS,
        frameon=False,
        handletextpad=0.2,
        title=title or None,
        title_fontsize=7.5,
        alignment="left",
    )
    legend.get_title().set_color(GREY)


def _mark(kind: int) -> dict[str, Any]:
    return {"color": COLOURS[kind % len(COLOURS)], "marker": MARKERS[kind % len(MARKERS)]}
