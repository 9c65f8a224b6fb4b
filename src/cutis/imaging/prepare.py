"""The only resize in the project: how a picture becomes what a network sees, and how a map finds its way back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.imaging.decode import decode
from cutis.vocabulary.errors import UserError


@dataclass(frozen=True)
class Preparation:
    """How pictures are made ready for a network; it travels in the bundle, so that all who ask prepare alike."""

    size: int  # pixels of each side
    mean: tuple[float, float, float]  # of red, green, blue in 0..1
    std: tuple[float, float, float]
    resize: str = "squash"  # or "crop": the middle square; or "pad": all of it on a ground of the mean colour

    def __post_init__(self) -> None:
        """Refuse what no picture can be prepared with, by a ValueError."""
        if not isinstance(self.size, int) or self.size < 1:
            raise ValueError(f"size is {self.size!r}, not a whole number of pixels")
        if self.resize not in FRAMES:
            raise ValueError(f"resize is {self.resize!r}, none of {', '.join(FRAMES)}")
        if not all(map(math.isfinite, self.mean + self.std)) or min(self.std) <= 0:
            raise ValueError(f"mean {self.mean} and std {self.std} cannot normalise a picture")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `preparation_from` reads back."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}


def preparation_from(data: Mapping[str, Any], *, where: Path | str) -> Preparation:
    """Return the preparation that this plain data describes.

    Raises:
        UserError: a field is missing, unknown or impossible.
    """
    try:
        return Preparation(**dict(data) | {"mean": _by_channel(data["mean"]), "std": _by_channel(data["std"])})
    except (KeyError, TypeError, ValueError) as error:
        mend = f"give {', '.join(field.name for field in fields(Preparation))}, as cutis writes them"
        raise UserError(f"this preparation cannot be used: {error}", where=str(where), mend=mend) from error


def prepare(picture: Image.Image, preparation: Preparation) -> NDArray[np.uint8]:
    """Return an RGB picture as (S, S, 3) uint8, shrunk or enlarged by Pillow's antialiased bicubic filter."""
    size = preparation.size
    seen, shown = FRAMES[preparation.resize](picture.size, size)
    width, height = shown[2] - shown[0], shown[3] - shown[1]
    resized = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, box=seen))
    prepared = np.empty((size, size, 3), np.uint8)
    prepared[:] = np.rint(np.multiply(preparation.mean, 255))
    prepared[shown[1] : shown[3], shown[0] : shown[2]] = resized
    return prepared


def shrunk(picture: Image.Image, longest: int) -> Image.Image:
    """Return a picture for people to look at, no longer than so many pixels; a smaller one as it is."""
    size = shrunk_size(picture.size, longest)
    # Of the filters that take the means of what they leave out, the quickest that stays sharp.
    return picture if size == picture.size else picture.resize(size, Image.Resampling.HAMMING)


def shrunk_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return the width and height that `shrunk` gives to a picture of this width and height."""
    scale = min(1.0, longest / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def prepared_file(path: Path, preparation: Preparation) -> NDArray[np.uint8]:
    """Return the picture of a file as (S, S, 3) uint8.

    Raises:
        UnreadablePicture: the file is no picture.
    """
    return prepare(decode(path), preparation)


def normalise(pictures: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.float32]:
    """Return (N, S, S, 3) uint8 as (N, 3, S, S) float32, each channel less its mean and divided by its std."""
    count, height, width, channels = pictures.shape
    normalised = np.empty((count, channels, height, width), np.float32)
    for channel, (mean, std) in enumerate(zip(preparation.mean, preparation.std, strict=True)):
        np.multiply(pictures[..., channel], np.float32(1 / (255 * std)), out=normalised[:, channel])
        normalised[:, channel] -= np.float32(mean / std)
    return normalised


def spread_back(
    seen_map: NDArray[np.floating[Any]], picture_size: tuple[int, int], preparation: Preparation
) -> NDArray[np.float32]:
    """Return a map over the prepared picture, of any resolution (h, w), as (H, W) float32 over the original picture.

    What the network did not see (beyond the crop) is 0; what it saw beside the picture (the padding) is left out.

    Args:
        seen_map: one value for each part of the prepared picture.
        picture_size: width and height of the original picture, as Pillow gives them.
        preparation: with which it was prepared.
    """
    seen, shown = FRAMES[preparation.resize](picture_size, preparation.size)
    rows, columns = seen_map.shape
    across, down = columns / preparation.size, rows / preparation.size
    box = (shown[0] * across, shown[1] * down, shown[2] * across, shown[3] * down)
    width, height = seen[2] - seen[0], seen[3] - seen[1]
    part = Image.fromarray(np.asarray(seen_map, np.float32))
    spread = np.zeros(picture_size[::-1], np.float32)
    spread[seen[1] : seen[3], seen[0] : seen[2]] = part.resize((width, height), Image.Resampling.BILINEAR, box=box)
    return spread


Box = tuple[int, int, int, int]  # left, top, right, bottom


class Frames(NamedTuple):
    """Which part of a picture is seen, and where in the prepared picture it is shown."""

    seen: Box
    shown: Box


def _squash(picture_size: tuple[int, int], size: int) -> Frames:
    return Frames(seen=(0, 0, *picture_size), shown=(0, 0, size, size))


def _crop(picture_size: tuple[int, int], size: int) -> Frames:
    side = min(picture_size)
    return Frames(seen=_centred((side, side), picture_size), shown=(0, 0, size, size))


def _pad(picture_size: tuple[int, int], size: int) -> Frames:
    longer = max(picture_size)
    width, height = (max(1, round(side * size / longer)) for side in picture_size)
    return Frames(seen=(0, 0, *picture_size), shown=_centred((width, height), (size, size)))


def _centred(inner: tuple[int, int], outer: tuple[int, int]) -> Box:
    left, top = (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
    return left, top, left + inner[0], top + inner[1]


FRAMES: dict[str, Callable[[tuple[int, int], int], Frames]] = {"squash": _squash, "crop": _crop, "pad": _pad}


def _by_channel(values: Any) -> tuple[float, float, float]:
    red, green, blue = map(float, values)
    return red, green, blue
