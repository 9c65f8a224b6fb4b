"""The same pictures, turned and mirrored: a lesion has no up, so every view of it deserves the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

Array = TypeVar("Array")


def views_of(pictures: Array, count: int) -> Iterator[Array]:
    """Yield square pictures (N, 3, S, S), torch tensor or numpy array, and their views up to `count` in all.

    Args:
        pictures: as they are prepared.
        count: 1: as they are; 2: and mirrored; 4: and upside down; 8: and all of these with rows and columns exchanged.
    """
    images: Any = pictures
    backwards = list(range(images.shape[-1]))[::-1]
    for number in range(count):
        view = images
        if number & 1:
            view = view[:, :, :, backwards]
        if number & 2:
            view = view[:, :, backwards]
        if number & 4:
            view = view.swapaxes(2, 3)
        yield view
