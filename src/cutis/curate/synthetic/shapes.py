"""What the invented signs are drawn with: smooth noise, outlines, spots, strokes and cell walls on a sheet of skin.

Every map is float32 of shape (side, side) with values in 0..1 unless said otherwise. Lengths are in units of half
a picture's width: a picture at zoom 1 shows −1..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from cutis.imaging.strokes import FINER, Points, Stroke, drawn_strokes

Map: TypeAlias = npt.NDArray[np.float32]

REACH = 1.25  # of a sheet
FARTHEST = 1.5  # from the middle: what lies beyond is on no sheet


@dataclass(frozen=True)
class Sheet:
    """A square of skin that reaches from −reach to reach on both axes."""

    side: int  # pixels
    reach: float = REACH

    @property
    def unit(self) -> float:
        """Pixels per unit of length."""
        return self.side / (2 * self.reach)

    @cached_property
    def x(self) -> Map:
        """The x of every pixel, shape (1, side)."""
        return np.linspace(-self.reach, self.reach, self.side, dtype=np.float32)[None, :]

    @cached_property
    def y(self) -> Map:
        """The y of every pixel, shape (side, 1)."""
        return self.x.T

    def at(self, shape: Map, points: Points) -> Map:
        """Return the values of a map at these points, (N,)."""
        column, row = np.clip((points + self.reach) * self.unit, 0, self.side - 1).astype(int).T
        return np.asarray(shape[row, column])


def noise(sheet: Sheet, random: np.random.Generator, *, grain: float) -> Map:
    """Return smooth noise of mean about 0 and deviation about 1 whose bumps are about `grain` wide."""
    count = int(np.ceil(2 * sheet.reach / grain)) + 3
    coarse = Image.fromarray(random.standard_normal((count, count), dtype=np.float32))
    box = (1.0, 1.0, count - 2.0, count - 2.0)
    return np.asarray(coarse.resize((sheet.side, sheet.side), Image.Resampling.BICUBIC, box=box)) * np.float32(1.4)


def soften(shape: Map, sheet: Sheet, *, by: float) -> Map:
    """Return a map blurred by a Gaussian of deviation `by`."""
    picture = Image.fromarray((shape * 255).astype(np.uint8))
    return as_map(picture.filter(ImageFilter.GaussianBlur(by * sheet.unit)))


def as_map(picture: Image.Image) -> Map:
    """Return a grey picture as a map."""
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def rising(values: Map, start: float, end: float) -> Map:
    """Return a smooth step from 0 at `start` to 1 at `end`."""
    step = np.clip((values - np.float32(start)) / np.float32(end - start), 0, 1)
    return np.asarray(step * step * (3 - 2 * step))


def uneven(sheet: Sheet, random: np.random.Generator, area: Map, *, by: float = 0.25, grain: float = 0.3) -> Map:
    """Return a region whose strength wavers."""
    return np.clip(area * (1 + np.float32(by) * noise(sheet, random, grain=grain)), 0, None)


def rim(area: Map) -> Map:
    """Return where a region's edge is half faded."""
    return 4 * area * (1 - area)


def outline(
    sheet: Sheet, random: np.random.Generator, *, radius: float, ragged: float = 0.1, edge: float = 0.08
) -> Map:
    """Return the inside of a closed, more or less ragged and stretched outline near the middle."""
    return rising(1 - distance(sheet, random, radius=radius, ragged=ragged), -edge, edge)


def distance(
    sheet: Sheet, random: np.random.Generator, *, radius: float, ragged: float = 0.1, stretch: float = 1.25
) -> Map:
    """Return how far each pixel is from the middle, where 1 is the outline."""
    turn, ratio = random.uniform(0, np.pi), random.uniform(1, stretch) ** 0.5
    middle = random.uniform(-0.12, 0.12, 2)
    x, y = sheet.x - middle[0], sheet.y - middle[1]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    away = np.hypot(along / ratio, across * ratio) / radius
    rough = noise(sheet, random, grain=radius * 0.8) + 0.5 * noise(sheet, random, grain=radius * 0.3)
    return np.asarray(away * (1 + np.float32(ragged) * rough), dtype=np.float32)


def scattered(random: np.random.Generator, *, spacing: float, jitter: float, reach: float = FARTHEST) -> Points:
    """Return the points of a hexagonal grid, each moved by up to `jitter` of the spacing."""
    steps = np.arange(-reach, reach, spacing)
    x, y = np.meshgrid(steps, steps * np.sqrt(3) / 2)
    x[::2] += spacing / 2
    turn = random.uniform(0, np.pi)
    points = np.stack([x.ravel(), y.ravel()], axis=1) + random.uniform(-jitter, jitter, (x.size, 2)) * spacing
    return np.asarray(points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]))


def spots(sheet: Sheet, points: Points, radii: npt.ArrayLike, *, ink: npt.ArrayLike = 1.0, soft: float = 0.0) -> Map:
    """Return round spots; `radii` and `ink` are one number or one per point."""
    picture, draw = _paper(sheet)
    sizes, inks = np.broadcast_to(radii, len(points)), np.broadcast_to(ink, len(points))
    for (x, y), radius, strength in zip(_pixels(sheet, points), sizes * sheet.unit * FINER, inks, strict=True):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(255 * min(strength, 1)))
    return _softened(sheet, picture.reduce(FINER), soft)


def strokes(sheet: Sheet, lines: Sequence[Stroke], *, soft: float = 0.0) -> Map:
    """Return lines, segment by segment where their width changes."""
    placed = [
        replace(line, points=(line.points + sheet.reach) * sheet.unit, width=line.width * sheet.unit) for line in lines
    ]
    return _softened(sheet, drawn_strokes((sheet.side, sheet.side), placed), soft)


def cell_walls(random: np.random.Generator, points: Points, *, width: float, wobble: float = 0.15) -> list[Stroke]:
    """Return the walls between the cells around these points (Voronoi), each bent a little."""
    from scipy.spatial import Voronoi

    cells = Voronoi(points)
    pairs = np.array([pair for pair in cells.ridge_vertices if pair[0] >= 0])
    start, end = cells.vertices[pairs[:, 0]], cells.vertices[pairs[:, 1]]
    near = (np.abs(start).max(axis=1) < FARTHEST) & (np.abs(end).max(axis=1) < FARTHEST)
    start, end = start[near], end[near]
    across = (end - start)[:, ::-1] * [1, -1]
    middle = (start + end) / 2 + across * random.uniform(-wobble, wobble, (len(start), 1))
    widths = width * random.uniform(0.6, 1.4, len(start))
    lines = np.stack([start, middle, end], axis=1)
    return [Stroke(path, wide) for path, wide in zip(lines, widths.tolist(), strict=True)]


def _paper(sheet: Sheet) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("L", (sheet.side * FINER, sheet.side * FINER))
    return picture, ImageDraw.Draw(picture)


def _pixels(sheet: Sheet, points: Points) -> Points:
    return (points + sheet.reach) * sheet.unit * FINER


def _softened(sheet: Sheet, picture: Image.Image, soft: float) -> Map:
    return as_map(picture.filter(ImageFilter.GaussianBlur(soft * sheet.unit)) if soft else picture)
