"""Inflammations, each from its own dermoscopic signs."""

from __future__ import annotations

import numpy as np

from cutis.curate.synthetic import shapes, signs
from cutis.curate.synthetic.shapes import Sheet
from cutis.curate.synthetic.skin import Lesion, Sign


def lichen_planus(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Violet papules with Wickham's white crossing lines."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.45, 0.85), ragged=0.14, edge=0.10)
    uneven = area * (1 + 0.18 * shapes.noise(sheet, random, grain=0.25))
    striae = signs.crossing_lines(
        sheet, random, shapes.soften(area, sheet, by=0.03), spacing=random.uniform(0.24, 0.40), width=0.030
    )
    dots = signs.dotted_vessels(sheet, random, shapes.rim(area), spacing=0.11, radius=0.018, regular=0.3)
    return Lesion(
        area,
        (
            Sign("violet ground", "venous blood", uneven, random.uniform(0.35, 0.75)),
            Sign("violet ground", "deep melanin", area, random.uniform(0.05, 0.30)),
            Sign("dotted vessels", "blood", dots, random.uniform(0.2, 0.8)),
            Sign("Wickham striae", "keratin", striae, random.uniform(0.35, 0.75)),
        ),
    )


def rosacea(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Polygonal vessels on a flushed face, with plugged follicles and a little scale."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.8, 1.3), ragged=0.2, edge=0.3)
    vessels = signs.polygonal_vessels(
        sheet, random, area, spacing=random.uniform(0.20, 0.32), width=random.uniform(0.016, 0.030), kept=0.85
    )
    plugs = signs.cysts(sheet, random, area, count=int(random.integers(0, 10)), radius=0.028)
    return Lesion(
        area,
        (
            Sign("flush", "blood", shapes.uneven(sheet, random, area), random.uniform(0.15, 0.55)),
            Sign("polygonal vessels", "blood", vessels, random.uniform(0.55, 1.3)),
            Sign("follicular plugs", "sebum", plugs, random.uniform(0.2, 0.5)),
        ),
    )


def acne(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """One to three papules: a yellow-white plug in the middle of a red halo."""
    del site
    halo, plug, collar = (np.zeros((sheet.side, sheet.side), dtype=np.float32) for _ in range(3))
    count = int(random.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    middles = random.uniform(-0.55, 0.55, (count, 2)) * (0.3 if count == 1 else 1.0)
    for x, y in middles:
        radius = random.uniform(0.28, 0.55) / np.sqrt(count)
        away = np.hypot(sheet.x - np.float32(x), sheet.y - np.float32(y)) / np.float32(radius)
        away = away * (1 + 0.10 * shapes.noise(sheet, random, grain=0.25))
        core = random.uniform(0.25, 0.5)
        halo = np.maximum(halo, 1 - shapes.rising(away, 0.5, 1.4))
        plug = np.maximum(plug, 1 - shapes.rising(away, core * 0.75, core * 1.15))
        collar = np.maximum(collar, np.exp(-(((away - core * 1.3) / 0.16) ** 2)))
    return Lesion(
        shapes.rising(halo, 0.2, 0.6),
        (
            Sign("red halo", "blood", halo, random.uniform(0.45, 1.1)),
            Sign("red halo", "melanin", collar, random.uniform(0.0, 0.35)),
            Sign("yellow-white plug", "sebum", plug, random.uniform(0.45, 0.9)),
        ),
    )


def eczema(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Dotted vessels in patches and yellow crusts of serum on ill-bounded red."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.6, 1.1), ragged=0.28, edge=0.35)
    dots = signs.dotted_vessels(
        sheet, random, area, spacing=random.uniform(0.075, 0.11), radius=0.021, regular=random.uniform(0, 0.25)
    )
    crusts = signs.flakes(sheet, random, area, cover=random.uniform(0.06, 0.22), grain=random.uniform(0.2, 0.35))
    scale = signs.flakes(sheet, random, area, cover=random.uniform(0.0, 0.10), grain=0.2)
    return Lesion(
        area,
        (
            Sign("red ground", "blood", shapes.uneven(sheet, random, area, by=0.4), random.uniform(0.10, 0.45)),
            Sign("patchy dotted vessels", "blood", dots, random.uniform(0.5, 1.3)),
            Sign("scale", "keratin", scale, random.uniform(0.2, 0.6)),
            Sign("yellow crusts", "serum", crusts, random.uniform(0.40, 0.85)),
        ),
    )


def seborrheic_dermatitis(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Greasy yellow scale over patchy dotted vessels (face) or fine arborising vessels (scalp)."""
    area = shapes.outline(sheet, random, radius=random.uniform(0.7, 1.15), ragged=0.22, edge=0.3)
    if site == "scalp":
        stems = int(random.integers(3, 7))
        branches = signs.arborising_vessels(sheet, random, stems=stems, width=0.022, reach=0.9) * area
        vessels = Sign("arborising vessels", "blood", branches, random.uniform(0.5, 1.1))
    else:
        dots = signs.dotted_vessels(sheet, random, area, spacing=0.10, radius=0.020, regular=random.uniform(0, 0.3))
        vessels = Sign("patchy dotted vessels", "blood", dots, random.uniform(0.4, 1.1))
    scale = signs.flakes(sheet, random, area, cover=random.uniform(0.18, 0.42), grain=random.uniform(0.13, 0.22))
    return Lesion(
        area,
        (
            Sign("red ground", "blood", shapes.uneven(sheet, random, area, by=0.3), random.uniform(0.08, 0.40)),
            vessels,
            Sign("yellow scale", "sebum", scale, random.uniform(0.40, 0.80)),
        ),
    )


def psoriasis(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Red dots, regularly spread, under white scales on a light red plaque."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.6, 1.1), ragged=0.10, edge=0.06)
    dots = signs.dotted_vessels(
        sheet, random, area, spacing=random.uniform(0.09, 0.13), radius=0.022, regular=random.uniform(0.8, 1)
    )
    scale = signs.flakes(sheet, random, area, cover=random.uniform(0.12, 0.45), grain=random.uniform(0.2, 0.4))
    return Lesion(
        area,
        (
            Sign("light red ground", "blood", area, random.uniform(0.25, 0.6)),
            Sign("regular dotted vessels", "blood", dots, random.uniform(0.6, 1.4)),
            Sign("white scales", "keratin", scale, random.uniform(0.45, 0.9)),
        ),
    )
