"""A picture beside what the network made of it, and the atlas of all cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from cutis.explain.saliency import Look
from cutis.imaging.prepare import Preparation, spread_back
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
BLEND = 0.6  # of the map over the grey picture: both are still read
BRIGHTEST = 99.5  # percentile of a gradient from which on it is drawn as the greatest: single pixels stand out by far
# Seven colours that stay apart in every kind of colour blindness (Okabe and Ito 2008), eight markers: 56 pairs.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
UNWANTED = {".svg": "Date", ".png": "Software"}
LEGEND_COLUMNS = 3


class Overlay(NamedTuple):
    """A map over a picture, with what its colours mean."""

    title: str
    values: NDArray[np.float32]  # (H, W), NaN where the network saw nothing
    limits: tuple[float, float]  # the values of the darkest and the brightest colour
    label: str


def saliency_figure(picture: Image.Image, seen: Look, preparation: Preparation, *, title: str) -> Figure:
    """Draw a picture, its gradient saliency and its class activation map side by side, each with a scale."""
    gradient = _over(seen.gradient, picture, preparation)
    activation = _over(seen.activation, picture, preparation)
    (rows, columns), logit = seen.activation.shape, seen.activation.mean()
    greatest = float(np.nanpercentile(gradient, BRIGHTEST)) or 1.0
    overlays = (
        Overlay("gradient saliency", gradient / greatest, (0, 1), "change of the logit, greatest = 1"),
        Overlay(
            "class activation",
            activation,
            _ends(activation),
            f"{rows} × {columns} places; mean: the logit, {logit:.2f}",
        ),
    )
    height = (WIDTH / 3 - 0.1) * picture.height / picture.width + 0.95
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=9, weight="bold")
        plain, *panels = figure.subplots(1, 3)
        plain.imshow(picture)
        plain.set_title("picture", loc="left", fontsize=8)
        plain.set_axis_off()
        for axes, overlay in zip(panels, overlays, strict=True):
            _draw_overlay(figure, axes, picture, overlay)
    return figure


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


def _over(seen_map: NDArray[np.float32], picture: Image.Image, preparation: Preparation) -> NDArray[np.float32]:
    """Spread a map over the picture; what was cut off before the network saw it is NaN, not a value."""
    was_seen = spread_back(np.ones_like(seen_map), picture.size, preparation) > 0
    return np.where(was_seen, spread_back(seen_map, picture.size, preparation), np.float32(np.nan))


def _draw_points(axes: Axes, places: NDArray[np.float64], **mark: Any) -> None:
    axes.scatter(places[:, 0], places[:, 1], **mark)


def _ends(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _draw_overlay(figure: Figure, axes: Axes, picture: Image.Image, overlay: Overlay) -> None:
    lowest, highest = overlay.limits
    axes.imshow(picture.convert("L"), cmap="gray", vmin=0, vmax=255)
    drawn = axes.imshow(overlay.values, cmap="viridis", vmin=lowest, vmax=highest, alpha=BLEND)
    axes.set_title(overlay.title, loc="left", fontsize=8)
    axes.set_axis_off()
    scale = figure.colorbar(drawn, ax=axes, orientation="horizontal", fraction=0.05, pad=0.02, aspect=28)
    scale.set_label(overlay.label, fontsize=7)
    scale.ax.tick_params(labelsize=7)
    scale.outline.set_visible(False)
