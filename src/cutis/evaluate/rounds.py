"""From what a figure was in each round of resampling to its interval, where many figures share the same rounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cutis.stats.intervals import LEVEL, known, with_width
from cutis.stats.support import joined
from cutis.vocabulary.estimate import Estimate


def estimate_of(
    value: float,
    drawn: NDArray[np.float64],
    *,
    clusters: int,
    cluster_kind: str,
    paired: bool = False,
    is_share: bool = False,
    note: str = "",
) -> Estimate:
    """Return a figure with its percentile interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        value: of the cases as they are; NaN where it cannot be computed.
        drawn: in each round (R,); a round that could not answer is NaN, is left out, and counted in the note.
        clusters: that the figure rests on.
        cluster_kind: "patient" or "lesion".
        paired: whether it is a difference within each round.
        is_share: whether it is a share of cases, which has an interval though all rounds agree.
        note: what must be said beside it.
    """
    there = drawn[~np.isnan(drawn)]
    silent = f"{len(drawn) - len(there)} of {len(drawn)} rounds could not answer" if 0 < len(there) < len(drawn) else ""
    plain = Estimate(
        value=known(np.float64(value)),
        low=None,
        high=None,
        level=LEVEL,
        method=f"{'paired ' * paired}cluster bootstrap, percentile, {len(drawn)} rounds",
        clusters=clusters,
        cluster_kind=cluster_kind,
        note=joined(note, silent),
    )
    if plain.value is None or not len(there):
        return plain
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(there, [tail, 1 - tail]).tolist()
    return with_width(replace(plain, low=low, high=high), is_share=is_share)
