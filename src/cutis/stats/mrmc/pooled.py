"""What readers have in the mean, beside the network: by diagnosis and over all, with intervals by two-way bootstrap.

A reader gives one label per case. It is a *hit* of a diagnosis where both label and truth are this diagnosis, so that
each diagnosis has a sensitivity and a specificity; accuracy is over all cases, and balanced accuracy the mean of the
sensitivities. An answer that is no diagnosis of the truth, such as *none of these*, is a further kind of label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.two_way import Rounds, estimate_rounds, pooled_ratio, sums_by_reader
from cutis.stats.resampling import LEVEL
from cutis.stats.weights import ratio
from cutis.vocabulary.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class ReadersAndNetwork:
    """Each figure by its name, such as ``sensitivity/MEL`` or ``balanced_accuracy``."""

    mean_reader: dict[str, Estimate]
    network: dict[str, Estimate]  # empty without a network, and so are the next two
    difference: dict[str, Estimate]  # network − mean reader, within each round
    outperformed: dict[str, Estimate]  # share of readers whose figure the network's is above, ties one half


class _Counts(NamedTuple):
    """In each round, by reader and diagnosis: (K, 1 + B, R)."""

    hits: NDArray[np.float64]  # of this diagnosis, and said so
    having: NDArray[np.float64]  # of this diagnosis, and read
    said: NDArray[np.float64]  # called so, rightly or not
    read: NDArray[np.float64]  # (1 + B, R) of any diagnosis


def estimate_readers(
    truth: NDArray[np.int64],
    readers: NDArray[np.int64],
    rounds: Rounds,
    *,
    codes: Sequence[str],
    network: NDArray[np.int64] | None = None,
    level: float = LEVEL,
) -> ReadersAndNetwork:
    """Return the figures of the mean reader, and those of the network beside them, from the same rounds.

    Every reading counts alike, so that a reader who read more counts more. A network is judged on all cases; a single
    reader is held against it on the cases that he read.

    Args:
        truth: (N,) index into `codes`.
        readers: (R, N) index into `codes`, or beyond for *none of these*; −1 where not read.
        rounds: by `draw_rounds`, of these readers and cases.
        codes: of the diagnoses.
        network: (N,) what it says.
        level: of the intervals.
    """
    present = [kind for kind in range(len(codes)) if (truth == kind).any()]
    theirs = _counted(truth, readers, rounds, present)
    pooled = _Counts(*(np.asarray((rounds.readers * part).sum(axis=-1, keepdims=True)) for part in theirs))
    figures = {name: figure[:, 0] for name, figure in _figures(pooled, present, codes).items()}

    def told(found: dict[str, NDArray[np.float64]], *, is_share: bool) -> dict[str, Estimate]:
        return {name: estimate_rounds(each, rounds, is_share=is_share, level=level) for name, each in found.items()}

    if network is None:
        return ReadersAndNetwork(mean_reader=told(figures, is_share=True), network={}, difference={}, outperformed={})
    alone = _figures(_counted(truth, network[None], rounds, present), present, codes)
    own = {name: figure[:, 0] for name, figure in alone.items()}
    above = _above(truth, readers, network, rounds, (theirs, present, codes))
    return ReadersAndNetwork(
        mean_reader=told(figures, is_share=True),
        network=told(own, is_share=True),
        difference=told({name: own[name] - figures[name] for name in figures}, is_share=False),
        outperformed=told(above, is_share=False),
    )


def _above(
    truth: NDArray[np.int64],
    readers: NDArray[np.int64],
    network: NDArray[np.int64],
    rounds: Rounds,
    counted: tuple[_Counts, list[int], Sequence[str]],
) -> dict[str, NDArray[np.float64]]:
    """Return in each round the share of readers (1 + B,) whose figure lies below the network's on the same cases."""
    theirs, present, codes = counted
    gaps = bool((readers < 0).any())
    beside = np.where(readers >= 0, network, -1) if gaps else network[None]
    each = _figures(theirs, present, codes)
    against = _figures(_counted(truth, beside, rounds, present), present, codes)
    shares = {}
    for name, figure in each.items():
        apart = against[name] - figure
        known = ~np.isnan(apart)
        above = np.where(known, (apart > 0) + (apart == 0) / 2, 0.0)
        shares[name] = pooled_ratio(above, known.astype(np.float64), rounds)
    return shares


def _counted(truth: NDArray[np.int64], labels: NDArray[np.int64], rounds: Rounds, present: list[int]) -> _Counts:
    read = labels >= 0
    return _Counts(
        hits=np.stack([sums_by_reader((labels == kind) & (truth == kind), rounds) for kind in present]),
        having=np.stack([sums_by_reader(read & (truth == kind), rounds) for kind in present]),
        said=np.stack([sums_by_reader(labels == kind, rounds) for kind in present]),
        read=sums_by_reader(read, rounds),
    )


def _figures(counts: _Counts, present: list[int], codes: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return every figure (1 + B, R)."""
    sensitivity = ratio(counts.hits, counts.having)
    lacking = counts.read - counts.having
    specificity = ratio(lacking - (counts.said - counts.hits), lacking)
    return {
        "accuracy": ratio(counts.hits.sum(axis=0), counts.read),
        "balanced_accuracy": sensitivity.mean(axis=0),
        **{f"sensitivity/{codes[kind]}": sensitivity[place] for place, kind in enumerate(present)},
        **{f"specificity/{codes[kind]}": specificity[place] for place, kind in enumerate(present)},
    }
