"""A picture, and over it where the network's answer comes from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from cutis.explain.figures import GREY, STYLE, WIDTH
from cutis.explain.saliency.look import Look
from cutis.explain.saliency.methods import METHODS
from cutis.imaging.prepare import Preparation, spread_back
from cutis.runtime.maps import FINAL, FUSED, Map
from cutis.vocabulary.taxonomy import Taxonomy

BLEND = 0.6  # of the map over the grey picture: both are still read
BRIGHTEST = 99.5  # percentile of a gradient from which on it is drawn as the greatest: single pixels stand out by far
STRONGEST = 90  # percentile of a map from which on it is outlined
AMOUNT, FOR_AND_AGAINST = "viridis", "RdBu_r"  # read in every kind of colour blindness; white is the zero of the second
ACROSS = 3  # large panels in a row
TITLES = {
    "smoothgrad": "SmoothGrad",
    "integrated_gradients": "integrated gradients",
    "grad_cam": "Grad-CAM",
    "occlusion": "occlusion",
}
SCALE, NAME = 0.66, 0.42  # inches that scale and title of a large panel take, and the words of a small one


class Overlay(NamedTuple):
    """A map over a picture, with what its colours mean."""

    title: str
    values: NDArray[np.float32]  # (H, W), NaN where the network saw nothing
    limits: tuple[float, float]  # the values of the first and the last colour
    label: str
    colours: str = AMOUNT
    method: str = FINAL  # by which it was made


def saliency_figure(
    picture: Image.Image,
    seen: Look,
    preparation: Preparation,
    *,
    taxonomy: Taxonomy,
    title: str,
    offered: Collection[str] | None = None,
) -> Figure:
    """Draw a picture, its maps with their scales, the comparison with another diagnosis, and every depth in small.

    Args:
        picture: upright.
        seen: what the network says of it.
        preparation: with which the network saw it, so that maps lie where it looked.
        taxonomy: names the diagnoses.
        title: of the figure.
        offered: the methods whose maps may be shown; all where they were not examined.
    """
    overlays = _offered(large_overlays(picture, seen, preparation, taxonomy), offered)
    depths = _offered(depth_overlays(picture, seen, preparation), offered)
    shape, rows = picture.height / picture.width, -(-(1 + len(overlays)) // ACROSS)
    heights = [rows * (WIDTH / ACROSS * shape + SCALE)]
    heights += [WIDTH / len(depths) * shape + NAME] if depths else []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=9, weight="bold")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        outlined, *panels = parts[0].subplots(rows, ACROSS, squeeze=False).flat
        _draw_outlined(parts[0], outlined, picture, overlays[:1])
        for axes in panels:
            axes.set_axis_off()
        for axes, overlay in zip(panels, overlays, strict=False):
            _draw_large(parts[0], axes, picture, overlay)
        if depths:
            _draw_depths(parts[1], picture, depths)
    return figure


def large_overlays(
    picture: Image.Image, seen: Look, preparation: Preparation, taxonomy: Taxonomy
) -> tuple[Overlay, ...]:
    """Return the large maps, the one that is outlined first."""
    rival = "" if seen.question.rather_than is None else taxonomy.diseases[seen.question.rather_than].abbreviation
    final, against = seen.maps[FINAL], seen.contrast[FINAL]
    over_final, over_against = (_over(each, picture, preparation) for each in (final, against))
    places = f"{final.shape[0]} × {final.shape[1]} places; mean"
    activation = Overlay("class activation", over_final, _ends(over_final), f"{places}: the logit, {final.mean():.2f}")
    rather = Overlay(
        f"class activation, rather than {rival}",
        over_against,
        _around_zero(over_against),
        f"red for it, blue for {rival}; mean {against.mean():+.2f}",
        FOR_AND_AGAINST,
    )
    gradient = _over(seen.gradient, picture, preparation)
    by_pixel = _relative("gradient saliency", gradient, float(np.nanpercentile(gradient, BRIGHTEST)), method="gradient")
    asked = tuple(_by_name(name, _over(each, picture, preparation)) for name, each in seen.asked.items())
    if FUSED not in seen.maps:
        return activation, by_pixel, rather, *asked
    joined, joined_rather = (_over(maps[FUSED], picture, preparation) for maps in (seen.maps, seen.contrast))
    return (
        _relative("all depths joined", joined, float(np.nanmax(joined)), method=FUSED),
        by_pixel,
        activation,
        rather,
        _relative(f"all depths, rather than {rival}", joined_rather, float(np.nanmax(joined_rather)), method=FUSED),
        *asked,
    )


def depth_overlays(picture: Image.Image, seen: Look, preparation: Preparation) -> tuple[Overlay, ...]:
    """Return the small maps of every classifier, shallow to deep; none where there is only the final one."""
    stack = {name: each for name, each in seen.maps.items() if name != FUSED}
    spread = {name: _over(each, picture, preparation) for name, each in stack.items()}
    return tuple(
        Overlay(
            name.replace("_", " "),
            spread[name],
            _around_zero(spread[name]),
            f"{each.mean():+.1f}  ({each.shape[0]} × {each.shape[1]})",
            FOR_AND_AGAINST,
            name,
        )
        for name, each in stack.items()
        if len(stack) > 1
    )


def _offered(overlays: tuple[Overlay, ...], offered: Collection[str] | None) -> tuple[Overlay, ...]:
    return tuple(each for each in overlays if offered is None or each.method in offered)


def _over(seen_map: Map, picture: Image.Image, preparation: Preparation) -> NDArray[np.float32]:
    """Spread a map over the picture; what was cut off before the network saw it is NaN, not a value."""
    was_seen = spread_back(np.ones_like(seen_map), picture.size, preparation) > 0
    return np.where(was_seen, spread_back(seen_map, picture.size, preparation), np.float32(np.nan))


def _relative(title: str, values: NDArray[np.float32], greatest: float, *, method: str) -> Overlay:
    return Overlay(title, values / (greatest or 1.0), (0, 1), "greatest = 1", method=method)


def _by_name(name: str, values: NDArray[np.float32]) -> Overlay:
    """Return the map of a method that was asked for, on a scale of its own."""
    greatest = float(np.nanpercentile(np.abs(values), BRIGHTEST))
    drawn = _relative(TITLES[name], values, greatest, method=name)
    if not METHODS[name].is_signed:
        return drawn
    return drawn._replace(limits=(-1, 1), label="red for it, blue against; greatest = 1", colours=FOR_AND_AGAINST)


def _ends(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _around_zero(values: NDArray[np.float32]) -> tuple[float, float]:
    farthest = float(np.nanmax(np.abs(values))) or 1.0
    return -farthest, farthest


def _draw_outlined(figure: Any, axes: Axes, picture: Image.Image, overlays: tuple[Overlay, ...]) -> None:
    """Draw a picture in its colours, and around the strongest tenth of a map a line that is seen on every skin."""
    axes.imshow(picture)
    axes.set_axis_off()
    axes.set_title("picture", loc="left", fontsize=8)
    told = "" if overlays else "no map that may be shown:\nnone passed its examination"
    for overlay in overlays:
        level = float(np.nanpercentile(overlay.values, STRONGEST))
        if np.nanmin(overlay.values) < level < np.nanmax(overlay.values):
            told = f"outline: strongest tenth of\n{overlay.title}"
            for colour, width in (("black", 2.2), ("white", 0.9)):
                axes.contour(overlay.values, levels=[level], colors=colour, linewidths=width)
    blank = ScalarMappable(cmap=ListedColormap(["white"]))  # where the others have their scale, so that all lie level
    _draw_scale(figure, axes, blank, told).set_ticks([])


def _draw_large(figure: Any, axes: Axes, picture: Image.Image, overlay: Overlay) -> None:
    axes.set_title(overlay.title, loc="left", fontsize=8)
    _draw_scale(figure, axes, _draw_map(axes, picture, overlay), overlay.label)


def _draw_scale(figure: Any, axes: Axes, drawn: ScalarMappable, label: str) -> Colorbar:
    scale: Colorbar = figure.colorbar(drawn, ax=axes, orientation="horizontal", fraction=0.05, pad=0.02, aspect=28)
    scale.set_label(label, fontsize=7)
    scale.ax.tick_params(labelsize=7)
    scale.outline.set_visible(False)
    return scale


def _draw_depths(figure: Any, picture: Image.Image, depths: tuple[Overlay, ...]) -> None:
    meaning = "Every depth on its own scale: red for the diagnosis, blue against it; below, the logit of that depth."
    figure.suptitle(meaning, x=0.01, ha="left", fontsize=7.5, color=GREY)
    for axes, overlay in zip(figure.subplots(1, len(depths)), depths, strict=True):
        _draw_map(axes, picture, overlay)
        axes.set_title(overlay.title, loc="left", fontsize=7)
        axes.text(0, -0.04, overlay.label, transform=axes.transAxes, va="top", fontsize=6.5, color=GREY)


def _draw_map(axes: Axes, picture: Image.Image, overlay: Overlay) -> Any:
    lowest, highest = overlay.limits
    axes.imshow(picture.convert("L"), cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
    return axes.imshow(overlay.values, cmap=overlay.colours, vmin=lowest, vmax=highest, alpha=BLEND)
