"""How right a rater is: pure functions of what was said, the truth, and a weight per case.

`weights` is (R, N): a row of ones for the plain figure, or a row per round of a bootstrap, all answered at once.
N cases, K diagnoses. What cannot be computed, such as the sensitivity of a diagnosis nobody has, is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
ARGMAX = "argmax"
ONE_VS_REST = "one_vs_rest"


class Rates(NamedTuple):
    """Each diagnosis as a question of its own, yes or no: one column per diagnosis."""

    sensitivity: NDArray[np.float64]  # (R, K)
    specificity: NDArray[np.float64]  # (R, K)
    accuracy: NDArray[np.float64]  # (R, K)


class RocCurve(NamedTuple):
    """Operating points from *nobody* to *everybody*, at falling thresholds."""

    false_positive_rate: NDArray[np.float64]  # (M,)
    sensitivity: NDArray[np.float64]  # (M,)
    thresholds: NDArray[np.float64]  # (M,), the first one infinite


class Measure(NamedTuple):
    """The name of a figure: under which convention, what, and of which diagnosis (none: of all together)."""

    convention: str | None
    what: str
    diagnosis: str | None = None

    def __str__(self) -> str:
        return "/".join(filter(None, self))


def one_hot(indices: NDArray[np.int64], kinds: int) -> NDArray[np.float64]:
    """Return (N, K) zeros with a one per row."""
    return np.eye(kinds)[indices]


def rates(flagged: NDArray[np.bool_], truth: NDArray[np.int64], weights: Weights) -> Rates:
    """Sensitivity, specificity and accuracy of yes-or-no answers `flagged` (N, K), for each row of weights."""
    has = one_hot(truth, flagged.shape[1])
    true_positive = weights @ (has * flagged)
    positive = weights @ has
    false_positive = weights @ flagged.astype(np.float64) - true_positive
    total = weights.sum(axis=1, keepdims=True)
    negative = total - positive
    return Rates(
        sensitivity=_ratio(true_positive, positive),
        specificity=_ratio(negative - false_positive, negative),
        accuracy=_ratio(true_positive + negative - false_positive, total),
    )


def accuracy(correct: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return the weighted share (R,) of correct answers (N,)."""
    return weighted_mean(correct.astype(np.float64), weights)


def weighted_mean(values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Return the mean (R,) of a value per case (N,)."""
    return _ratio(weights @ values, weights.sum(axis=1))


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return the area under the ROC curve (R,) of scores (N,), ties counted one half.

    The weighted Mann–Whitney statistic: one sort of the negatives, then sums over the sorted order
    (Hanley and McNeil, Radiology 143:29, 1982).
    """
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    # A case per row, so that sums run over whole rows, one per round side by side.
    beneath = np.zeros((len(negatives) + 1, len(weights)))
    np.cumsum(weights.T[negatives], axis=0, out=beneath[1:])
    below = np.searchsorted(scores[negatives], scores[positive], side="left")
    not_above = np.searchsorted(scores[negatives], scores[positive], side="right")
    of_positive = weights.T[positive]
    won = np.einsum("nr,nr->r", of_positive, beneath[below] + beneath[not_above]) / 2
    return _ratio(won, of_positive.sum(axis=0) * beneath[-1])


def auc_by_diagnosis(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: Weights
) -> NDArray[np.float64]:
    """Return the AUC (R, K) of each diagnosis against the rest."""
    kinds = probabilities.shape[1]
    return np.column_stack([auc(probabilities[:, kind], truth == kind, weights) for kind in range(kinds)])


def measures(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    codes: Sequence[str],
    thresholds: NDArray[np.float64],
    weights: Weights,
) -> dict[Measure, NDArray[np.float64]]:
    """Return every figure (R,) of a rater who gives probabilities (N, K), under both conventions.

    *argmax*: the most probable diagnosis is the answer; accuracy is the share of right answers, balanced accuracy the
    mean sensitivity (as ISIC scores). *one_vs_rest*: each diagnosis on its own, yes at or above its threshold (K,).
    A macro figure is the mean over the diagnoses that the truth contains. Log loss and Brier score need no convention.
    """
    present = np.unique(truth)
    said = probabilities.argmax(axis=1)
    by_argmax = rates(one_hot(said, len(codes)) > 0, truth, weights)
    by_threshold = rates(probabilities >= thresholds, truth, weights)
    areas = auc_by_diagnosis(probabilities, truth, weights)
    balanced = (by_threshold.sensitivity + by_threshold.specificity) / 2
    overall = {
        Measure(ARGMAX, "accuracy"): accuracy(said == truth, weights),
        Measure(ARGMAX, "balanced_accuracy"): by_argmax.sensitivity[:, present].mean(axis=1),
        Measure(ARGMAX, "macro_sensitivity"): by_argmax.sensitivity[:, present].mean(axis=1),
        Measure(ARGMAX, "macro_specificity"): by_argmax.specificity[:, present].mean(axis=1),
        Measure(ONE_VS_REST, "macro_accuracy"): by_threshold.accuracy[:, present].mean(axis=1),
        Measure(ONE_VS_REST, "macro_balanced_accuracy"): balanced[:, present].mean(axis=1),
        Measure(ONE_VS_REST, "macro_sensitivity"): by_threshold.sensitivity[:, present].mean(axis=1),
        Measure(ONE_VS_REST, "macro_specificity"): by_threshold.specificity[:, present].mean(axis=1),
        Measure(None, "macro_auc"): areas[:, present].mean(axis=1),
        Measure(None, "log_loss"): weighted_mean(log_losses(probabilities, truth), weights),
        Measure(None, "brier"): weighted_mean(brier_scores(probabilities, truth), weights),
    }
    by_diagnosis: dict[tuple[str | None, str], NDArray[np.float64]] = {
        (ARGMAX, "sensitivity"): by_argmax.sensitivity,
        (ARGMAX, "specificity"): by_argmax.specificity,
        (ONE_VS_REST, "accuracy"): by_threshold.accuracy,
        (ONE_VS_REST, "sensitivity"): by_threshold.sensitivity,
        (ONE_VS_REST, "specificity"): by_threshold.specificity,
        (None, "auc"): areas,
    }
    return overall | {
        Measure(convention, what, code): figures[:, kind]
        for (convention, what), figures in by_diagnosis.items()
        for kind, code in enumerate(codes)
    }


def log_losses(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return −ln of the probability (N,) given to the truth; a probability of zero counts as the smallest step."""
    given: NDArray[np.float64] = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.maximum(given, np.finfo(np.float64).eps))


def brier_scores(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the squared distance (N,) from probabilities to truth, 0 to 2 (Brier, Monthly Weather Review 1950)."""
    distance: NDArray[np.float64] = np.square(probabilities - one_hot(truth, probabilities.shape[1])).sum(axis=1)
    return distance


def confusion_matrix(truth: NDArray[np.int64], said: NDArray[np.int64], *, kinds: int) -> NDArray[np.int64]:
    """Return how many cases (K, K) of each truth (row) were called each diagnosis (column)."""
    return np.bincount(truth * kinds + said, minlength=kinds * kinds).reshape(kinds, kinds)


def roc_curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> RocCurve:
    """Return one operating point per distinct score (N,), yes at or above the threshold; NaN where a side is empty."""
    order = np.argsort(-scores, kind="stable")
    lasts = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.concatenate([[0], np.cumsum(positive[order])[lasts]]).astype(np.float64)
    false_alarms = np.concatenate([[0], lasts + 1]) - hits
    return RocCurve(
        false_positive_rate=_ratio(false_alarms, false_alarms[-1]),
        sensitivity=_ratio(hits, hits[-1]),
        thresholds=np.concatenate([[np.inf], scores[order][lasts]]),
    )


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; where the whole is empty, NaN."""
    part, whole = np.broadcast_arrays(part, whole)
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
