"""Lines as a pen or a hair leaves them: bent, narrowing, and with smooth edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Points: TypeAlias = NDArray[np.float64]  # (N, 2), x before y

FINER = 2  # lines are drawn this much larger and then reduced, so that their edges are smooth
STEPS = 12  # of a curve


@dataclass(frozen=True)
class Stroke:
    """A line through `points` (N, 2) that narrows to `taper` of its width; `ink` 0..1 is how strongly it is drawn."""

    points: Points
    width: float
    taper: float = 1.0
    ink: float = 1.0


def curve(
    random: np.random.Generator, start: Points, *, heading: float, length: float, bend: float, bow: float = 0.0
) -> Points:
    """Return a path of 13 points from `start` that turns by `bow`, give or take `bend`, at each of them."""
    headings = heading + np.cumsum(random.normal(bow, bend, STEPS))
    moves = np.stack([np.cos(headings), np.sin(headings)], axis=1) * length / STEPS
    return np.vstack([start, start + np.cumsum(moves, axis=0)])


def drawn_strokes(size: tuple[int, int], lines: Sequence[Stroke]) -> Image.Image:
    """Return lines as a grey picture of this width and height, 0 where there is none; all lengths are in pixels."""
    paper = Image.new("L", (size[0] * FINER, size[1] * FINER))
    draw = ImageDraw.Draw(paper)
    for line in lines:
        path = [(x * FINER, y * FINER) for x, y in line.points.tolist()]
        parts = [path] if line.taper == 1 else list(pairwise(path))
        narrowing = (1 - line.taper) / max(len(parts) - 1, 1)
        for place, part in enumerate(parts):
            width = line.width * (1 - narrowing * place) * FINER
            draw.line(part, fill=int(255 * line.ink), width=max(1, round(width)))
    return paper.reduce(FINER)
