"""What happens to pictures in a clinic without a change of the lesion: saved smaller, out of focus, lit otherwise.

Each kind comes in three strengths. Lengths are shares of the picture's shorter side, so that its size does not matter;
JPEG alone works on squares of eight pixels, whatever the size. Chance belongs to a picture and a kind, whatever the
strength: a stronger disturbance goes the same way as a weaker one, and has the same hairs and more.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cutis.imaging.decode import decode
from cutis.imaging.strokes import Stroke, curve, drawn_strokes
from cutis.vocabulary.chance import chance

Change: TypeAlias = Callable[[Image.Image, float, np.random.Generator], Image.Image]

RIGHT_ANGLE = 90.0
HAIR, INK = (38, 26, 20), (24, 24, 28)
TICKS_APART, LONG_EVERY, SHORT_TICK, TICK_WIDTH = 0.04, 5, 0.6, 0.006  # shares of the shorter side, but for the count


class Kind(NamedTuple):
    """One way of disturbing a picture."""

    name: str
    levels: tuple[float, float, float]  # by rising strength
    said: str  # what is done, with a place for the level
    change: Change


class Disturbance(NamedTuple):
    """A kind at one of its strengths."""

    kind: Kind
    strength: int  # 1 to 3

    @property
    def level(self) -> float:
        """The level of this strength, in the kind's own unit."""
        return self.kind.levels[self.strength - 1]

    @property
    def name(self) -> str:
        """What it goes by in a table, such as "blur 2"."""
        return f"{self.kind.name} {self.strength}"

    def __str__(self) -> str:
        return self.kind.said.format(self.level)


def disturbed(picture: Image.Image, disturbance: Disturbance, *, seed: str) -> Image.Image:
    """Return an upright RGB picture as it would be under a disturbance; always the same for the same seed.

    Args:
        picture: as `decode` gives it.
        disturbance: one of `DISTURBANCES`.
        seed: of this picture, such as its sha256.
    """
    random = chance("disturbance", disturbance.kind.name, seed)
    return disturbance.kind.change(picture, disturbance.level, random)


def _saved_as_jpeg(picture: Image.Image, quality: float, _: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=round(quality))
    return decode(buffer.getvalue())


def _blurred(picture: Image.Image, sigma: float, _: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(sigma * min(picture.size)))


def _lit(picture: Image.Image, gain: float, _: np.random.Generator) -> Image.Image:
    return picture.point(lambda value: value * gain)


def _toned(picture: Image.Image, gamma: float, _: np.random.Generator) -> Image.Image:
    return picture.point(lambda value: round(255 * (value / 255) ** gamma))


def _turned_in_hue(picture: Image.Image, degrees: float, random: np.random.Generator) -> Image.Image:
    """Turn all colours about the grey axis, which leaves grey grey and the sum of the channels as it is."""
    angle = math.radians(degrees) * _either_way(random)
    along = (1 - math.cos(angle)) / 3
    across = math.sin(angle) / math.sqrt(3)
    return _mixed(
        picture,
        math.cos(angle) * np.eye(3) + along + across * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
    )


def _in_other_white(picture: Image.Image, shift: float, random: np.random.Generator) -> Image.Image:
    warmer = shift * _either_way(random)
    return _mixed(picture, np.diag([1 + warmer, 1.0, 1 - warmer]))


def _rotated(picture: Image.Image, degrees: float, random: np.random.Generator) -> Image.Image:
    """Turn the picture on its own ground: what comes into view at the corners is its mirror image, never black."""
    way = _either_way(random)
    if degrees == RIGHT_ANGLE:
        return picture.transpose(Image.Transpose.ROTATE_90 if way > 0 else Image.Transpose.ROTATE_270)
    width, height = picture.size
    margin = math.ceil((math.hypot(width, height) - min(width, height)) / 2) + 2
    pixels = np.pad(np.asarray(picture), ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    turned = Image.fromarray(pixels).rotate(degrees * way, Image.Resampling.BICUBIC)
    return turned.crop((margin, margin, margin + width, margin + height))


def _with_hairs(picture: Image.Image, count: float, random: np.random.Generator) -> Image.Image:
    side = min(picture.size)
    combed = random.uniform(0, 2 * math.pi)
    lines = []
    for _ in range(round(count)):
        root = random.uniform(0, 1, (1, 2)) * picture.size
        heading, length, width = combed + random.normal(0, 0.5), random.uniform(0.3, 0.9), random.uniform(0.005, 0.01)
        bow = random.normal(0, 0.06)
        path = curve(random, root, heading=heading, length=length * side, bend=0.02, bow=bow)
        lines.append(Stroke(path, width * side, 0.5, random.uniform(0.7, 1)))
    return _drawn_on(picture, lines, HAIR)


def _with_ruler(picture: Image.Image, reach: float, random: np.random.Generator) -> Image.Image:
    """Draw the marks of a ruler that lies along one edge, every fifth of them longer."""
    side, edge = min(picture.size), int(random.integers(4))
    along, depth = picture.size[
        :: 1 if edge % 2 == 0 else -1
    ]  # of edges 0 and 2, above and below, the width runs along
    start = random.uniform(0, TICKS_APART)
    lines = []
    for number in range(int((along / side - start) / TICKS_APART) + 1):
        place = (start + number * TICKS_APART) * side
        length = reach * side * (1 if number % LONG_EVERY == 0 else SHORT_TICK)
        far = depth - length if edge > 1 else length
        path = np.array([[place, depth if edge > 1 else 0], [place, far]])
        lines.append(Stroke(path if edge % 2 == 0 else path[:, ::-1], TICK_WIDTH * side, ink=0.9))
    return _drawn_on(picture, lines, INK)


def _drawn_on(picture: Image.Image, lines: list[Stroke], colour: tuple[int, int, int]) -> Image.Image:
    return Image.composite(Image.new("RGB", picture.size, colour), picture, drawn_strokes(picture.size, lines))


def _mixed(picture: Image.Image, matrix: NDArray[np.float64]) -> Image.Image:
    """Return each pixel times a matrix (3, 3) of what red, green and blue are made from."""
    rows = [(*row, 0.0) for row in matrix.tolist()]
    return picture.convert("RGB", tuple(number for row in rows for number in row))


def _either_way(random: np.random.Generator) -> float:
    return 1.0 if random.random() < 0.5 else -1.0  # noqa: PLR2004  as often one as the other


KINDS = (
    Kind("JPEG", (90, 50, 20), "saved as JPEG of quality {:.0f}", _saved_as_jpeg),
    Kind("blur", (0.004, 0.008, 0.016), "blurred by a deviation of {:.1%} of the shorter side", _blurred),
    Kind("darker", (0.8, 0.6, 0.4), "every value at {:.0%}", _lit),
    Kind("brighter", (1.15, 1.3, 1.6), "every value at {:.0%}", _lit),
    Kind("gamma", (1.2, 1.5, 2.0), "middle tones darkened by a gamma of {:.1f}", _toned),
    Kind("hue", (5, 10, 20), "all colours turned by {:.0f}° about grey, either way", _turned_in_hue),
    Kind("white balance", (0.05, 0.1, 0.2), "red and blue shifted by {:.0%} against each other", _in_other_white),
    Kind("rotation", (5, 15, 90), "turned by {:.0f}° either way, corners mirrored", _rotated),
    Kind("hairs", (5, 15, 40), "{:.0f} invented dark hairs", _with_hairs),
    Kind("ruler", (0.03, 0.06, 0.12), "invented ruler marks that reach in {:.0%} of the shorter side", _with_ruler),
)
DISTURBANCES = tuple(Disturbance(kind, strength) for kind in KINDS for strength in (1, 2, 3))
