"""Growths of the epidermis, of pigment cells and of fibres, each from its own dermoscopic signs."""

from __future__ import annotations

import numpy as np

from cutis.curate.synthetic import shapes, signs
from cutis.curate.synthetic.shapes import Sheet
from cutis.curate.synthetic.skin import Lesion, Sign, ridges


def viral_wart(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Packed papillae with a dot in each and haemorrhages (common, plantar); dots on even tan (plane, on the face)."""
    if site in {"face", "cheek", "forehead"}:
        return _plane_wart(sheet, random)
    area = shapes.outline(sheet, random, radius=random.uniform(0.40, 0.70), ragged=0.07, edge=0.05)
    knobs, clefts, dots = signs.papillae(sheet, random, area, spacing=random.uniform(0.13, 0.20))
    bleeding = signs.openings(sheet, random, area, count=int(random.integers(2, 14)), radius=0.022)
    return Lesion(
        area,
        (
            Sign("papillae", "collagen", area, random.uniform(0.10, 0.35)),
            Sign("dots in papillae", "blood", dots, random.uniform(0.7, 1.6)),
            Sign("papillae", "keratin", knobs, random.uniform(0.15, 0.40)),
            Sign("papillae", "melanin", clefts, random.uniform(0.20, 0.70)),
            Sign("haemorrhages", "dried blood", bleeding, random.uniform(0.8, 2.2)),
        ),
    )


def _plane_wart(sheet: Sheet, random: np.random.Generator) -> Lesion:
    area = shapes.outline(sheet, random, radius=random.uniform(0.35, 0.60), ragged=0.06, edge=0.07)
    dots = signs.dotted_vessels(sheet, random, area, spacing=random.uniform(0.12, 0.17), radius=0.020, regular=0.9)
    return Lesion(
        area,
        (
            Sign("even tan", "melanin", area, random.uniform(0.18, 0.42)),
            Sign("dots in papillae", "blood", dots, random.uniform(0.5, 1.2)),
        ),
    )


def dermatofibroma(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """A white patch in the middle of a fine brown network that forms a ring."""
    del site
    radius = random.uniform(0.40, 0.75)
    away = shapes.distance(sheet, random, radius=radius, ragged=0.07, stretch=1.15)
    core = random.uniform(0.35, 0.6)
    area = 1 - shapes.rising(away, 0.75, 1.15)
    patch = 1 - shapes.rising(away * (1 + 0.12 * shapes.noise(sheet, random, grain=0.12)), core * 0.7, core * 1.25)
    ring = area * shapes.rising(away, core * 0.6, core * 1.2)
    network = signs.pigment_network(sheet, random, ring, spacing=random.uniform(0.065, 0.09), width=0.013)
    return Lesion(
        area,
        (
            Sign("ground", "blood", area, random.uniform(0.05, 0.35)),
            Sign("white patch", "collagen", patch, random.uniform(0.50, 0.95)),
            Sign("ring network", "melanin", ring, random.uniform(0.12, 0.40)),
            Sign("ring network", "melanin", network, random.uniform(0.6, 1.3)),
            Sign("white patch", "keratin", patch, random.uniform(0.10, 0.40)),
        ),
    )


def seborrheic_keratosis(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Sharply bounded brown plaque with milia-like cysts and comedo-like openings."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.40, 0.80), ragged=0.09, edge=0.035)
    bumpy = shapes.uneven(sheet, random, area, by=0.18, grain=0.10)
    cysts = signs.cysts(sheet, random, area, count=int(random.integers(3, 16)), radius=random.uniform(0.024, 0.040))
    plugs = signs.openings(sheet, random, area, count=int(random.integers(2, 14)), radius=random.uniform(0.024, 0.042))
    return Lesion(
        area,
        (
            Sign("brown plaque", "melanin", bumpy, random.uniform(0.40, 1.7)),
            Sign("milia-like cysts", "keratin", cysts, random.uniform(0.40, 0.85)),
            Sign("comedo-like openings", "dark horn", plugs, random.uniform(0.50, 0.90)),
        ),
    )


def nevus(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Regular brown network, or globules; parallel furrows on palm and sole."""
    radius = random.uniform(0.30, 0.70)
    area = shapes.outline(sheet, random, radius=radius, ragged=0.10, edge=0.16)
    darker = np.exp(-(sheet.x**2 + sheet.y**2) / np.float32(radius**2 / 2))
    ground = shapes.uneven(sheet, random, area, by=0.15) * (0.6 + random.uniform(0, 1.2) * darker)
    if site in {"sole", "palm"}:
        pattern = Sign("parallel furrows", "melanin", ridges(sheet, random) * area, random.uniform(0.6, 1.3))
    elif random.random() < 0.62:  # noqa: PLR2004  the share of reticular nevi
        net = signs.pigment_network(sheet, random, area, spacing=random.uniform(0.075, 0.12), width=0.022)
        pattern = Sign("pigment network", "melanin", net, random.uniform(0.8, 2.0))
    else:
        clods = signs.globules(sheet, random, area, spacing=random.uniform(0.09, 0.14), radius=0.036)
        pattern = Sign("globules", "melanin", clods, random.uniform(0.8, 2.0))
    return Lesion(area, (Sign("brown ground", "melanin", np.clip(ground, 0, 2), random.uniform(0.5, 1.8)), pattern))


def keloid(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Structureless white-pink band; linear branching vessels, more in keloid than in scar."""
    del site
    away = shapes.distance(sheet, random, radius=random.uniform(0.50, 0.85), ragged=0.05, stretch=3.5)
    area = shapes.rising(1 - away, -0.08, 0.14)
    most = random.choice([10, 4], p=[0.65, 0.35])  # keloids and scars
    width = random.uniform(0.016, 0.028)
    vessels = signs.linear_vessels(sheet, random, area, count=random.integers(2, most), width=width, length=0.7)
    shine = area * shapes.rising(shapes.noise(sheet, random, grain=0.35), 0.0, 1.6)
    return Lesion(
        area,
        (
            Sign("white-pink", "collagen", area, random.uniform(0.65, 1.0)),
            Sign("white-pink", "blood", shapes.uneven(sheet, random, area), random.uniform(0.05, 0.40)),
            Sign("linear branching vessels", "blood", vessels, random.uniform(1.0, 2.2)),
            Sign("rim", "melanin", shapes.rim(area), random.uniform(0.0, 0.30)),
            Sign("white-pink", "keratin", area, random.uniform(0.05, 0.22)),
            Sign("white-pink", "keratin", shine, random.uniform(0.05, 0.30)),
        ),
    )
