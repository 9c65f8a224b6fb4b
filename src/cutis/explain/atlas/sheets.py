"""Small pictures of many cases on few sheets, so that a page need not open thousands of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.progress import track
from cutis.vocabulary.case import Case

CELL = 128  # pixels a side in which a picture is kept
ACROSS = 8  # pictures in a row of a sheet, and rows
QUALITY = 70  # of WebP
GROUND = (255, 255, 255)


class Sheets(NamedTuple):
    """Where each of M pictures is to be found."""

    slots: NDArray[np.uint32]  # (M,) sheet · ACROSS² + row · ACROSS + column
    sizes: NDArray[np.uint8]  # (M, 2) width and height of the picture in its cell, from the upper left
    files: tuple[str, ...]


def write_sheets(
    folder: Path, picture_of: Callable[[Case], Image.Image], cases: Sequence[Case], places: NDArray[np.float64]
) -> Sheets:
    """Write the pictures of M cases into `folder`, neighbours on the map (M, 2) on the same sheet where it can be.

    Raises:
        UserError: a picture is missing, or not the one that was curated.
    """
    folder.mkdir()
    order, each = along_a_curve(places), ACROSS**2
    slots, sizes, files = np.empty(len(cases), np.uint32), np.empty((len(cases), 2), np.uint8), []
    slots[order] = np.arange(len(cases))
    starts = range(0, len(cases), each)
    for start in track(starts, "making the atlas' small pictures", total=len(starts)):
        rows = order[start : start + each]
        sheet = Image.new("RGB", (ACROSS * CELL, -(-len(rows) // ACROSS) * CELL), GROUND)
        for number, row in enumerate(rows):
            picture = picture_of(cases[row]).copy()
            picture.thumbnail((CELL, CELL), Image.Resampling.BICUBIC, reducing_gap=2.0)
            sheet.paste(picture, (number % ACROSS * CELL, number // ACROSS * CELL))
            sizes[row] = picture.size
        files.append(f"{start // each:04d}.webp")
        sheet.save(folder / files[-1], "WEBP", quality=QUALITY)
    return Sheets(slots, sizes, tuple(files))


def along_a_curve(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order of N places (N, 2) along Morton's curve (1966), on which near ones mostly follow each other."""
    low, spread = places.min(axis=0), max(float(np.ptp(places, axis=0).max()), 1e-12)
    cells = ((places - low) / spread * (2**16 - 1)).astype(np.uint64)
    key = sum(
        (cells[:, axis] >> np.uint64(bit) & np.uint64(1)) << np.uint64(2 * bit + axis)
        for bit in range(16)
        for axis in range(2)
    )
    return np.argsort(key, kind="stable")
