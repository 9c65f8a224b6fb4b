"""Figures of readers under resampling of both, readers and cases: each round draws clusters of cases, and readers.

Cases are drawn as for all figures (`resampling`). Of R readers, R − 1 are drawn with replacement, so that the spread of
a mean of readers is not too small (`crossed`). What readers and cases do together is drawn by both, so that intervals
err on the safe side (Owen, Annals of Applied Statistics 1:386, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cutis.stats.crossed import draw_seeds
from cutis.stats.intervals import ROUNDS, estimate_of_rounds, with_width
from cutis.stats.resampling import LEVEL, Clusters, resample
from cutis.stats.support import joined
from cutis.stats.weights import ratio
from cutis.vocabulary.estimate import Estimate

ONE_READER = "one reader: the interval is over cases alone"


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """How often each case and each reader counts in each of B rounds; the first round is the study itself."""

    cases: NDArray[np.float32]  # (1 + B, N)
    readers: NDArray[np.float32]  # (1 + B, R)
    clusters: Clusters
    readers_are_random: bool

    def with_readers(self, chosen: NDArray[np.bool_]) -> Rounds:
        """Keep some readers alone, such as those of one level of experience."""
        return replace(self, readers=self.readers[:, chosen])


def draw_rounds(
    clusters: Clusters,
    *,
    readers: int,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
    readers_are_random: bool = True,
) -> Rounds:
    """Return the rounds of a bootstrap of readers and cases.

    Args:
        clusters: of the N cases, with the truth that their strata are made of.
        readers: how many there are.
        generator: the chance that draws.
        rounds: how many.
        readers_are_random: whether the result is about other readers too; of one reader it never is.
    """
    cases = np.concatenate(
        [np.ones((1, len(clusters.of_case))), *resample(clusters, rounds=rounds, generator=generator)]
    )
    drawn = np.ones((1 + rounds, readers))
    random = readers_are_random and readers > 1
    if random:
        picked = draw_seeds(readers, rounds=rounds, generator=generator)
        at = np.arange(rounds)[:, None] * readers + picked
        drawn[1:] = np.bincount(at.ravel(), minlength=rounds * readers).reshape(rounds, readers)
    return Rounds(
        cases=cases.astype(np.float32),
        readers=drawn.astype(np.float32),
        clusters=clusters,
        readers_are_random=random,
    )


def sums_by_reader(values: NDArray[np.bool_], rounds: Rounds) -> NDArray[np.float64]:
    """Return in each round how many (1 + B, R) of the cases drawn count for a reader, by what counts (R, N)."""
    counting = values.any(axis=0)
    sums = rounds.cases[:, counting] @ values[:, counting].T.astype(np.float32)
    return sums.astype(np.float64)


def pooled_ratio(part: NDArray[np.float64], whole: NDArray[np.float64], rounds: Rounds) -> NDArray[np.float64]:
    """Return in each round (1 + B,) the sum of the parts (1 + B, R) of all readers drawn over that of the wholes."""
    return ratio((rounds.readers * part).sum(axis=1), (rounds.readers * whole).sum(axis=1))


def estimate_share_of_readings(
    part: NDArray[np.bool_], whole: NDArray[np.bool_], rounds: Rounds, *, level: float = LEVEL
) -> Estimate:
    """Return the share of some readings (R, N) among others that contain them, with its interval.

    Every reading counts alike; where all readers read all cases, it is the mean over readers.
    """
    counted = [sums_by_reader(values, rounds) for values in (part & whole, whole)]
    return estimate_rounds(pooled_ratio(counted[0], counted[1], rounds), rounds, is_share=True, level=level)


def estimate_rounds(
    figure: NDArray[np.float64], rounds: Rounds, *, is_share: bool, level: float = LEVEL, note: str = ""
) -> Estimate:
    """Return a figure (1 + B,), that of the study first, with its percentile interval."""
    from cutis.stats.intervals import RoundsKind

    readers = rounds.readers.shape[1]
    estimate = estimate_of_rounds(
        float(figure[0]),
        figure[1:],
        clusters=len(rounds.clusters),
        cluster_kind=rounds.clusters.kind,
        kind=RoundsKind(level=level),
        note=joined(note, "" if readers > 1 else ONE_READER),
    )
    said = with_width(estimate, is_share=is_share)
    both = f"two-way bootstrap of {rounds.clusters.kind}s and {readers} readers"
    method = both if rounds.readers_are_random else f"bootstrap of {rounds.clusters.kind}s, readers fixed"
    return replace(said, method=said.method.replace("cluster bootstrap", method))
