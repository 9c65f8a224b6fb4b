"""Who is nearest to whom, exactly, in blocks: all pairs of 50,000 cases would not fit the memory at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**24  # distances at once
Points = NDArray[np.floating[Any]]  # (N, F)


class Neighbours(NamedTuple):
    """The nearest other cases of each of N."""

    rows: NDArray[np.int64]  # (N, k), the nearest first
    distances: NDArray[np.float64]  # (N, k)


class Block(NamedTuple):
    """Squared distances of some cases to all."""

    rows: NDArray[np.int64]  # (B,) which
    squared: Points  # (B, N), infinite to themselves


def distance_blocks(points: Points) -> Iterator[Block]:
    """Yield the squared Euclidean distances of N points (N, F) to each other, in their own precision."""
    centred = points - points.mean(axis=0)  # long vectors would leave few digits for short distances
    lengths = np.einsum("nf,nf->n", centred, centred)
    at_once = max(1, BLOCK // len(points))
    for start in range(0, len(points), at_once):
        rows = np.arange(start, min(start + at_once, len(points)))
        squared = centred[rows] @ centred.T
        squared *= -2
        squared += lengths
        squared += lengths[rows, None]
        np.maximum(squared, 0, out=squared)
        squared[np.arange(len(rows)), rows] = np.inf
        yield Block(rows, squared)


def nearest_neighbours(points: Points, count: int) -> Neighbours:
    """Return the `count` nearest others of each of N points (N, F); equals in the order of their rows."""
    found = [_nearest(points, block, count) for block in distance_blocks(points)]
    return Neighbours(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _nearest(points: Points, block: Block, count: int) -> Neighbours:
    closest = np.argpartition(block.squared, count - 1, axis=1)[:, :count]
    apart = points[block.rows, None] - points[closest]  # anew, since a difference of large squares is not exact
    distances = np.sqrt(np.einsum("bkf,bkf->bk", apart, apart, dtype=np.float64))
    order = np.lexsort((closest, distances), axis=1)
    return Neighbours(np.take_along_axis(closest, order, axis=1), np.take_along_axis(distances, order, axis=1))
