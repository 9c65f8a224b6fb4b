"""Skin as layers that swallow or cover light; on dark skin redness turns brown by itself.

Light falls through the surface and the epidermis with its melanin into the dermis with its blood, and comes back.
What absorbs multiplies the light by exp(−amount × colour) (Beer and Lambert); what covers is laid over it. A vessel
lies below the melanin, so the darker the skin the less of it is seen; a scale lies above and stays white.
All colours are linear light, red before green before blue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cutis.curate.synthetic import shapes
from cutis.curate.synthetic.shapes import Map, Sheet

LAYERS = ("deep dermis", "dermis", "epidermis", "surface")
BARE_DERMIS = np.array([0.86, 0.62, 0.54], dtype=np.float32)
LINEAR_BELOW = 0.0031308  # sRGB is a straight line there
VEIL = np.array([0.020, 0.021, 0.026], dtype=np.float32)  # light that comes back from above the pigment
TONES = {"I": 0.06, "II": 0.17, "III": 0.38, "IV": 0.72, "V": 1.35, "VI": 2.3}  # melanin by Fitzpatrick's types


@dataclass(frozen=True)
class Material:
    """What a sign is made of: its layer, and the light that it swallows (`absorbs`) or its own colour (covers)."""

    layer: str
    colour: tuple[float, float, float]
    absorbs: bool


MATERIALS = {
    "blood": Material("dermis", (0.14, 1.0, 0.86), absorbs=True),
    "venous blood": Material("dermis", (0.55, 1.0, 0.50), absorbs=True),
    "deep melanin": Material("dermis", (1.0, 0.78, 0.50), absorbs=True),
    "collagen": Material("deep dermis", (0.98, 0.90, 0.87), absorbs=False),
    "melanin": Material("epidermis", (0.66, 1.0, 1.32), absorbs=True),
    "dried blood": Material("surface", (0.75, 1.5, 1.35), absorbs=True),
    "keratin": Material("surface", (0.88, 0.85, 0.80), absorbs=False),
    "sebum": Material("surface", (0.90, 0.76, 0.42), absorbs=False),
    "serum": Material("surface", (0.72, 0.47, 0.14), absorbs=False),
    "dark horn": Material("surface", (0.055, 0.028, 0.018), absorbs=False),
    "hair": Material("surface", (0.018, 0.013, 0.011), absorbs=False),
    "grey hair": Material("surface", (0.42, 0.40, 0.38), absorbs=False),
    "fair hair": Material("surface", (0.30, 0.19, 0.09), absorbs=False),
}


@dataclass(frozen=True)
class Sign:
    """One thing that is drawn: what it is called, what it is made of, where it is (0..1) and how strong."""

    name: str
    material: str
    shape: Map
    strength: float


@dataclass(frozen=True)
class Lesion:
    """Where a lesion is, and its signs, bottom first within their layers."""

    outline: Map
    signs: tuple[Sign, ...]


@dataclass(frozen=True, kw_only=True)
class Skin:
    """The skin of one person."""

    tone: str  # Fitzpatrick's type, "I" to "VI"
    melanin: float
    blood: float
    mottled: float
    lined: float


def a_skin(random: np.random.Generator, tone: str) -> Skin:
    """Return somebody's skin of this type."""
    return Skin(
        tone=tone,
        melanin=TONES[tone] * random.uniform(0.8, 1.25),
        blood=random.uniform(0.04, 0.30),
        mottled=random.uniform(0.02, 0.10),
        lined=random.uniform(0.05, 0.15),
    )


def paint(sheet: Sheet, random: np.random.Generator, skin: Skin, *, signs: Sequence[Sign], site: str) -> Map:
    """Return linear light, (side, side, 3), that comes back from this skin with these signs on it."""
    texture = _texture(sheet, random, skin, site)
    flush = np.clip(skin.blood * (1 + 0.35 * shapes.noise(sheet, random, grain=0.5)), 0, None)
    own = (Sign("skin", "blood", flush, 1.0), Sign("skin", "melanin", texture, 1.0))
    light = np.broadcast_to(BARE_DERMIS, (sheet.side, sheet.side, 3)).copy()
    for layer in LAYERS:
        here = [sign for sign in (*own, *signs) if MATERIALS[sign.material].layer == layer]
        light = _covered(_absorbed(light, here), here)
        if layer == "epidermis":
            light += VEIL
    return light


def to_screen(light: Map) -> npt.NDArray[np.uint8]:
    """Return linear light as 8-bit sRGB (IEC 61966-2-1), by a table of 4,096 steps."""
    steps = np.linspace(0, 1, 4096)
    curve = np.where(steps <= LINEAR_BELOW, steps * 12.92, 1.055 * steps ** (1 / 2.4) - 0.055)
    table = np.rint(curve * 255).astype(np.uint8)
    return np.asarray(table[(np.clip(light, 0, 1) * 4095).astype(np.uint16)])


def _absorbed(light: Map, signs: Sequence[Sign]) -> Map:
    swallowing = [sign for sign in signs if MATERIALS[sign.material].absorbs]
    if not swallowing:
        return light
    amounts = np.stack([sign.shape * np.float32(sign.strength) for sign in swallowing], axis=-1)
    colours = np.array([MATERIALS[sign.material].colour for sign in swallowing], dtype=np.float32)
    return light * np.exp(-(amounts @ colours))


def _covered(light: Map, signs: Sequence[Sign]) -> Map:
    for sign in signs:
        material = MATERIALS[sign.material]
        if not material.absorbs:
            opacity = np.minimum(sign.shape * np.float32(sign.strength), 1)[..., None]
            light = light + opacity * (np.array(material.colour, dtype=np.float32) - light)
    return light


def _texture(sheet: Sheet, random: np.random.Generator, skin: Skin, site: str) -> Map:
    """Melanin of the healthy skin: mottling and lines, parallel ridges on palm and sole, follicles on the face."""
    mottle = shapes.noise(sheet, random, grain=0.3) + 0.6 * shapes.noise(sheet, random, grain=0.06)
    melanin = skin.melanin * (1 + skin.mottled * mottle) + skin.mottled * 0.4 * mottle
    if site in {"sole", "palm"}:
        melanin = 0.6 * melanin + skin.lined * 1.2 * ridges(sheet, random)
    else:
        stretched = shapes.scattered(random, spacing=0.13, jitter=0.45) * [random.uniform(1.2, 1.9), 1.0]
        lines = shapes.cell_walls(random, stretched, width=0.012)
        melanin = melanin + skin.lined * shapes.strokes(sheet, lines, soft=0.006)
    if site in {"face", "nose", "cheek"}:
        pores = shapes.scattered(random, spacing=0.19, jitter=0.35)
        melanin = melanin + 0.25 * shapes.spots(sheet, pores, random.uniform(0.008, 0.022, len(pores)), soft=0.008)
    return np.clip(melanin, 0.01, None).astype(np.float32)


def ridges(sheet: Sheet, random: np.random.Generator, *, spacing: float = 0.13) -> Map:
    """Return the parallel furrows of palm and sole as a wave of 0..1 with gently bent crests."""
    turn = random.uniform(0, np.pi)
    across = sheet.x * np.cos(turn) + sheet.y * np.sin(turn) + 0.05 * shapes.noise(sheet, random, grain=0.9)
    return np.asarray(0.5 + 0.5 * np.sin(across * (2 * np.pi / spacing)), dtype=np.float32)
