"""Whether probabilities keep their word: of what was said with probability p, a share p should be so.

An event is one question with a probability (N,) and an answer (N,): *this diagnosis or another*, *malignant or not*, or
*the most probable diagnosis is the right one*. Bins hold equally many cases, by rising probability, and stay as they
are through all rounds of a bootstrap. `weights` is (R, N); within a cluster all cases weigh alike, as resampling
clusters makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.calibration import BINS, equal_bins
from cutis.stats.metrics import Measure, Weights

STEPS = 100  # of Newton's method; far fewer are enough where there is an answer
SETTLED = 1e-6  # in log-odds: what is left after such a step is its square
FLAT = 1e-12  # a curvature that is all rounding


class Reliability(NamedTuple):
    """One event in B bins of equally many cases."""

    bin_of_case: NDArray[np.int64]  # (N,)
    predicted: NDArray[np.float64]  # (B,) mean probability
    observed: NDArray[np.float64]  # (B,) share of cases with the event
    cases: NDArray[np.int64]  # (B,)
    clusters: NDArray[np.int64]  # (B,)


class Errors(NamedTuple):
    """How far an event's probabilities lie from its shares, over the bins."""

    expected: NDArray[np.float64]  # (R,) mean distance; chance alone makes it larger than 0
    debiased: NDArray[np.float64]  # (R,) root mean square distance without what chance alone makes


class LogisticFit(NamedTuple):
    """What turns log-odds into the truth: logit P = intercept + slope · logit p."""

    slope: NDArray[np.float64]  # (R,) 1 where all is well; less where it is too sure of itself
    intercept: NDArray[np.float64]  # (R,) beside that slope
    in_the_large: NDArray[np.float64]  # (R,) the intercept beside a slope of 1; above 0 where it says too little


def reliability(
    probabilities: NDArray[np.float64], positive: NDArray[np.bool_], *, of_case: NDArray[np.int64], bins: int = BINS
) -> Reliability:
    """Return the reliability of an event; `observed_shares` resamples what was observed.

    Args:
        probabilities: (N,) of the event.
        positive: (N,) whether it is so.
        of_case: (N,) index of the patient or lesion.
        bins: at most so many; fewer where there are fewer cases.
    """
    bin_of_case = _bins_of(probabilities, bins)
    cases = np.bincount(bin_of_case)
    return Reliability(
        bin_of_case=bin_of_case,
        predicted=np.bincount(bin_of_case, probabilities) / cases,
        observed=np.bincount(bin_of_case, positive) / cases,
        cases=cases,
        clusters=np.array([len(np.unique(of_case[bin_of_case == each])) for each in range(len(cases))]),
    )


def calibration_errors(
    probabilities: NDArray[np.float64],
    positive: NDArray[np.bool_],
    *,
    of_case: NDArray[np.int64],
    weights: Weights,
    bins: int = BINS,
) -> Errors:
    """Return the expected calibration error of an event, plain and debiased.

    The plain one is the mean distance over bins (Nixon et al., CVPR workshops 2019). The debiased one takes from each
    bin's squared distance the variance of that distance, and the root of the mean; 0 where nothing is left. With one
    case per cluster and one probability per bin the variance is y(1 − y)/(n − 1), y the share observed (Bröcker,
    Climate Dynamics 39:655, 2012; Kumar, Liang and Ma, NeurIPS 2019); here it is summed by cluster, since pictures of
    one patient are no independent cases. NaN where a bin has fewer than two clusters.

    Rounds of a bootstrap add the same bias once more, so that percentiles of either lie too high.
    """
    surplus = probabilities - positive
    pieces = _pieces(surplus, _bins_of(probabilities, bins), of_case)
    cases, clusters, total = weights @ pieces.cases, weights @ pieces.clusters, weights @ pieces.surplus
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = total / cases
        spread = weights @ pieces.squares - 2 * distance * (weights @ pieces.crossed)
        spread += distance**2 * (weights @ pieces.sizes)
        variance = spread / cases**2 * clusters / np.where(clusters > 1, clusters - 1, np.nan)
        share = cases / cases.sum(axis=1, keepdims=True)
        left = (share * (distance**2 - variance)).sum(axis=1)
    return Errors(
        expected=np.abs(total).sum(axis=1) / cases.sum(axis=1),
        debiased=np.sqrt(np.maximum(left, 0)),  # NaN stays NaN
    )


def logistic_fit(probabilities: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> LogisticFit:
    """Return calibration slope and intercepts of an event (Cox, Biometrika 45:562, 1958).

    NaN where there is none: nobody has it or everybody, one probability for all, or no probability of a case that has
    it lies beneath that of one that has it not.
    """
    smallest = np.finfo(np.float64).eps
    bounded = np.clip(probabilities, smallest, 1 - smallest)
    log_odds: NDArray[np.float64] = np.log(bounded) - np.log1p(-bounded)
    both = np.column_stack([np.ones(len(log_odds)), log_odds])
    line = _logistic(both, positive, weights, offset=np.zeros(len(log_odds)))
    level = _logistic(both[:, :1], positive, weights, offset=log_odds)
    return LogisticFit(slope=line[:, 1], intercept=line[:, 0], in_the_large=level[:, 0])


def calibration_measures(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    codes: Sequence[str],
    of_case: NDArray[np.int64],
    weights: Weights,
    malignant: NDArray[np.bool_] | None = None,
) -> dict[Measure, NDArray[np.float64]]:
    """Return how well probabilities (N, K) are calibrated: figures (R,) of the answer and of each diagnosis.

    *expected_calibration_error* and *debiased_calibration_error* without a diagnosis are those of the most probable
    diagnosis; *classwise_…* are the means over the diagnoses that the truth contains (Kull et al., NeurIPS 2019);
    *malignant_…* are those of the summed probability of the diagnoses that are `malignant` (K,), where that is given.
    """
    right = probabilities.argmax(axis=1) == truth
    answer = calibration_errors(probabilities.max(axis=1), right, of_case=of_case, weights=weights)
    by_diagnosis = {
        code: event_measures(probabilities[:, kind], truth == kind, of_case=of_case, weights=weights)
        for kind, code in enumerate(codes)
    }
    present = [by_diagnosis[codes[kind]] for kind in np.unique(truth)]
    found = {
        Measure(None, "expected_calibration_error"): answer.expected,
        Measure(None, "debiased_calibration_error"): answer.debiased,
    }
    for what in ("expected_calibration_error", "debiased_calibration_error"):
        found[Measure(None, f"classwise_{what}")] = np.mean([measured[what] for measured in present], axis=0)
    for code, measured in by_diagnosis.items():
        found |= {Measure(None, what, code): figures for what, figures in measured.items()}
    if malignant is not None:
        score, has = probabilities[:, malignant].sum(axis=1), malignant[truth]
        measured = event_measures(score, has, of_case=of_case, weights=weights)
        found |= {Measure(None, f"malignant_{what}"): figures for what, figures in measured.items()}
    return found


def event_measures(
    probabilities: NDArray[np.float64], positive: NDArray[np.bool_], *, of_case: NDArray[np.int64], weights: Weights
) -> dict[str, NDArray[np.float64]]:
    """Return the figures (R,) of one event, such as *malignant or not*, by name."""
    errors = calibration_errors(probabilities, positive, of_case=of_case, weights=weights)
    fit = logistic_fit(probabilities, positive, weights)
    return {
        "expected_calibration_error": errors.expected,
        "debiased_calibration_error": errors.debiased,
        "calibration_slope": fit.slope,
        "calibration_intercept": fit.intercept,
        "calibration_in_the_large": fit.in_the_large,
    }


class _Pieces(NamedTuple):
    """Sums over what a cluster has in a bin, laid on its first case there: (N, B) each, to be weighted and added up."""

    cases: NDArray[np.float64]
    surplus: NDArray[np.float64]
    clusters: NDArray[np.float64]
    squares: NDArray[np.float64]  # of the summed surplus
    crossed: NDArray[np.float64]  # summed surplus × cases
    sizes: NDArray[np.float64]  # cases squared


def _pieces(surplus: NDArray[np.float64], bin_of_case: NDArray[np.int64], of_case: NDArray[np.int64]) -> _Pieces:
    bins = bin_of_case.max() + 1
    _, first, piece_of_case = np.unique(of_case * bins + bin_of_case, return_index=True, return_inverse=True)
    sums, sizes = np.bincount(piece_of_case, surplus), np.bincount(piece_of_case)

    def laid(values: NDArray[np.floating] | NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.float64]:
        matrix = np.zeros((len(surplus), bins))
        matrix[at, bin_of_case[at]] = values
        return matrix

    every = np.arange(len(surplus))
    return _Pieces(
        cases=laid(np.ones(len(surplus)), every),
        surplus=laid(surplus, every),
        clusters=laid(np.ones(len(first)), first),
        squares=laid(sums**2, first),
        crossed=laid(sums * sizes, first),
        sizes=laid(sizes**2, first),
    )


def _bins_of(probabilities: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    bin_of_case = np.empty(len(probabilities), dtype=np.int64)
    for number, members in enumerate(equal_bins(probabilities, bins=bins)):
        bin_of_case[members] = number
    return bin_of_case


def _logistic(
    columns: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights, *, offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coefficients (R, P) of logistic regressions on columns (N, P), by Newton's method in all rounds.

    A step that changes some log-odds by d is shortened to ln(1 + d), which cannot miss the minimum (Sun and Tran-Dinh,
    Mathematical Programming 178:145, 2019). Rounds begin where the fit to their mean ends.
    """
    rounds, width = len(weights), columns.shape[1]
    begin = np.zeros((1, width))
    if rounds > 1:
        begin = np.nan_to_num(_logistic(columns, positive, weights.mean(axis=0, keepdims=True), offset=offset))
    found = np.repeat(begin, rounds, axis=0)
    products = np.einsum("np,nq->npq", columns, columns).reshape(len(columns), -1)
    log_odds = found @ columns.T + offset
    for _ in range(STEPS):
        chance = (1 + np.tanh(log_odds / 2)) / 2  # overflows nowhere
        slope = (weights * (positive - chance)) @ columns
        curvature = ((weights * (chance * (1 - chance))) @ products).reshape(-1, width, width)
        flat = np.linalg.det(curvature) <= FLAT * np.trace(curvature, axis1=1, axis2=2) ** width
        curvature[flat] = np.eye(width)
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        change = step @ columns.T
        furthest = np.abs(change).max(axis=1, keepdims=True)
        shorter = np.log1p(furthest) / np.maximum(furthest, np.finfo(np.float64).tiny)
        found, log_odds = found + shorter * step, log_odds + shorter * change
        if (furthest < SETTLED).all():
            break
    found[flat | (furthest[:, 0] >= SETTLED)] = np.nan
    return found
