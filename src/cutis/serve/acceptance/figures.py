"""What a release reached on the cases whose truth came back, each figure with its interval by lesion.

Figures of answers count the examinations that were answered; how many were not is a figure of its own. A truth that
the release does not know is a wrong answer, and flagged or not as malignant like any other. An operating point is the
one that the release brought along. Shares have Wilson's interval, clustered by lesion; what is no share is resampled
by lesion (`cutis.stats.proportions`, `cutis.stats.intervals`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate

if TYPE_CHECKING:
    from cutis.stats.metrics import Measure
    from cutis.stats.resampling import Clusters, Figures
    from cutis.stats.weights import Weights

UNIT = "lesion"  # a case of the record is one lesion; which of them are of one person it does not know
FIRST = 3
NO_POINT = "the release has no operating point for the summed malignancy"
FEWEST_IN_A_BIN = 10  # cases, of the calibration error; with fewer its bins show chance alone


@dataclass(frozen=True, kw_only=True)
class Scored:
    """N answered examinations with their truth, beside all that were asked."""

    codes: tuple[str, ...]
    case_ids: tuple[str, ...]  # N
    probabilities: NDArray[np.float64]  # (N, K)
    truth: NDArray[np.int64]  # (N,) index into the codes; K for a diagnosis that is none of them
    is_malignant: NDArray[np.bool_]  # (N,) by its truth
    in_set: NDArray[np.bool_]  # (N,) whether the prediction set held the truth; all False where there are no sets
    malignant: NDArray[np.bool_]  # (K,) which diagnoses are
    thresholds: NDArray[np.float64]  # (K,) operating points of the diagnoses
    malignant_threshold: float | None  # on their summed probability
    has_sets: bool
    asked_cases: tuple[str, ...]  # M, the case of every examination that was asked, answered or not
    unanswered: NDArray[np.bool_]  # (M,)

    def __len__(self) -> int:
        return len(self.case_ids)


def estimates_of(scored: Scored, *, seed: str) -> dict[str, Estimate]:
    """Return every figure under its name; a sensitivity under ``sensitivity/CODE``.

    Args:
        scored: the cases.
        seed: from which chance is drawn where something is resampled, such as the hash of the plan.
    """
    from cutis.stats.proportions import estimate_share

    found = {name: figure(scored, seed) for name, figure in ANSWERED.items()} if len(scored) else {}
    for kind, code in enumerate(scored.codes if len(scored) else ()):
        flagged = scored.probabilities[:, kind] >= scored.thresholds[kind]
        found[f"sensitivity/{code}"] = _share(scored, flagged, scored.truth == kind, f"with {code}")
    if scored.asked_cases:
        asked = _grouped(scored.asked_cases)
        found["unanswered"] = estimate_share(scored.unanswered, asked)
    return found


def _grouped(case_ids: tuple[str, ...], truth: NDArray[np.int64] | None = None, *, diagnoses: int = 1) -> Clusters:
    from cutis.stats.resampling import clusters_of

    return clusters_of(case_ids, truth, kind=UNIT, diagnoses=diagnoses)


def _share(
    scored: Scored, right: NDArray[np.bool_], among: NDArray[np.bool_] | None = None, of_whom: str = ""
) -> Estimate:
    from cutis.stats.proportions import estimate_share

    return estimate_share(right, _grouped(scored.case_ids), among=among, of_whom=of_whom)


def _none(scored: Scored, why: str) -> Estimate:
    lesions = len(set(scored.case_ids))
    return Estimate(value=None, low=None, high=None, method="none", clusters=lesions, cluster_kind=UNIT, note=why)


def _malignant_sensitivity(scored: Scored, _: str) -> Estimate:
    flagged = _flagged(scored)
    if flagged is None:
        return _none(scored, NO_POINT)
    return _share(scored, flagged, scored.is_malignant, "with a malignant truth")


def _malignant_specificity(scored: Scored, _: str) -> Estimate:
    flagged = _flagged(scored)
    if flagged is None:
        return _none(scored, NO_POINT)
    return _share(scored, ~flagged, ~scored.is_malignant, "without a malignant truth")


def _flagged(scored: Scored) -> NDArray[np.bool_] | None:
    if scored.malignant_threshold is None:
        return None
    summed: NDArray[np.float64] = scored.probabilities[:, scored.malignant].sum(axis=1)
    return np.asarray(summed >= scored.malignant_threshold)


def _right(scored: Scored) -> NDArray[np.bool_]:
    return np.asarray(scored.probabilities.argmax(axis=1) == scored.truth)


def _accuracy(scored: Scored, _: str) -> Estimate:
    return _share(scored, _right(scored))


def _top_3(scored: Scored, _: str) -> Estimate:
    first = np.argsort(-scored.probabilities, axis=1, kind="stable")[:, :FIRST]
    return _share(scored, np.asarray((first == scored.truth[:, None]).any(axis=1)))


def _coverage(scored: Scored, _: str) -> Estimate:
    if not scored.has_sets:
        return _none(scored, "the release gives no prediction sets")
    return _share(scored, scored.in_set)


def _balanced_accuracy(scored: Scored, seed: str) -> Estimate:
    """Return the mean sensitivity of the most probable diagnosis, over the diagnoses that the truth holds."""
    from cutis.stats.metrics import Measure
    from cutis.stats.weights import one_hot, ratio

    right = _right(scored)
    known = [kind for kind in range(len(scored.codes)) if (scored.truth == kind).any()]
    if not known:
        return _none(scored, "no truth is a diagnosis of the release")
    has = one_hot(scored.truth, len(scored.codes) + 1)[:, known]

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        return {Measure(None, "balanced_accuracy"): ratio(weights @ (has * right[:, None]), weights @ has).mean(axis=1)}

    return _resampled(scored, figures, seed)


def _calibration_error(scored: Scored, seed: str) -> Estimate:
    """Return the expected error of the most probable diagnosis's probability."""
    from cutis.stats.calibration import BINS
    from cutis.stats.metrics import Measure
    from cutis.stats.reliability import calibration_errors

    right, sure, of_case = _right(scored), scored.probabilities.max(axis=1), _grouped(scored.case_ids).of_case
    bins = max(1, min(BINS, len(scored) // FEWEST_IN_A_BIN))

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        errors = calibration_errors(sure, right, of_case=of_case, weights=weights, bins=bins)
        return {Measure(None, "expected_calibration_error"): errors.expected}

    return _resampled(scored, figures, seed)


def _resampled(scored: Scored, figures: Figures, seed: str) -> Estimate:
    from cutis.stats.intervals import ROUNDS, bootstrap, with_width

    clusters = _grouped(scored.case_ids, scored.truth, diagnoses=len(scored.codes) + 1)
    generator = chance("acceptance", seed)
    (estimate,) = bootstrap(figures, clusters, rounds=ROUNDS, generator=generator).values()
    return with_width(estimate, is_share=False)


Figure = Callable[[Scored, str], Estimate]
ANSWERED: Mapping[str, Figure] = {
    "malignant_sensitivity": _malignant_sensitivity,
    "malignant_specificity": _malignant_specificity,
    "accuracy": _accuracy,
    "top_3_accuracy": _top_3,
    "balanced_accuracy": _balanced_accuracy,
    "coverage": _coverage,
    "expected_calibration_error": _calibration_error,
}
