"""How well a picture's neighbours share its diagnosis, and by which space they are best found.

Precision at k is the share of the k nearest that have the picture's own diagnosis (Manning, Raghavan and Schütze,
Introduction to Information Retrieval, 2008, section 8.4). A neighbour is never of the same patient, nor of the same
group of near duplicates, as the picture: it would be found because it is the same skin, and not because it is alike.
N pictures that ask, M that are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.spaces import SPACES, Space, fit_space, placed

AT = 5  # by how many neighbours a space is chosen
NOBODY = -1  # instead of a row, where fewer are left to be found than were asked for
ROWS_AT_ONCE = 256


class Found(NamedTuple):
    """The k nearest of each of N pictures, the nearest first."""

    rows: NDArray[np.int64]  # (N, k) which of M; `NOBODY` where there is none
    similarities: NDArray[np.float32]  # (N, k) −1 to 1; NaN where there is none


class Origin(NamedTuple):
    """Whose pictures these are; what is not known is None, and keeps nothing apart."""

    cluster_ids: Sequence[str | None]
    duplicate_groups: Sequence[str | None]


class Trial(NamedTuple):
    """What one space reached on pictures that it was not fitted on."""

    kind: str
    precision: float  # at `AT`, the mean over diagnoses
    below_best: float  # how much lower than that of the best
    standard_error: float  # of that difference, from its sums by cluster


class Question(NamedTuple):
    """Pictures whose neighbours are asked for, and those among which they are looked for."""

    features: NDArray[np.floating]  # (N, F)
    diagnosis: NDArray[np.int64]  # (N,)
    origin: Origin  # N
    known_features: NDArray[np.floating]  # (M, F)
    known_diagnosis: NDArray[np.int64]  # (M,)
    known_origin: Origin  # M


def nearest(
    places: NDArray[np.float32],
    known: NDArray[np.float32],
    *,
    k: int,
    origin: Origin | None = None,
    known_origin: Origin | None = None,
) -> Found:
    """Return the k nearest of `known` (M, r) to each of `places` (N, r), exactly, all on the unit sphere.

    Equally near ones come in the order of their rows. With both origins, nothing of a picture's own cluster or
    duplicate group is found.
    """
    together = _together(known_origin, asking=origin) if origin and known_origin else {}
    rows = np.full((len(places), k), NOBODY)
    similarities = np.full((len(places), k), np.nan, np.float32)
    for start in range(0, len(places), ROWS_AT_ONCE):
        block = places[start : start + ROWS_AT_ONCE] @ known.T
        for at, cosines in enumerate(block, start=start):
            if origin:
                cosines[_own(at, origin, together)] = -np.inf
            best = _highest(cosines, k)
            rows[at, : len(best)], similarities[at, : len(best)] = best, cosines[best]
    return Found(rows, similarities)


def shared(found: Found, diagnosis: NDArray[np.int64], known_diagnosis: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one where a neighbour (N, k) has the picture's diagnosis (N,), zero where not, NaN where there is none."""
    same = known_diagnosis[found.rows] == diagnosis[:, None]
    told: NDArray[np.float64] = np.where(found.rows == NOBODY, np.nan, same)
    return told


def precision_at(k: int, same: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share (N,) of the first k neighbours that have the diagnosis, from what `shared` gives (N, ≥ k).

    Where fewer are there, it is a share of these; NaN where there is none.
    """
    there = ~np.isnan(same[:, :k])
    counts = there.sum(axis=1)
    total = np.where(there, same[:, :k], 0.0).sum(axis=1)
    shares: NDArray[np.float64] = np.divide(total, counts, out=np.full(len(same), np.nan), where=counts > 0)
    return shares


def by_chance(
    diagnosis: NDArray[np.int64], origin: Origin, *, known_diagnosis: NDArray[np.int64], known_origin: Origin
) -> NDArray[np.float64]:
    """Return what precision a picture (N,) has by neighbours drawn at random from all that could be found."""
    together, kinds = _together(known_origin, asking=origin), int(max(diagnosis.max(), known_diagnosis.max())) + 1
    every = np.bincount(known_diagnosis, minlength=kinds)
    shares = np.full(len(diagnosis), np.nan)
    for at, kind in enumerate(diagnosis.tolist()):
        left = every - np.bincount(known_diagnosis[_own(at, origin, together)], minlength=kinds)
        shares[at] = left[kind] / left.sum() if left.sum() else np.nan
    return shares


def choose_space(
    questions: Sequence[Question], *, kinds: Iterable[str] = tuple(SPACES)
) -> tuple[str, tuple[Trial, ...]]:
    """Return the space by which neighbours share a picture's diagnosis most often, and what each reached.

    Each diagnosis counts the same. Among the spaces whose precision lies within one standard error of the highest, the
    simplest is chosen (the rule of Breiman et al., Classification and Regression Trees, 1984, on the paired
    difference, as for recalibration). Where nobody can be asked, since no picture has a neighbour of another cluster,
    it is the simplest, and nothing was reached.

    Args:
        questions: several where folds ask by turns; a space is fitted anew on what each may look at.
        kinds: the spaces, from the simplest on.
    """
    truth = np.concatenate([each.diagnosis for each in questions])
    ids = [str(name) for each in questions for name in each.origin.cluster_ids]
    reached = {kind: np.concatenate([_precisions(kind, each) for each in questions]) for kind in kinds}
    asked = ~np.isnan(next(iter(reached.values())))
    if not asked.any():
        return next(iter(reached)), ()
    _, of_case = np.unique(np.array(ids)[asked], return_inverse=True)
    weights = 1 / np.bincount(truth[asked])[truth[asked]]
    trials = _compared({kind: each[asked] for kind, each in reached.items()}, weights / weights.sum(), of_case)
    return next(trial.kind for trial in trials if trial.below_best <= trial.standard_error), trials


def _precisions(kind: str, question: Question) -> NDArray[np.float64]:
    space: Space = fit_space(kind, question.known_features, question.known_diagnosis)
    found = nearest(
        placed(question.features, space),
        placed(question.known_features, space),
        k=AT,
        origin=question.origin,
        known_origin=question.known_origin,
    )
    return precision_at(AT, shared(found, question.diagnosis, question.known_diagnosis))


def _compared(
    reached: Mapping[str, NDArray[np.float64]], weights: NDArray[np.float64], of_case: NDArray[np.int64]
) -> tuple[Trial, ...]:
    """Set each space beside the best; the standard error sums the differences within clusters first."""
    means = {kind: float(weights @ precision) for kind, precision in reached.items()}
    best = max(means, key=lambda kind: means[kind])
    trials = []
    for kind, precision in reached.items():
        below = means[best] - means[kind]
        apart = np.bincount(of_case, weights * (reached[best] - precision - below))
        trials.append(Trial(kind, means[kind], below, float(np.sqrt(np.square(apart).sum()))))
    return tuple(trials)


def _highest(cosines: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the rows of the k highest, the highest first and equal ones by their row; what is excluded is left out."""
    there = len(cosines)
    if k < there:
        least = np.partition(cosines, there - k)[there - k]
        rows = np.flatnonzero(cosines >= least)
    else:
        rows = np.arange(there)
    rows = rows[np.isfinite(cosines[rows])]
    best: NDArray[np.int64] = rows[np.argsort(-cosines[rows], kind="stable")][:k]
    return best


def _together(known: Origin, *, asking: Origin) -> dict[tuple[str, str], list[int]]:
    """Return which rows belong to each cluster, and to each group of duplicates, that one of the pictures is of."""
    rows: dict[tuple[str, str], list[int]] = {}
    for what in Origin._fields:
        wanted = set(getattr(asking, what)) - {None}
        for row, name in enumerate(getattr(known, what)):
            if name in wanted:
                rows.setdefault((what, name), []).append(row)
    return rows


def _own(at: int, origin: Origin, together: Mapping[tuple[str, str], list[int]]) -> list[int]:
    """Return the rows that are not to be found for this picture, each once."""
    return sorted({row for key in _keys(at, origin) for row in together.get(key, ())})


def _keys(at: int, origin: Origin) -> Iterator[tuple[str, str]]:
    for what in Origin._fields:
        name = getattr(origin, what)[at]
        if name is not None:
            yield what, name
