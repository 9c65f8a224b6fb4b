"""Hairs: everybody has their own, and more of them on the scalp than on the sole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cutis.curate.synthetic import shapes
from cutis.curate.synthetic.shapes import Sheet
from cutis.curate.synthetic.skin import Sign
from cutis.imaging.strokes import Stroke, curve

BALD = frozenset({"sole", "palm", "nose"})
THICKET = {"scalp": 3.0, "face": 0.5, "cheek": 0.5, "forehead": 0.5, "neck": 0.8}  # against arm, leg and trunk


@dataclass(frozen=True, kw_only=True)
class Hair:
    """The hair of one person."""

    colour: str  # a material
    count: float  # on a sheet of skin of the trunk
    width: float
    length: float
    curl: float


def some_hair(random: np.random.Generator, tone: str, age: float) -> Hair:
    """Return the hair of somebody with this skin and age; many have hardly any where the lesion is."""
    fair = {"I": 0.55, "II": 0.35, "III": 0.12}.get(tone, 0.0)
    colour = str(random.choice(["fair hair", "hair"], p=[fair, 1 - fair]))
    grey = age > 55 and random.random() < 0.5  # noqa: PLR2004  hair greys from then on
    dense = random.random() < 0.45  # noqa: PLR2004  the share of hairy people
    return Hair(
        colour="grey hair" if grey else colour,
        count=float(random.uniform(8, 26) if dense else random.uniform(0, 5)),
        width=float(random.uniform(0.012, 0.024)),
        length=float(random.uniform(0.5, 1.6)),
        curl=float(random.uniform(0.03, 0.12) * (2.5 if tone in {"V", "VI"} else 1)),
    )


def hairs(sheet: Sheet, random: np.random.Generator, hair: Hair, *, site: str) -> tuple[Sign, ...]:
    """Return this person's hairs at this site: none, or one sign of that name."""
    count = 0 if site in BALD else int(random.poisson(hair.count * THICKET.get(site, 1.0)))
    if not count:
        return ()
    combed = random.uniform(0, 2 * np.pi)
    lines = []
    for root in random.uniform(-sheet.reach, sheet.reach, (count, 1, 2)):
        heading = combed + random.normal(0, 0.5)
        length, bow = hair.length * random.uniform(0.4, 1), random.normal(0, hair.curl)
        path = curve(random, root, heading=heading, length=length, bend=hair.curl * 0.3, bow=bow)
        lines.append(Stroke(path, hair.width, 0.5, random.uniform(0.6, 1)))
    return (Sign("hair", hair.colour, shapes.strokes(sheet, lines), 0.9),)
