"""Pictures that are no dermoscopy, drawn by code: what the benchmarks show a network to see whether it refuses.

They are no photographs, and so easier to tell than what a clinic's camera might hold. It measures nothing by itself.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cutis.vocabulary.chance import chance
from cutis.vocabulary.files import written_aside

WIDTH, HEIGHT = 256, 192  # as the pictures of HAM10000 are here


def no_dermoscopy(folder: Path, *, of_each: int) -> list[Path]:
    """Return pictures that are no dermoscopy, drawn by code; they are drawn where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for family, draw in FAMILIES.items():
        for number in range(of_each):
            path = folder / f"{family}-{number:03d}.png"
            if not path.exists():
                with written_aside(path) as aside:
                    draw(chance("held out", family, number)).save(aside, format="PNG")
            paths.append(path)
    return paths


def _noise(generator: np.random.Generator) -> Image.Image:
    return Image.fromarray(generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))


def _gradient(generator: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    angle = generator.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x / WIDTH + np.sin(angle) * y / HEIGHT
    share = ((along - along.min()) / np.ptp(along))[..., None]
    first, last = generator.uniform(0, 255, (2, 3))
    return Image.fromarray((first * (1 - share) + last * share).astype(np.uint8))


def _checks(generator: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[:HEIGHT, :WIDTH] // generator.integers(4, 40)
    colours = generator.integers(0, 256, (2, 3), dtype=np.uint8)
    return Image.fromarray(colours[(x + y) % 2])


def _shapes(generator: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), _colour(generator))
    pen = ImageDraw.Draw(picture)
    for _ in range(generator.integers(3, 12)):
        left, top = generator.integers(0, WIDTH), generator.integers(0, HEIGHT)
        box = (left, top, left + generator.integers(8, 120), top + generator.integers(8, 120))
        (pen.rectangle if generator.random() < 0.5 else pen.ellipse)(box, fill=_colour(generator))  # noqa: PLR2004
    return picture


def _text(generator: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=int(generator.integers(10, 24)))
    for top in range(6, HEIGHT, 26):
        pen.text((6, top), "".join(generator.choice(list(string.ascii_letters + "   "), 40)), fill="black", font=font)
    return picture


def _colour(generator: np.random.Generator) -> tuple[int, ...]:
    return tuple(generator.integers(0, 256, 3).tolist())


FAMILIES: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "noise": _noise,
    "gradient": _gradient,
    "checks": _checks,
    "shapes": _shapes,
    "text": _text,
}
