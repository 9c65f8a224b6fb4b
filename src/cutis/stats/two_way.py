"""Figures of several readers on several cases, with intervals that draw both, anew in every round.

What is easy for one reader is easy for others, and who is good at one case is good at others, so that neither the
number of cases nor the number of answers says alone how far the mean reader can be trusted. Each round draws clusters
of cases, within the strata of `cutis.stats.resampling`, and readers. Of n clusters in a stratum, and of n readers, it
draws n − 1, which then count n / (n − 1) each: n draws would make the spread too narrow, by half where a diagnosis has
two cases (Rao and Wu, Journal of the American Statistical Association 83:231, 1988). What a figure chooses, such as an
operating point, it chooses again in each round.

Drawing both counts the chance of single answers more than once, so that the interval is a little too wide (Owen,
Annals of Applied Statistics 1:386, 2007; Gallas, Bandos, Samuelson and Wagner, Communications in Statistics 38:2586,
2009): it errs on the careful side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cutis.stats.crossed import draw_seeds
from cutis.stats.intervals import ROUNDS, RoundsKind, estimate_of_rounds, with_width
from cutis.stats.resampling import LEVEL, ROUNDS_AT_ONCE, Clusters
from cutis.stats.support import FEWEST_CLUSTERS, joined
from cutis.stats.weights import Weights, ratio
from cutis.vocabulary.estimate import Estimate

Picks = NDArray[np.int64]  # (B, P): which readers a round draws
Drawing = Callable[[Weights, Picks], Mapping[str, NDArray[np.float64]]]  # weights (B, N) and picks → each figure (B,)

FEWEST_READERS = 5


def two_way(
    figures: Drawing,
    clusters: Clusters,
    *,
    readers: int,
    generator: np.random.Generator,
    shares: Collection[str] = (),
    rounds: int = ROUNDS,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Return each figure with its percentile interval over cases and readers.

    Args:
        figures: answers weights of cases and a choice of readers.
        clusters: which cases belong together.
        readers: how many there are, two or more.
        generator: the chance that draws.
        shares: the figures that are shares, 0 to 1, and no differences.
        rounds: how many.
        level: of the intervals.
    """
    everybody = np.arange(readers)[None]
    plain = figures(np.ones((1, len(clusters.of_case))), everybody)
    blocks = [
        figures(weights, draw_seeds(readers, rounds=len(weights), generator=generator))
        for weights in draw_cases(clusters, rounds=rounds, generator=generator)
    ]
    note = _caution(clusters, readers)
    found = {}
    for name, value in plain.items():
        drawn = np.concatenate([block[name] for block in blocks])
        kind = RoundsKind(level=level)
        estimate = estimate_of_rounds(
            float(value[0]), drawn, clusters=len(clusters), cluster_kind=clusters.kind, kind=kind, note=note
        )
        method = f"two-way bootstrap of {clusters.kind}s and {readers} readers, percentile, {rounds} rounds"
        found[name] = with_width(replace(estimate, method=method), is_share=name in shares)
    return found


def draw_cases(clusters: Clusters, *, rounds: int, generator: np.random.Generator) -> Iterator[Weights]:
    """Yield the weight of each case, in blocks (B, N) of rounds, by the rule at the top of this file."""
    strata = clusters.strata
    for start in range(0, rounds, ROUNDS_AT_ONCE):
        drawn = np.ones((min(ROUNDS_AT_ONCE, rounds - start), len(clusters)))
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            count = len(members)
            if count > 1:
                picked = generator.multinomial(count - 1, np.full(count, 1 / count), size=len(drawn))
                drawn[:, members] = picked * (count / (count - 1))
        yield drawn[:, clusters.of_case]


def mean_of(values: NDArray[np.float64], picks: Picks) -> NDArray[np.float64]:
    """Return the mean (B,) over the readers that each round drew, of values (B, R); who has none is left out."""
    drawn = np.take_along_axis(np.broadcast_to(values, (len(picks), values.shape[1])), picks, axis=1)
    there = ~np.isnan(drawn)
    count = there.sum(axis=1)
    total = np.where(there, drawn, 0.0).sum(axis=1)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(len(picks), np.nan), where=count > 0)
    return mean


def shares_of(hits: NDArray[np.bool_], among: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return each reader's share (B, R) of hits (R, N) among some of his cases (R, N); NaN where he has none."""
    return ratio(weights @ (hits & among).T.astype(np.float64), weights @ among.T.astype(np.float64))


def _caution(clusters: Clusters, readers: int) -> str:
    fewest = int(np.bincount(clusters.strata).min(where=np.bincount(clusters.strata) > 0, initial=len(clusters)))
    few = f"a diagnosis has only {fewest} {clusters.kind}{'s' * (fewest > 1)}" if fewest < FEWEST_CLUSTERS else ""
    alone = f"only {readers} readers" if readers < FEWEST_READERS else ""
    why = joined(few, alone)
    return f"{why}: too few to rely on the interval" if why else ""
