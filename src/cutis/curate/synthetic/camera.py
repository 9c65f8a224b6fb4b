"""Three dermatoscopes, each with a look of its own, and the way they see a sheet of skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from cutis.curate.synthetic.shapes import REACH, Map

Pixels = npt.NDArray[np.uint8]

MARGIN = 0.35  # of a sheet's side, mirrored around it
MIRRORED_REACH = REACH * (1 + 2 * MARGIN)
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)  # multiples of it never come near each other
HALF = 0.5
MIDDLE_GREY = 165.0  # what automatic exposure aims at,
LIFT = 0.35  # and goes this far towards, so that dark skin stays dark


@dataclass(frozen=True, kw_only=True)
class Device:
    """A dermatoscope with its camera."""

    name: str
    wide: float  # width over height
    cast: tuple[float, float, float]
    contrast: float
    vignette: float
    aperture: float | None  # radius of the visible disc in half heights; None shows the whole field
    polarised: bool  # an unpolarised one needs gel, and shows its bubbles and glare
    blur: float  # pixels at 256 a side
    noise: float
    suffix: str  # of the files that it writes


DEVICES = (
    Device(
        name="Polaris 10",
        wide=1.0,
        cast=(1.02, 1.0, 0.97),
        contrast=1.05,
        vignette=0.18,
        aperture=None,
        polarised=True,
        blur=0.5,
        noise=2.5,
        suffix=".jpg",
    ),
    Device(
        name="GelScope II",
        wide=1.25,
        cast=(1.06, 0.97, 1.04),
        contrast=0.95,
        vignette=0.10,
        aperture=None,
        polarised=False,
        blur=0.6,
        noise=3.5,
        suffix=".png",
    ),
    Device(
        name="Handy M",
        wide=1.25,
        cast=(0.95, 1.0, 1.06),
        contrast=1.0,
        vignette=0.30,
        aperture=1.12,
        polarised=True,
        blur=0.9,
        noise=5.0,
        suffix=".jpg",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Light:
    """The light in which one person is always seen."""

    brightness: float
    warmth: float
    tilt: float  # how much brighter one side is
    side: float  # radians


@dataclass(frozen=True, kw_only=True)
class View:
    """How the dermatoscope is held: turned, moved nearer, shifted."""

    turn: float
    zoom: float
    shift: tuple[float, float]


def some_light(random: np.random.Generator) -> Light:
    """Return the light of one person's room."""
    return Light(
        brightness=float(random.uniform(0.86, 1.12)),
        warmth=float(random.normal(0, 0.025)),
        tilt=float(random.uniform(0, 0.16)),
        side=float(random.uniform(0, 2 * np.pi)),
    )


def a_view(random: np.random.Generator, nth: int) -> View:
    """Return the nth way of holding the dermatoscope over a lesion: each turned far from all others."""
    x, y = random.normal(0, 0.08, 2)
    turn, zoom = GOLDEN_ANGLE * nth + random.uniform(-0.15, 0.15), random.uniform(0.92, 1.3)
    return View(turn=float(turn), zoom=float(zoom), shift=(float(x), float(y)))


def mirrored(sheet: Pixels) -> Image.Image:
    """Return a sheet with its mirror image around it, so that no picture ever looks over its edge."""
    pad = int(sheet.shape[0] * MARGIN)
    edges = ((pad, pad), (pad, pad)) + ((0, 0),) * (sheet.ndim - 2)
    return Image.fromarray(np.pad(sheet, edges, mode="symmetric"))


def look(sheet: Image.Image, view: View, *, device: Device, size: int, smooth: bool = True) -> Image.Image:
    """Return what the device sees of a mirrored sheet, `size` high; with sharp edges where not `smooth`."""
    unit = sheet.width / (2 * MIRRORED_REACH)
    height, width = size, round(size * device.wide)
    step = unit * 2 / (size * view.zoom)
    cos, sin = step * np.cos(view.turn), step * np.sin(view.turn)
    start = (np.array(view.shift) + MIRRORED_REACH) * unit
    start -= [cos * width / 2 - sin * height / 2, sin * width / 2 + cos * height / 2]
    rule = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    matrix = (cos, -sin, start[0], sin, cos, start[1])
    return sheet.transform((width, height), Image.Transform.AFFINE, matrix, rule)


def visible(device: Device, size: int) -> Map:
    """Return which part of the field is seen (1) and which is dark (0)."""
    height, width = size, round(size * device.wide)
    if device.aperture is None:
        return np.ones((height, width), dtype=np.float32)
    away = _away(height, width) / np.float32(device.aperture)
    return np.asarray(np.clip((1 - away) * size * 0.15 + 1, 0, 1))


def expose(seen: Image.Image, random: np.random.Generator, *, device: Device, light: Light) -> Image.Image:
    """Return the picture that the device makes in this light, with its automatic exposure."""
    width, height = seen.size
    field = np.asarray(seen.filter(ImageFilter.GaussianBlur(device.blur * height / 256)), dtype=np.float32)
    gain = light.brightness * float((MIDDLE_GREY / field.mean()) ** LIFT) * random.uniform(0.94, 1.06)
    y, x = np.ogrid[-1 : 1 : height * 1j, -device.wide : device.wide : width * 1j]
    tilt = 1 + light.tilt * (x * np.cos(light.side) + y * np.sin(light.side))
    shade = (1 - device.vignette * _away(height, width) ** 2 / 2) * tilt * gain
    warm = np.array([1 + light.warmth, 1.0, 1 - light.warmth]) * device.cast * random.normal(1, 0.012, 3)
    field = field * warm.astype(np.float32) * shade.astype(np.float32)[..., None]
    field = (field - 128) * np.float32(device.contrast) + 128
    if not device.polarised:
        field += _gel(random, height, width)[..., None]
    grain = random.standard_normal(field.shape, dtype=np.float32)
    dark = visible(device, height)[..., None]
    field = field * dark + 12 * (1 - dark) + grain * np.float32(device.noise)
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


def out_of_focus(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a picture in which no structure is left."""
    return picture.filter(ImageFilter.GaussianBlur(picture.height * random.uniform(0.025, 0.04)))


def underexposed(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a picture that is all but black."""
    gain = random.uniform(18, 28) / float(np.asarray(picture).mean())
    return picture.point(lambda value: round(value * gain))


def burnt_out(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return a picture with nothing but white in its middle, where a flash is thrown back."""
    field = np.asarray(picture, dtype=np.float32)
    spot = np.exp(-((_away(*field.shape[:2]) / random.uniform(0.85, 0.95)) ** 6))
    gain = 255 / np.quantile(field[spot > HALF], 0.03)
    burnt = field * (1 + (gain - 1) * spot)[..., None]
    return Image.fromarray(np.clip(burnt, 0, 255).astype(np.uint8))


MISTAKES = {"blurred": out_of_focus, "dark": underexposed, "bright": burnt_out}


def _away(height: int, width: int) -> Map:
    y, x = np.ogrid[-1 : 1 : height * 1j, -width / height : width / height : width * 1j]
    return np.hypot(x, y).astype(np.float32)


def _gel(random: np.random.Generator, height: int, width: int) -> Map:
    """Light that the gel throws back: bubbles with bright rims, and a soft glare."""
    paper = Image.new("L", (width, height))
    draw = ImageDraw.Draw(paper)
    for _ in range(int(random.poisson(2.0))):
        x, y, radius = random.uniform(0, width), random.uniform(0, height), random.uniform(0.01, 0.045) * height
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=18, outline=90, width=max(1, height // 160))
        draw.ellipse((x - radius * 0.6, y - radius * 0.6, x - radius * 0.2, y - radius * 0.2), fill=150)
    bubbles = np.asarray(paper.filter(ImageFilter.GaussianBlur(height / 300)), dtype=np.float32)
    small = Image.fromarray(random.standard_normal((6, 7), dtype=np.float32))
    cloud = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    return np.asarray(bubbles + np.clip(cloud - 1.0, 0, None) * 30, dtype=np.float32)
