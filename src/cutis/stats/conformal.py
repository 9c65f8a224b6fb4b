"""Sets of diagnoses that contain the truth as often as promised, by split conformal prediction on the calibrate split.

A diagnosis is in the set of a case where its score is at most a threshold; the threshold is a high quantile of the
scores that the true diagnoses had on calibrate. Two scores:

    LAC   1 − p, the least likely answer that is still let in (Sadinle, Lei and Wasserman, JASA 114:223, 2019)
    APS   the probability of everything that is more probable (Romano, Sesia and Candès, NeurIPS 2020), with their
          random part of the diagnosis' own probability where draws are handed in. Without draws, as in a clinic, where
          the same picture must have the same answer, it is a score like any other: the promise holds, sets are larger,
          and none is empty, since nothing is more probable than the most probable.

**What is promised.** Pictures of one patient are not independent, patients are. Each cluster of calibrate has one
share, split evenly over its cases, and the new patient has one, which counts as infinite. Then the set of *one picture,
at random, of a new patient of the same clinic* contains the truth with at least the stated probability (Lee, Barber and
Willett, "Distribution-free inference with hierarchical data", equation 6, arXiv:2306.06342; the same without its random
subsampling as Dunn, Wasserman and Ramdas, JASA 118:2491, 2023). Why: among all clusters, calibrate's and the new one's,
any picture of any cluster may have been the new one, each cluster with the same chance; the quantile over all of them
holds at least that share, and calling the new one's infinite only raises it. Nothing is promised for all pictures of a
patient at once, nor for another mix of patients.

With one case per cluster this is the usual quantile, the ⌈(n + 1) · level⌉-th smallest score. A threshold needs at
least ⌈1 / (1 − level)⌉ − 1 clusters, 19 for 95 %: with fewer it is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import Weights, one_hot

LEVEL = 0.95
OWN = "cases with this diagnosis"
RARE = "cases with any of the rare diagnoses"
ALL = "all cases"
NONE = "too few cases: always in the set"
EVERYTHING = 1.0  # no score is higher
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class SetThresholds:
    """What turns probabilities into sets, as plain data; a diagnosis per place."""

    method: str  # "LAC" or "APS"
    level: float  # the promised share of sets that contain the truth
    values: tuple[float, ...]  # (K,) in the set where the score is at most this
    basis: tuple[str, ...]  # (K,) what the threshold was fitted on, and for whom it promises: OWN, RARE, ALL or NONE
    clusters: tuple[int, ...]  # (K,) with a case of the diagnosis

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `set_thresholds_from` reads back."""
        return asdict(self)


def set_thresholds_from(content: Mapping[str, Any]) -> SetThresholds:
    """Build thresholds from plain data.

    Raises:
        ValueError: a method that is not known.
    """
    if content["method"] not in SCORES:
        raise ValueError(f"no such method of sets: {content['method']!r}; known are {', '.join(SCORES)}")
    return SetThresholds(
        method=content["method"],
        level=content["level"],
        values=tuple(content["values"]),
        basis=tuple(content["basis"]),
        clusters=tuple(content["clusters"]),
    )


def lac_scores(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 − p (N, K)."""
    return 1 - probabilities


def aps_scores(probabilities: NDArray[np.float64], draws: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the probability (N, K) of all diagnoses that are more probable than each.

    Of equally probable ones the first in the taxonomy comes first. `draws` (N,), uniform between 0 and 1, add that part
    of a diagnosis' own probability, as Romano, Sesia and Candès do (their 1 − u).
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    falling = np.take_along_axis(probabilities, order, axis=1)
    above = np.cumsum(falling, axis=1) - falling
    if draws is not None:
        above += draws[:, None] * falling
    scores = np.empty_like(probabilities)
    np.put_along_axis(scores, order, above.clip(0, EVERYTHING), axis=1)
    return scores


SCORES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {"LAC": lac_scores, "APS": aps_scores}


def fewest_clusters(level: float = LEVEL) -> int:
    """Return how many independent cases a threshold needs."""
    return math.ceil(1 / (1 - level) - ROUNDING) - 1


def conformal_quantile(scores: NDArray[np.float64], *, of_case: NDArray[np.int64], level: float = LEVEL) -> float:
    """Return the threshold of scores (N,) for a new cluster; `EVERYTHING` where the clusters are too few.

    The smallest score beneath or at which lies `level` of the shares of all clusters and the new one.
    """
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(equal_shares(of_case)[order])
    needed = level * (len(np.unique(of_case)) + 1) - ROUNDING
    place = int(np.searchsorted(reached, needed))
    return float(scores[order[place]]) if place < len(scores) else EVERYTHING


def equal_shares(of_case: NDArray[np.int64], truth: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Return a weight per case (N,) that lets all clusters count alike: the promise is about clusters.

    With a truth they count alike within each diagnosis, as the promise by diagnosis is meant.
    """
    together = of_case if truth is None else of_case * (truth.max(initial=0) + 1) + truth
    _, which, sizes = np.unique(together, return_inverse=True, return_counts=True)
    shares: NDArray[np.float64] = 1 / sizes[which]
    return shares


def fit_set_thresholds(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    of_case: NDArray[np.int64],
    method: str,
    level: float = LEVEL,
    by_class: bool = True,
) -> SetThresholds:
    """Fit thresholds on the calibrate split.

    By class, a diagnosis with at least `fewest_clusters` clusters has a threshold of its own and a promise of its own
    (Vovk, Lindsay, Nouretdinov and Gammerman, "Mondrian confidence machine", 2003). The rarer ones share one threshold,
    fitted on all of their cases together and promised for them together; where no cluster has two diagnoses, the
    promise over all cases then stands as well. Where even together they are too few, they have the threshold of all
    cases, and no promise of their own.

    Args:
        probabilities: (N, K) of cases that neither the network nor any map of its probabilities was fitted on.
        truth: (N,) index of the diagnosis.
        of_case: (N,) index of the patient or lesion.
        method: ``LAC`` or ``APS``.
        level: the share of sets that is to contain the truth.
        by_class: whether by diagnosis; otherwise one threshold for all.
    """
    kinds = probabilities.shape[1]
    scores = SCORES[method](probabilities)[np.arange(len(truth)), truth]
    clusters = np.array([len(np.unique(of_case[truth == kind])) for kind in range(kinds)])
    is_rare = clusters < fewest_clusters(level)

    def on(members: NDArray[np.bool_], basis: str) -> tuple[float, str] | None:
        if len(np.unique(of_case[members])) < fewest_clusters(level):
            return None
        return conformal_quantile(scores[members], of_case=of_case[members], level=level), basis

    of_all = on(np.ones(len(truth), dtype=np.bool_), ALL) or (EVERYTHING, NONE)
    of_rare = on(is_rare[truth], RARE) or of_all
    fitted = [((on(truth == kind, OWN) or of_rare) if by_class else of_all) for kind in range(kinds)]
    return SetThresholds(
        method=method,
        level=level,
        values=tuple(value for value, _ in fitted),
        basis=tuple(basis for _, basis in fitted),
        clusters=tuple(clusters.tolist()),
    )


def prediction_sets(probabilities: NDArray[np.float64], thresholds: SetThresholds) -> NDArray[np.bool_]:
    """Return which diagnoses (N, K) are in the set of each case; never an empty set.

    Where no diagnosis reaches its threshold, the most probable one is put in, which can only help the promise.
    `is_unlike` says where that was done, so that the answer can say so.
    """
    sets = _within(probabilities, thresholds)
    empty = np.flatnonzero(~sets.any(axis=1))
    sets[empty, probabilities[empty].argmax(axis=1)] = True
    return sets


def is_unlike(probabilities: NDArray[np.float64], thresholds: SetThresholds) -> NDArray[np.bool_]:
    """Return where (N,) no diagnosis reaches its threshold.

    The network is then less sure than it is of nearly every case with a known diagnosis: the case is unlike those, or
    lies between several of them. A clinic must read that beside the answer. It happens with LAC alone.
    """
    unlike: NDArray[np.bool_] = np.count_nonzero(_within(probabilities, thresholds), axis=1) == 0
    return unlike


def coverage_at(
    sets: NDArray[np.bool_], truth: NDArray[np.int64], *, prevalences: NDArray[np.float64], weights: Weights
) -> NDArray[np.float64]:
    """Return the coverage (R,) where the diagnoses have other prevalences (K,), their pictures being the same.

    NaN where a diagnosis that is to occur has no case.
    """
    covered = sets[np.arange(len(truth)), truth].astype(np.float64)
    occurs = prevalences > 0
    by_diagnosis = _coverage_by_diagnosis(covered, truth, kinds=len(prevalences), weights=weights)
    coverage: NDArray[np.float64] = by_diagnosis[:, occurs] @ (prevalences[occurs] / prevalences.sum())
    return coverage


def _within(probabilities: NDArray[np.float64], thresholds: SetThresholds) -> NDArray[np.bool_]:
    limits: NDArray[np.float64] = np.array(thresholds.values)
    return SCORES[thresholds.method](probabilities) <= limits


def _coverage_by_diagnosis(
    covered: NDArray[np.float64], truth: NDArray[np.int64], *, kinds: int, weights: Weights
) -> NDArray[np.float64]:
    has = one_hot(truth, kinds)
    with np.errstate(invalid="ignore"):
        shares: NDArray[np.float64] = (weights @ (has * covered[:, None])) / (weights @ has)
    return shares
