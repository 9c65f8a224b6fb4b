"""The picture of the self-test: drawn from formulas, like no patient's, the same each time.

It has what a preparation can get wrong: an odd size, fine and coarse detail, colours apart, bright and dark borders.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 451, 337
SKIN, PIGMENT, BLUE = (222.0, 178.0, 158.0), (112.0, 68.0, 48.0), (88.0, 92.0, 124.0)
Field = NDArray[np.float64]  # (H, W)


def draw() -> bytes:
    """Return the picture as a PNG."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
    across, down = x - 0.66, y - 0.51
    angle, distance = np.arctan2(down, across), np.hypot(across, down * 1.15)
    border = 0.27 + 0.035 * np.sin(3 * angle + 0.8) + 0.018 * np.sin(7 * angle + 2.1)
    spot = _step(border - distance, 0.012)
    veil = _step(0.085 - np.hypot(across + 0.08, down - 0.06), 0.02)
    net = np.maximum(np.cos(92 * x + 9 * np.sin(7 * y)), np.cos(88 * y + 8 * np.sin(8 * x))) ** 2
    colour = _mix(np.broadcast_to(np.array(SKIN), (HEIGHT, WIDTH, 3)), PIGMENT, spot * (0.62 + 0.3 * net))
    colour = _mix(colour, BLUE, 0.75 * veil * spot)
    colour = _mix(colour, (38.0, 30.0, 30.0), 0.8 * _hair(x, y))
    ripple = 3.5 * np.sin(41 * x + 17 * y) * np.sin(29 * y - 13 * x)
    shade = 1.04 - 0.22 * (np.hypot(x - 0.67, y - 0.5) / 0.83) ** 2
    pixels = np.clip(colour * shade[..., None] + ripple[..., None], 0, 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def _hair(x: Field, y: Field) -> Field:
    """Two thin dark curves from border to border."""
    first = np.abs(y - 0.18 - 0.35 * x - 0.05 * np.sin(5 * x))
    second = np.abs(x - 1.02 + 0.22 * y - 0.04 * np.sin(6 * y))
    hair: Field = _step(0.004 - np.minimum(first, second), 0.0015)
    return hair


def _step(inside: Field, width: float) -> Field:
    """Return 1 within, 0 without, and a smooth passage of about this width."""
    return 1 / (1 + np.exp(-np.clip(inside / width, -40, 40)))


def _mix(ground: Field, colour: tuple[float, float, float], amount: Field) -> Field:
    return ground + amount[..., None] * (np.array(colour) - ground)
