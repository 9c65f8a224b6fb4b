"""Pictures and drawings as they stand inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

QUALITY = 82  # of WebP: letters in the figures stay clean, at a tenth of the PNG's bytes
PLOT = (300.0, 120.0)  # width and height of a curve's plot


class Inline(NamedTuple):
    """A picture inside the page."""

    source: str  # a data address
    alt: str


class Curve(NamedTuple):
    """One training-side figure by epoch, ready to be drawn in `PLOT`."""

    title: str
    points: str  # of the final classifier, as SVG writes them
    others: tuple[str, ...]  # of the auxiliary classifiers
    best: tuple[float, float]  # where the chosen epoch lies
    lowest: str
    highest: str


def inline_svg(path: Path, *, alt: str) -> Inline:
    """Return an SVG file as a picture: inside an image nothing of it can act or clash with the page."""
    return Inline(f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}", alt)


def inline_picture(path: Path, *, alt: str) -> Inline:
    """Return a picture file, made small for a page."""
    squeezed = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(squeezed, "WEBP", quality=QUALITY)
    return Inline(f"data:image/webp;base64,{base64.b64encode(squeezed.getvalue()).decode()}", alt)


def training_curves(history: Sequence[dict[str, Any]], *, best_epoch: int) -> tuple[Curve, ...]:
    """Return the curves of a training; none before its second epoch."""
    if len(history) < 2:  # noqa: PLR2004  a line needs two points
        return ()
    auxiliary = list(zip(*(record["tune_macro_auc_auxiliary"] for record in history), strict=True))
    epochs = [record["epoch"] for record in history]
    by_title: dict[str, list[Sequence[float]]] = {
        "training loss, all classifiers together": [[record["loss"] for record in history]],
        "log loss on tune": [[record["tune_log_loss"] for record in history]],
        "macro AUC on tune": [[record["tune_macro_auc"] for record in history], *auxiliary],
    }
    return tuple(
        _curve(title, epochs, final, others, best=epochs.index(best_epoch))
        for title, (final, *others) in by_title.items()
    )


def _curve(
    title: str, epochs: Sequence[int], final: Sequence[float], others: Sequence[Sequence[float]], *, best: int
) -> Curve:
    values = [value for line in (final, *others) for value in line]
    low, high = min(values), max(values)
    width, height = PLOT

    def place(number: int, value: float) -> tuple[float, float]:
        across = (epochs[number] - epochs[0]) / (epochs[-1] - epochs[0])
        up = (value - low) / (high - low) if high > low else 0.5
        return round(across * width, 1), round((1 - up) * height, 1)

    def line(values: Sequence[float]) -> str:
        return " ".join("{},{}".format(*place(number, value)) for number, value in enumerate(values))

    return Curve(
        title=title,
        points=line(final),
        others=tuple(map(line, others)),
        best=place(best, final[best]),
        lowest=f"{low:.3f}",
        highest=f"{high:.3f}",
    )
