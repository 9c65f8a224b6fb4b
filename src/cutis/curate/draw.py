"""Dealing clusters out to splits, so that every split has its share of every diagnosis. Numbers in, numbers out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FREE = -1

Whole = NDArray[np.int64]


def deal(images: Whole, *, shares: NDArray[np.float64], placed: Whole, order: Whole, strata: int) -> Whole:
    """Return the split (C,) of each cluster; what is placed already stays.

    The rarest diagnosis is dealt first, as in iterative stratification (Sechidis, Tsoumakas, Vlahavas, ECML PKDD 2011).
    A cluster goes where its diagnoses are farthest below their share, counted in clusters (as seats are by Webster's
    method) and in images alike. How large it is itself has no say in that, so that large clusters are not drawn to the
    large split. The last clusters of a diagnosis are kept for the splits that still lack it.

    Args:
        images: (C, K) how many images of each diagnosis a cluster has; at least one in all.
        shares: (S,) of the whole; a split of share 0 is given nothing.
        placed: (C,) the split of a cluster, or `FREE`.
        order: (C,) who comes first among clusters of equal rarity.
        strata: how many of the K columns no split may lack; the others are only balanced.
    """
    images = np.column_stack([images, images.sum(axis=1)])  # the whole is balanced like one more diagnosis
    has = images > 0
    clusters, total = has.sum(axis=0), images.sum(axis=0)
    rarest = np.where(has, clusters, len(images) + 1).min(axis=1, initial=len(images) + 1)
    free = placed == FREE
    left = has[free].sum(axis=0)
    dealt = placed.copy()
    held_clusters = np.zeros((len(shares), images.shape[1]))
    held_images = np.zeros_like(held_clusters)
    np.add.at(held_clusters, placed[~free], has[~free])
    np.add.at(held_images, placed[~free], images[~free])
    for cluster in np.lexsort((order, rarest)):
        if not free[cluster]:
            continue
        kinds = np.flatnonzero(has[cluster])
        lacking = (held_clusters[:, kinds] == 0) & (kinds < strata) & (shares > 0)[:, None]
        urgent = lacking @ ((left[kinds] <= lacking.sum(axis=0)) / clusters[kinds])
        filled = (2 * held_clusters[:, kinds] + 1) / clusters[kinds] + 2 * held_images[:, kinds] / total[kinds]
        fullness = filled.sum(axis=1) / np.maximum(shares, np.finfo(float).tiny)
        dealt[cluster] = best = np.lexsort((fullness, -np.where(shares > 0, urgent, -1)))[0]
        held_clusters[best, kinds] += 1
        held_images[best] += images[cluster]
        left[kinds] -= 1
    return dealt
