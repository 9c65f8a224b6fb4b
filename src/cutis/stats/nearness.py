"""What it means that two pictures are so near: how often neighbours as near as that had the same diagnosis.

A cosine says nothing by itself: 0.9 is near in one space and far in another. So it is read off steps that were found on
pictures which the network had not learned from. Neighbours are cut by their similarity into bins of equally many, and
bins are put together until the share that has the picture's diagnosis never falls with the similarity (pooling adjacent
violators, Ayer et al., Annals of Mathematical Statistics 26:641, 1955). What the neighbour has decides as well: a
neighbour with a frequent diagnosis is right more often. So a diagnosis that enough clusters have met has steps of its
own, and the others share theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.resampling import Clusters
from cutis.vocabulary.estimate import Estimate

BINS = 5
FEWEST = 20  # clusters that a step rests on


class Step(NamedTuple):
    """From one similarity on, up to the next step."""

    similarity: float
    share: Estimate  # of neighbours so near that have the picture's diagnosis
    neighbours: int  # that it was found on


class Nearness(NamedTuple):
    """Steps by the neighbour's diagnosis, each the higher, the nearer; none where too few clusters tell."""

    of_diagnosis: dict[str, tuple[Step, ...]]  # by code, for those that have steps of their own
    of_the_others: tuple[Step, ...]

    def said_of(self, code: str, similarity: float) -> Step | None:
        """Return the step of a neighbour with this diagnosis; what is farther than any was lies on the lowest."""
        steps = self.of_diagnosis.get(code, self.of_the_others)
        below = [step for step in steps if step.similarity <= similarity]
        return below[-1] if below else (steps[0] if steps else None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `nearness_from` reads back."""
        return {
            "of_diagnosis": {code: [_plain(step) for step in steps] for code, steps in self.of_diagnosis.items()},
            "of_the_others": [_plain(step) for step in self.of_the_others],
        }


def nearness_from(content: Mapping[str, Any]) -> Nearness:
    """Read what `Nearness.to_dict` gave."""
    return Nearness(
        of_diagnosis={code: _steps(steps) for code, steps in content["of_diagnosis"].items()},
        of_the_others=_steps(content["of_the_others"]),
    )


def fit_nearness(
    similarities: NDArray[np.floating],
    same: NDArray[np.float64],
    diagnosis: NDArray[np.int64],
    *,
    codes: Sequence[str],
    clusters: Clusters,
) -> Nearness:
    """Fit the steps to the neighbours of N pictures, k of each.

    Args:
        similarities: (N, k).
        same: (N, k) one where the neighbour has the picture's diagnosis, zero where not, NaN where there is none.
        diagnosis: (N, k) the neighbour's.
        codes: of the K diagnoses.
        clusters: of the N pictures.
    """
    there = ~np.isnan(same)
    of_case = np.broadcast_to(clusters.of_case[:, None], same.shape)[there]
    near, right, kind = similarities[there], same[there].astype(np.bool_), diagnosis[there]
    met = np.array([len(np.unique(of_case[kind == each])) for each in range(len(codes))])
    alone = np.flatnonzero(met >= FEWEST)
    others = ~np.isin(kind, alone)

    def steps(among: NDArray[np.bool_]) -> tuple[Step, ...]:
        return _fitted(near[among], right[among], of_case[among], kind=clusters.kind)

    return Nearness({codes[each]: steps(kind == each) for each in alone.tolist()}, steps(others))


def share_of_step(right: NDArray[np.bool_], of_case: NDArray[np.int64], *, kind: str) -> Estimate:
    """Return how often neighbours (n,) of pictures of these clusters (n,) have the picture's diagnosis."""
    from cutis.stats.proportions import estimate_share  # needs scipy, which is not on the way to an answer

    names, compact = np.unique(of_case, return_inverse=True)
    presence = np.ones((len(names), 1), dtype=np.bool_)
    return estimate_share(right, Clusters(kind=kind, of_case=compact, presence=presence))


def _fitted(
    near: NDArray[np.floating], right: NDArray[np.bool_], of_case: NDArray[np.int64], *, kind: str
) -> tuple[Step, ...]:
    clusters = len(np.unique(of_case))
    bins = min(BINS, clusters // FEWEST)
    if not bins:
        return ()
    ends = np.quantile(near, np.arange(1, bins) / bins)
    parts = [np.flatnonzero(np.searchsorted(ends, near, side="right") == each) for each in range(bins)]
    rising = _rising([part for part in parts if len(part)], right, of_case)
    return tuple(
        Step(float(near[part].min()), share_of_step(right[part], of_case[part], kind=kind), len(part))
        for part in rising
    )


def _rising(
    parts: Sequence[NDArray[np.int64]], right: NDArray[np.bool_], of_case: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Put neighbouring parts together until no share falls, and none but the last rests on too few clusters."""
    joined: list[NDArray[np.int64]] = []
    for part in parts:
        joined.append(part)
        while len(joined) > 1 and _must_join(joined[-2], joined[-1], right, of_case):
            last = joined.pop()
            joined[-1] = np.concatenate([joined[-1], last])
    return joined


def _must_join(
    lower: NDArray[np.int64], upper: NDArray[np.int64], right: NDArray[np.bool_], of_case: NDArray[np.int64]
) -> bool:
    fewest = min(len(np.unique(of_case[part])) for part in (lower, upper))
    return fewest < FEWEST or bool(right[upper].mean() <= right[lower].mean())


def _plain(step: Step) -> dict[str, Any]:
    return {"similarity": step.similarity, "share": step.share.to_dict(), "neighbours": step.neighbours}


def _steps(content: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step(each["similarity"], Estimate(**each["share"]), each["neighbours"]) for each in content)
