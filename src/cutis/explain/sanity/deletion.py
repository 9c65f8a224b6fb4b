"""Whether an answer rests on what a map shows: the map's places are taken away, or shown alone, the greatest first.

Deletion and insertion of Petsiuk, Das and Saenko (BMVC 2018). What is taken away is replaced by the picture's own mean
colour; what is not yet shown is there out of focus, so that neither is a sight that the network never had.

A comparison with places at random must have the grain of the map: single pixels all over the picture disturb a network
more than a patch of as many. So the map is held against itself, moved elsewhere in the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

STEPS = 10
OUT_OF_FOCUS = 0.1  # standard deviation of the blur, of the picture's side

Pixels: TypeAlias = NDArray[np.uint8]
Values: TypeAlias = NDArray[np.floating[Any]]
Believed: TypeAlias = Callable[[Pixels], NDArray[np.float64]]  # pictures (B, S, S, 3) → probability of the answer (B,)


class Curves(NamedTuple):
    """Probability of an answer while a picture is taken away or brought in, in equal parts of its area."""

    deletion: NDArray[np.float64]  # (steps + 1,), from the whole picture to nothing of it
    insertion: NDArray[np.float64]  # (steps + 1,), from nothing of it to the whole picture


def order_of(saliency: Values, *, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return the place (S, S) of each pixel in a map's order, 0 for the greatest value; ties are drawn."""
    flat = saliency.ravel()
    sequence = np.lexsort((generator.random(flat.size), -flat))
    order = np.empty(flat.size, np.int64)
    order[sequence] = np.arange(flat.size)
    return order.reshape(saliency.shape)


def elsewhere(saliency: Values, *, generator: np.random.Generator) -> Values:
    """Return a map (S, S) moved by a quarter to three quarters of each side; what leaves it comes in opposite."""
    by = [int(generator.integers(side // 4, side - side // 4 + 1)) for side in saliency.shape]
    moved: Values = np.roll(saliency, by, axis=(0, 1))
    return moved


def curves(picture: Pixels, order: NDArray[np.int64], believed: Believed, *, steps: int = STEPS) -> Curves:
    """Take a picture away, and bring it in, in the order of a map.

    Args:
        picture: prepared, (S, S, 3).
        order: of its pixels, (S, S) by `order_of`.
        believed: says how probable the answer is.
        steps: in how many equal parts.
    """
    step_of = order * steps // order.size  # 0 to steps − 1
    is_reached = (step_of < np.arange(steps + 1)[:, None, None])[..., None]  # (steps + 1, S, S, 1)
    taken_away = np.where(is_reached, _mean_coloured(picture), picture)
    brought_in = np.where(is_reached, picture, _out_of_focus(picture))
    said = believed(np.concatenate([taken_away, brought_in]))
    return Curves(deletion=said[: steps + 1], insertion=said[steps + 1 :])


def area(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area (…) beneath curves (…, steps + 1), of a width of 1, by trapezoids."""
    under: NDArray[np.float64] = (curve[..., 1:] + curve[..., :-1]).mean(axis=-1) / 2
    return under


def _mean_coloured(picture: Pixels) -> Pixels:
    return np.broadcast_to(np.rint(picture.mean(axis=(0, 1))).astype(np.uint8), picture.shape)


def _out_of_focus(picture: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(OUT_OF_FOCUS * len(picture))))
