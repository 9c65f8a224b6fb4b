"""A picture, and over it where the network's answer comes from."""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from cutis.explain.figures import GREY, STYLE, WIDTH
from cutis.explain.saliency import Look
from cutis.imaging.prepare import Preparation, spread_back
from cutis.runtime.maps import FINAL, FUSED, Map
from cutis.vocabulary.taxonomy import Taxonomy

BLEND = 0.6  # of the map over the grey picture: both are still read
BRIGHTEST = 99.5  # percentile of a gradient from which on it is drawn as the greatest: single pixels stand out by far
STRONGEST = 90  # percentile of a map from which on it is outlined
# Both are read in every kind of colour blindness; the second has its white at zero.
AMOUNT, FOR_AND_AGAINST = "viridis", "RdBu_r"
ACROSS = 3  # large panels in a row


class Overlay(NamedTuple):
    """A map over a picture, with what its colours mean."""

    title: str
    values: NDArray[np.float32]  # (H, W), NaN where the network saw nothing
    limits: tuple[float, float]  # the values of the first and the last colour
    label: str
    colours: str = AMOUNT


def saliency_figure(
    picture: Image.Image, seen: Look, preparation: Preparation, *, taxonomy: Taxonomy, title: str
) -> Figure:
    """Draw a picture, its maps with their scales, the comparison with another diagnosis, and every depth in small.

    Args:
        picture: upright.
        seen: what the network says of it.
        preparation: with which the network saw it, so that maps lie where it looked.
        taxonomy: names the diagnoses.
        title: of the figure.
    """
    overlays = _overlays(picture, seen, preparation, taxonomy)
    depths = _depths(picture, seen, preparation)
    shape = picture.height / picture.width
    rows = -(-(len(overlays) + 1) // ACROSS)
    large, small = (WIDTH / ACROSS - 0.1) * shape + 0.62, (WIDTH / max(len(depths), 1) - 0.05) * shape + 0.42
    heights = [large * rows, *([small] if depths else [])]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=9, weight="bold")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        plain, *panels = parts[0].subplots(rows, ACROSS).flat
        _draw_outlined(plain, picture, overlays[0])
        for axes, overlay in zip(panels, overlays, strict=False):
            _draw_overlay(parts[0], axes, picture, overlay)
        for axes in panels[len(overlays) :]:
            axes.set_axis_off()
        if depths:
            _draw_depths(parts[1], picture, depths)
    return figure


def _overlays(picture: Image.Image, seen: Look, preparation: Preparation, taxonomy: Taxonomy) -> tuple[Overlay, ...]:
    """Return the large maps, the one that is outlined first."""
    gradient, final = (_over(each, picture, preparation) for each in (seen.gradient, seen.maps[FINAL]))
    contrast = _over(seen.contrast, picture, preparation)
    (rows, columns), logit = seen.maps[FINAL].shape, seen.maps[FINAL].mean()
    greatest = float(np.nanpercentile(gradient, BRIGHTEST)) or 1.0
    rather_than = (
        taxonomy.diseases[seen.question.rather_than].abbreviation if seen.question.rather_than is not None else ""
    )
    large = [
        Overlay("gradient saliency", gradient / greatest, (0, 1), "change of the logit, greatest = 1"),
        Overlay(
            "class activation",
            final,
            _ends(final),
            f"{rows} × {columns} places; mean: the logit, {logit:.2f}",
        ),
        Overlay(
            f"rather than {rather_than}",
            contrast,
            _around_zero(contrast),
            f"red speaks for it; mean {seen.contrast.mean():+.2f}",
            FOR_AND_AGAINST,
        ),
    ]
    if FUSED in seen.maps:
        joined = _over(seen.maps[FUSED], picture, preparation)
        strongest = float(np.nanmax(joined)) or 1.0
        large.insert(0, Overlay("all depths joined", joined / strongest, (0, 1), "greatest = 1"))
    else:
        large.insert(0, large.pop(1))
    return tuple(large)


def _depths(picture: Image.Image, seen: Look, preparation: Preparation) -> tuple[Overlay, ...]:
    """Return the small maps of every classifier, shallow to deep; none where there is only the final one."""
    stack = [(name, each) for name, each in seen.maps.items() if name != FUSED]
    spread = [(name, each, _over(each, picture, preparation)) for name, each in stack]
    return (
        tuple(
            Overlay(
                name.replace("_", " "),
                values,
                _around_zero(values),
                f"{each.mean():+.1f}  ({each.shape[0]} × {each.shape[1]})",
                FOR_AND_AGAINST,
            )
            for name, each, values in spread
        )
        if len(spread) > 1
        else ()
    )


def _over(seen_map: Map, picture: Image.Image, preparation: Preparation) -> NDArray[np.float32]:
    """Spread a map over the picture; what was cut off before the network saw it is NaN, not a value."""
    was_seen = spread_back(np.ones_like(seen_map), picture.size, preparation) > 0
    return np.where(was_seen, spread_back(seen_map, picture.size, preparation), np.float32(np.nan))


def _ends(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _around_zero(values: NDArray[np.float32]) -> tuple[float, float]:
    farthest = float(np.nanmax(np.abs(values))) or 1.0
    return -farthest, farthest


def _draw_outlined(axes: Axes, picture: Image.Image, overlay: Overlay) -> None:
    axes.imshow(picture)
    _draw_outline(axes, overlay)
    axes.set_title("picture", loc="left", fontsize=8)
    axes.set_axis_off()
    axes.text(
        0,
        -0.03,
        f"outline: strongest tenth of\n{overlay.title}",
        transform=axes.transAxes,
        va="top",
        fontsize=7,
        color=GREY,
    )


def _draw_outline(axes: Axes, overlay: Overlay) -> None:
    """Draw around the strongest tenth of a map, light on dark, so that it is seen on every skin."""
    level = float(np.nanpercentile(overlay.values, STRONGEST))
    if not np.nanmin(overlay.values) < level < np.nanmax(overlay.values):
        return
    for colour, width in (("black", 2.4), ("white", 1.0)):
        axes.contour(overlay.values, levels=[level], colors=colour, linewidths=width)


def _draw_overlay(figure: Any, axes: Axes, picture: Image.Image, overlay: Overlay) -> None:
    drawn = _draw_map(axes, picture, overlay)
    axes.set_title(overlay.title, loc="left", fontsize=8)
    scale = figure.colorbar(drawn, ax=axes, orientation="horizontal", fraction=0.05, pad=0.02, aspect=28)
    scale.set_label(overlay.label, fontsize=7)
    scale.ax.tick_params(labelsize=7)
    scale.outline.set_visible(False)


def _draw_depths(figure: Any, picture: Image.Image, depths: tuple[Overlay, ...]) -> None:
    figure.suptitle(
        "every depth on its own scale: red speaks for the diagnosis, blue against it; below, the logit of that depth",
        x=0.01,
        ha="left",
        fontsize=7.5,
        color=GREY,
    )
    for axes, overlay in zip(figure.subplots(1, len(depths)), depths, strict=True):
        _draw_map(axes, picture, overlay)
        axes.set_title(overlay.title, loc="left", fontsize=7)
        axes.text(0, -0.04, overlay.label, transform=axes.transAxes, va="top", fontsize=6.5, color=GREY)


def _draw_map(axes: Axes, picture: Image.Image, overlay: Overlay) -> Any:
    lowest, highest = overlay.limits
    axes.imshow(picture.convert("L"), cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
    return axes.imshow(overlay.values, cmap=overlay.colours, vmin=lowest, vmax=highest, alpha=BLEND)
