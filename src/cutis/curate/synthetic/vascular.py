"""Vascular lesions, and the carcinoma that is known by its vessels."""

from __future__ import annotations

import numpy as np

from cutis.curate.synthetic import shapes, signs
from cutis.curate.synthetic.shapes import Sheet
from cutis.curate.synthetic.skin import Lesion, Sign


def hemangioma(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Red, red-blue or nearly black lacunae with pale septa between them."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.30, 0.65), ragged=0.10, edge=0.06)
    lakes = signs.lacunae(sheet, random, area, spacing=random.uniform(0.16, 0.28))
    blue = random.beta(1.2, 1.6)
    return Lesion(
        area,
        (
            Sign("ground", "blood", area, random.uniform(0.15, 0.5)),
            Sign("pale septa", "collagen", area * (1 - lakes), random.uniform(0.0, 0.35)),
            Sign("lacunae", "blood", lakes, random.uniform(0.8, 1.8)),
            Sign("lacunae", "deep melanin", lakes, 1.1 * blue),
        ),
    )


def port_wine_stain(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Dotted to reticular vessels on even pink-purple, without scale."""
    del site
    area = shapes.outline(sheet, random, radius=random.uniform(0.8, 1.4), ragged=0.12, edge=0.10)
    reticular = random.random()
    dots = signs.dotted_vessels(sheet, random, area, spacing=0.11, radius=0.026, regular=0.6)
    net = signs.polygonal_vessels(
        sheet, random, area, spacing=random.uniform(0.13, 0.2), width=0.022, kept=random.uniform(0.4, 0.7)
    )
    return Lesion(
        area,
        (
            Sign("pink-purple ground", "venous blood", area, random.uniform(0.25, 0.75)),
            Sign("dotted vessels", "blood", dots, (1.2 - reticular) * random.uniform(0.4, 1.0)),
            Sign("reticular vessels", "venous blood", net, (0.2 + reticular) * random.uniform(0.4, 0.9)),
        ),
    )


def basal_cell_carcinoma(sheet: Sheet, random: np.random.Generator, site: str) -> Lesion:
    """Bright arborising vessels over a pearly ground, blue-grey ovoid nests, now and then an erosion."""
    del site
    radius = random.uniform(0.45, 0.80)
    area = shapes.outline(sheet, random, radius=radius, ragged=0.13, edge=0.12)
    stems = int(random.integers(2, 5))
    vessels = signs.arborising_vessels(sheet, random, stems=stems, width=random.uniform(0.032, 0.050), reach=radius)
    clods = signs.nests(sheet, random, area, count=int(random.integers(2, 8)), radius=random.uniform(0.06, 0.12))
    erosion = signs.nests(sheet, random, area, count=int(random.choice([0, 1], p=[0.65, 0.35])), radius=0.13)
    return Lesion(
        area,
        (
            Sign("pearly ground", "collagen", area, random.uniform(0.10, 0.45)),
            Sign("pearly ground", "blood", area, random.uniform(0.05, 0.35)),
            Sign("blue-grey ovoid nests", "deep melanin", clods, random.uniform(0.5, 1.6)),
            Sign(
                "arborising vessels", "blood", shapes.soften(area, sheet, by=0.06) * vessels, random.uniform(0.7, 1.7)
            ),
            Sign("erosion", "serum", erosion, random.uniform(0.3, 0.6)),
        ),
    )
