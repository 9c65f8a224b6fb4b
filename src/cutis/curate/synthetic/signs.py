"""The dermoscopic signs, each a map of where it is seen.

`where` is the region that a sign keeps to, a map of 0..1. Lengths are in half a picture's width.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cutis.curate.synthetic import shapes
from cutis.curate.synthetic.shapes import Map, Sheet
from cutis.imaging.strokes import Points, Stroke, curve

SIDES_KEPT = 0.8  # of a net's sides, so that it is not quite regular


def pigment_network(sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float, width: float) -> Map:
    """Brown lines around pale holes, regular, fading with the region."""
    points = shapes.scattered(random, spacing=spacing, jitter=0.36)
    lines = shapes.cell_walls(random, _near(sheet, points, where), width=width)
    faded = 0.75 + 0.35 * shapes.noise(sheet, random, grain=0.3)
    return np.clip(shapes.strokes(sheet, lines, soft=0.006) * where * faded, 0, 1)


def globules(sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float, radius: float) -> Map:
    """Round clods, evenly spread."""
    points = _inside(sheet, shapes.scattered(random, spacing=spacing, jitter=0.25), where)
    radii = radius * random.uniform(0.7, 1.3, len(points))
    return shapes.spots(sheet, points, radii, ink=random.uniform(0.7, 1, len(points)), soft=0.006)


def dotted_vessels(
    sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float, radius: float, regular: float
) -> Map:
    """Red dots in a region: `regular` 1 gives an even grid, 0 loose clusters."""
    points = _inside(sheet, shapes.scattered(random, spacing=spacing, jitter=0.55 - 0.4 * regular), where)
    clusters = sheet.at(shapes.noise(sheet, random, grain=0.32), points)
    points = points[clusters > -2.2 * regular + 0.15]
    radii = radius * random.uniform(0.75, 1.25, len(points))
    return shapes.spots(sheet, points, radii, ink=random.uniform(0.6, 1, len(points)), soft=0.005)


def arborising_vessels(sheet: Sheet, random: np.random.Generator, *, stems: int, width: float, reach: float) -> Map:
    """Bright vessels that enter at the edge, and branch ever finer towards the middle."""
    lines: list[Stroke] = []
    for angle in random.uniform(0, 2 * np.pi) + np.arange(stems) * 2.1:
        start = reach * np.array([[np.cos(angle), np.sin(angle)]]) * random.uniform(0.8, 1.1)
        heading = angle + np.pi + random.normal(0, 0.35)
        lines += _branches(random, start, heading=heading, length=reach * 1.3, width=width, depth=3)
    return shapes.strokes(sheet, lines, soft=0.004)


def linear_vessels(
    sheet: Sheet, random: np.random.Generator, where: Map, *, count: int, width: float, length: float
) -> Map:
    """Single winding vessels with few branches."""
    lines: list[Stroke] = []
    for start in _inside(sheet, random.uniform(-1, 1, (count * 3, 2)), where)[:count]:
        heading = random.uniform(0, 2 * np.pi)
        lines += _branches(random, start[None], heading=heading, length=length, width=width, depth=1)
    return shapes.strokes(sheet, lines, soft=0.004) * where


def polygonal_vessels(
    sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float, width: float, kept: float
) -> Map:
    """Vessels that join to polygons; `kept` is the share of their sides that is seen."""
    points = shapes.scattered(random, spacing=spacing, jitter=0.4)
    walls = shapes.cell_walls(random, _near(sheet, points, where), width=width, wobble=0.3)
    lines = [replace(wall, ink=random.uniform(0.55, 1)) for wall in walls if random.random() < kept]
    return shapes.strokes(sheet, lines, soft=0.005) * where


def crossing_lines(sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float, width: float) -> Map:
    """Wickham's striae: white lines that cross to a net, with spikes that leave it at the rim."""
    points = shapes.scattered(random, spacing=spacing, jitter=0.5)
    lines = [wall for wall in shapes.cell_walls(random, points, width=width) if random.random() < SIDES_KEPT]
    knots = _inside(sheet, points + spacing / 2, where)
    for knot in knots:
        for heading in random.uniform(0, 2 * np.pi, random.integers(2, 5)):
            spike = curve(random, knot[None], heading=heading, length=spacing * 0.75, bend=0.08)
            lines.append(Stroke(spike, width * 1.3, 0.25))
    return shapes.strokes(sheet, lines, soft=0.010) * where


def cysts(sheet: Sheet, random: np.random.Generator, where: Map, *, count: int, radius: float) -> Map:
    """Milia-like cysts: round, bright, with a soft rim."""
    points = _inside(sheet, random.uniform(-1, 1, (count * 5, 2)), where)[:count]
    return shapes.spots(sheet, points, radius * random.lognormal(0, 0.35, len(points)), soft=0.010)


def openings(sheet: Sheet, random: np.random.Generator, where: Map, *, count: int, radius: float) -> Map:
    """Comedo-like openings: dark plugs, round to oblong."""
    points = _inside(sheet, random.uniform(-1, 1, (count * 5, 2)), where)[:count]
    twins = points + random.normal(0, radius * 0.6, points.shape)
    return shapes.spots(
        sheet, np.vstack([points, twins]), radius * random.lognormal(0, 0.3, 2 * len(points)), soft=0.006
    )


def lacunae(sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float) -> Map:
    """Round to oval lakes of blood, side by side and sharply bounded, deeper here and shallower there."""
    points = _inside(sheet, shapes.scattered(random, spacing=spacing, jitter=0.3), where)
    radii = spacing * random.uniform(0.30, 0.50, len(points))
    ink = random.uniform(0.6, 1, len(points))
    doubled = np.vstack([points, points + random.normal(0, spacing * 0.12, points.shape)])
    lakes = shapes.spots(sheet, doubled, np.tile(radii, 2), ink=np.tile(ink, 2), soft=0.010)
    return np.clip(lakes * (0.85 + 0.12 * shapes.noise(sheet, random, grain=0.12)), 0, 1)


def nests(sheet: Sheet, random: np.random.Generator, where: Map, *, count: int, radius: float) -> Map:
    """Ovoid nests: a few large, smooth, confluent clods."""
    points = _inside(sheet, random.uniform(-0.9, 0.9, (count * 6, 2)), where)[:count]
    pulled = points + random.normal(0, radius * 0.5, points.shape)
    radii = radius * random.lognormal(0, 0.4, len(points))
    return shapes.spots(sheet, np.vstack([points, pulled]), np.tile(radii, 2), soft=0.018)


def flakes(sheet: Sheet, random: np.random.Generator, where: Map, *, cover: float, grain: float) -> Map:
    """Scale and crust: ragged, cracked plates, thin at their rims, over about the share `cover` of the region."""
    plates = shapes.noise(sheet, random, grain=grain) + 0.6 * shapes.noise(sheet, random, grain=grain * 0.35)
    limit = float(np.quantile(plates, 1 - cover))
    cracks = 0.72 + 0.28 * np.tanh(2 * shapes.noise(sheet, random, grain=grain * 0.12))
    return np.clip(shapes.rising(plates, limit - 0.25, limit + 0.75) * cracks * where, 0, 1)


def papillae(sheet: Sheet, random: np.random.Generator, where: Map, *, spacing: float) -> tuple[Map, Map, Map]:
    """Densely packed papillae: (their pale knobs, the dark clefts between them, the dot in each)."""
    points = _near(sheet, shapes.scattered(random, spacing=spacing, jitter=0.2), where)
    clefts = shapes.strokes(sheet, shapes.cell_walls(random, points, width=spacing * 0.2), soft=spacing * 0.05)
    knobs = shapes.spots(sheet, points, spacing * random.uniform(0.34, 0.42, len(points)), soft=spacing * 0.08)
    seen = _inside(sheet, points, where)
    dots = shapes.spots(sheet, seen, spacing * random.uniform(0.12, 0.22, len(seen)), soft=spacing * 0.04)
    return knobs * where, clefts * where, dots


def _branches(
    random: np.random.Generator, start: Points, *, heading: float, length: float, width: float, depth: int
) -> list[Stroke]:
    path = curve(random, start, heading=heading, length=length, bend=0.22)
    lines = [Stroke(path, width, 0.45)]
    if depth:
        for place in random.choice(np.arange(2, len(path) - 1), size=random.integers(2, 4), replace=False):
            fork = heading + random.choice([-1, 1]) * random.uniform(0.4, 1.1)
            rest = length * random.uniform(0.35, 0.6)
            lines += _branches(
                random, path[place][None], heading=fork, length=rest, width=width * 0.62, depth=depth - 1
            )
    return lines


def _inside(sheet: Sheet, points: Points, where: Map) -> Points:
    return points[sheet.at(where, points) > 0.5]  # noqa: PLR2004  the middle of a map's range


def _near(sheet: Sheet, points: Points, where: Map) -> Points:
    """Points in the region or just beside it, with enough around them to close their cells."""
    wide = shapes.soften(where, sheet, by=0.15)
    near = points[sheet.at(wide, points) > 0.02]  # noqa: PLR2004  what the blur still reaches
    return near if len(near) > 8 else points  # noqa: PLR2004  cells need neighbours
