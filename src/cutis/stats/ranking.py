"""How well scores put those with a diagnosis above those without: curves, and the areas under them.

Both areas are sums over the *steps* of a ranking, the scores that somebody with the diagnosis has. A ranking is sorted
once; then every row of weights is answered by adding up the cases between one step and the next, which is a product
with a sparse matrix, and by running sums over the steps alone. Cases without the diagnosis below the lowest step are
never touched.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.weights import SideBySide, Weights, one_hot, ratio

STEPS_AT_ONCE = 256  # with a hundred rounds, their running sums stay in a processor's cache


class RocCurve(NamedTuple):
    """Operating points from *nobody* to *everybody*, at falling thresholds."""

    false_positive_rate: NDArray[np.float64]  # (M,)
    sensitivity: NDArray[np.float64]  # (M,)
    thresholds: NDArray[np.float64]  # (M,), the first one infinite


class PrecisionRecallCurve(NamedTuple):
    """Operating points at falling thresholds; the first flags those with the highest score, the last everybody."""

    ppv: NDArray[np.float64]  # (M,), or precision
    sensitivity: NDArray[np.float64]  # (M,), or recall
    thresholds: NDArray[np.float64]  # (M,)


class Areas(NamedTuple):
    """What a ranking is worth, for each row of weights."""

    auc: NDArray[np.float64]  # (R,), NaN where nobody or everybody has the diagnosis
    average_precision: NDArray[np.float64]  # (R,), NaN where nobody has it


class Steps(NamedTuple):
    """Steps of a ranking that follow each other, the highest score first; each row of a matrix is one step."""

    hits: Any  # (S, N) sparse: the cases with the diagnosis at this score
    alarms: Any  # (S, N) sparse: those without it at this score, or between it and the step above
    shared: NDArray[np.int64]  # (T,) the steps at whose very score there are cases without it too
    ties: Any  # (T, N) sparse: those cases


def ranked(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    *,
    of_case: NDArray[np.int64] | None = None,
    cases: int | None = None,
) -> tuple[Steps, ...]:
    """Sort scores (M,) once, for any number of `areas`.

    Args:
        scores: a score per decision.
        positive: (M,) whether the diagnosis is there.
        of_case: (M,) the case that each decision is about; without it, each about a case of its own.
        cases: how many cases there are; as many as decisions without it.
    """
    from scipy.sparse import csr_array

    cases = len(scores) if cases is None else cases
    order = np.argsort(-scores, kind="stable")
    has = positive[order]
    case = order if of_case is None else of_case[order]
    level = np.cumsum(np.diff(scores[order], prepend=np.inf) != 0) - 1  # decisions of the same score share a level
    is_step = np.bincount(level[has], minlength=level[-1] + 1 if len(level) else 0) > 0
    step: NDArray[np.int64] = (np.cumsum(is_step) - is_step)[level]  # its own, or the next one below
    steps = int(is_step.sum())
    tied = ~has & is_step[level]

    # Ones, and how often a case stands between two steps, are exact in single precision, which numpy widens at need.
    def members(which: NDArray[np.bool_]) -> Any:
        chosen = which & (step < steps)
        return csr_array((np.ones(chosen.sum(), dtype=np.float32), (step[chosen], case[chosen])), shape=(steps, cases))

    hits, alarms, ties = members(has), members(~has), members(tied)
    shared: NDArray[np.int64] = np.unique(step[tied])
    return tuple(
        Steps(
            hits=hits[start : start + STEPS_AT_ONCE],
            alarms=alarms[start : start + STEPS_AT_ONCE],
            shared=(within := shared[(shared >= start) & (shared < start + STEPS_AT_ONCE)]) - start,
            ties=ties[within],
        )
        for start in range(0, steps, STEPS_AT_ONCE)
    )


def areas(ranking: tuple[Steps, ...], weights: SideBySide, *, negative: NDArray[np.float64]) -> Areas:
    """Return the areas under the ROC curve and, by its steps, under the precision–recall curve.

    The AUC is the weighted Mann–Whitney statistic, ties counted one half (Hanley and McNeil, Radiology 143:29, 1982).
    The average precision is Σ (recall now − recall before) × precision now over falling thresholds, without a line
    drawn between points, which would flatter (Davis and Goadrich, ICML 2006).

    Args:
        ranking: the steps of `ranked`.
        weights: (R, N), quickest as `rounds_side_by_side` returns them.
        negative: (R,) the weight of all decisions without the diagnosis.
    """
    by_case = np.ascontiguousarray(weights.T)
    found, alarmed, lost, gained = np.zeros((4, len(weights)))
    for steps in ranking:
        hits = (steps.hits @ by_case).astype(np.float64, copy=False)
        alarms = _running_on((steps.alarms @ by_case).astype(np.float64, copy=False), alarmed)
        reached = _running_on(hits.copy(), found)
        lost += np.einsum("sr,sr->r", hits, alarms)
        if len(steps.shared):
            lost -= np.einsum("tr,tr->r", hits[steps.shared], steps.ties @ by_case) / 2
        found, alarmed = reached[-1], alarms[-1].copy()
        flagged = np.add(reached, alarms, out=alarms)
        precision = np.divide(reached, np.maximum(flagged, np.finfo(np.float64).tiny, out=flagged), out=flagged)
        gained += np.einsum("sr,sr->r", hits, precision)
    return Areas(auc=1 - ratio(lost, found * negative), average_precision=ratio(gained, found))


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return the area under the ROC curve (R,) of scores (N,), ties counted one half."""
    return _areas_of(scores, positive, weights).auc


def average_precision(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights
) -> NDArray[np.float64]:
    """Return the area under the precision–recall curve (R,) of scores (N,), by its steps."""
    return _areas_of(scores, positive, weights).average_precision


def auc_by_diagnosis(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: Weights
) -> NDArray[np.float64]:
    """Return the AUC (R, K) of each diagnosis against the rest."""
    kinds = probabilities.shape[1]
    return np.column_stack([auc(probabilities[:, kind], truth == kind, weights) for kind in range(kinds)])


def ranked_together(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> tuple[Steps, ...]:
    """Sort all questions, each diagnosis against the rest for every case, into one ranking of N × K decisions."""
    cases, kinds = probabilities.shape
    has = one_hot(truth, kinds).ravel() > 0
    return ranked(probabilities.ravel(), has, of_case=np.repeat(np.arange(cases), kinds), cases=cases)


def roc_curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> RocCurve:
    """Return one operating point per distinct score (N,), yes at or above the threshold; NaN where a side is empty."""
    thresholds, hits, flagged = _operating_points(scores, positive)
    false_alarms = flagged - hits
    return RocCurve(
        false_positive_rate=ratio(np.append(0, false_alarms), false_alarms[-1]),
        sensitivity=ratio(np.append(0, hits), hits[-1]),
        thresholds=np.append(np.inf, thresholds),
    )


def precision_recall_curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> PrecisionRecallCurve:
    """Return one operating point per distinct score (N,), yes at or above the threshold; NaN where nobody has it."""
    thresholds, hits, flagged = _operating_points(scores, positive)
    return PrecisionRecallCurve(ppv=hits / flagged, sensitivity=ratio(hits, hits[-1]), thresholds=thresholds)


def _areas_of(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> Areas:
    return areas(ranked(scores, positive), weights, negative=weights[:, ~positive].sum(axis=1))


def _running_on(rows: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn rows (S, R) into running sums that go on from an earlier one (R,), in place."""
    rows[0] += before
    return np.cumsum(rows, axis=0, out=rows)


def _operating_points(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct scores, falling, and how many with the diagnosis, and how many at all, lie at or above."""
    order = np.argsort(-scores, kind="stable")
    lasts = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(positive[order])[lasts].astype(np.float64)
    return scores[order][lasts], hits, (lasts + 1).astype(np.float64)
