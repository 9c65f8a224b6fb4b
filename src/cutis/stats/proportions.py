"""Intervals of shares by formula: Wilson's, and Wilson's where cases of one cluster agree more than others do.

Cases of one patient say less than as many cases of different patients. How much less is the design effect: the
variance of the share by clusters, that of a ratio of two sums, over its variance if all cases were independent. The
cases over the design effect are the effective trials, and Wilson's interval is made for so many (Rao and Scott,
Biometrics 48:577, 1992; Saha, Miller and Wang, International Journal of Biostatistics 12(2), 2016; recommended among
its like by Franco, Little, Louis and Slud, Journal of Survey Statistics and Methodology 7:334, 2019).

Three rules for few clusters. The variance is itself estimated from C clusters, so Student's t with C − 1 degrees of
freedom stands for the normal quantile (as in Korn and Graubard, Survey Methodology 24:193, 1998). The effective trials
are never more than the cases: that clusters should differ less than chance is chance. Where all cases are alike
nothing is seen of the design effect, and each cluster is taken to speak with one voice: the effective trials are then
(Σ n)² / Σ n², for clusters of n cases (Kish, Survey Sampling, 1965).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import AMONG_THE_FIRST, ARGMAX, Measure
from cutis.stats.resampling import LEVEL, Clusters, clusters_in
from cutis.stats.scores import named_before
from cutis.stats.support import BY_FORMULA, SUCH_AN_ANSWER, Question, caution, questions_of
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions


class Interval(NamedTuple):
    """The two ends."""

    low: float
    high: float


def wilson(successes: float, trials: float, *, level: float = LEVEL) -> Interval:
    """Return the score interval of a share (Wilson, Journal of the American Statistical Association 22:209, 1927)."""
    return score_interval(successes / trials, trials, NormalDist().inv_cdf((1 + level) / 2))


def score_interval(share: float, trials: float, quantile: float) -> Interval:
    """Return Wilson's interval for a quantile of any distribution."""
    middle = share + quantile**2 / (2 * trials)
    half = quantile * math.sqrt(share * (1 - share) / trials + quantile**2 / (4 * trials**2))
    scale = 1 + quantile**2 / trials
    # The share lies within; said again, since rounding may push an end past it, or past 0 and 1.
    return Interval(max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale)))


def clustered_wilson(
    successes: NDArray[np.float64], trials: NDArray[np.float64], *, level: float = LEVEL
) -> Interval | None:
    """Return Wilson's interval of the share Σ successes (C,) / Σ trials (C,) of clusters, by the rules at the top.

    Every cluster has a trial. None where there is only one cluster: nothing is known of how clusters differ.
    """
    from scipy.stats import t as student

    if len(trials) < 2:  # noqa: PLR2004  two are needed to differ
        return None
    share = successes.sum() / trials.sum()
    quantile = student.ppf((1 + level) / 2, len(trials) - 1)
    return score_interval(float(share), effective_trials(successes, trials), float(quantile))


def effective_trials(successes: NDArray[np.float64], trials: NDArray[np.float64]) -> float:
    """Return how many independent trials the trials of at least two clusters (C,) are worth."""
    total, clusters = trials.sum(), len(trials)
    share = successes.sum() / total
    if share in {0, 1}:
        return float(total**2 / np.square(trials).sum())
    variance = clusters / (clusters - 1) * np.square(successes - share * trials).sum() / total**2
    independent = share * (1 - share)  # the variance of one trial
    return float(total if variance * total <= independent else independent / variance)


def estimate_share(
    right: NDArray[np.bool_],
    clusters: Clusters,
    *,
    among: NDArray[np.bool_] | None = None,
    of_whom: str = "",
    level: float = LEVEL,
) -> Estimate:
    """Return the share of right answers with Wilson's interval: the plain one only where each cluster has one case.

    Args:
        right: (N,) of all cases.
        clusters: which of the N cases belong together.
        among: (N,) the cases that it is a share of, such as those with a diagnosis for a sensitivity; else all.
        of_whom: what is said of them, such as "with MEL".
        level: of the interval.
    """
    counted = np.ones(len(right), dtype=np.bool_) if among is None else among
    _, of_case, trials = np.unique(clusters.of_case[counted], return_inverse=True, return_counts=True)
    successes = np.bincount(of_case, weights=right[counted], minlength=len(trials)).astype(np.float64)
    cases, unit = int(trials.sum()), clusters.kind
    share, ends = None, None
    if cases:
        share = float(successes.sum()) / cases
        ends = _ends(successes, trials.astype(np.float64), level=level)
    return Estimate(
        value=share,
        low=None if ends is None else ends.low,
        high=None if ends is None else ends.high,
        level=level,
        method=f"Wilson, one case per {unit}" if len(trials) == cases else f"Wilson, clustered by {unit}",
        clusters=len(trials),
        cluster_kind=unit,
        note=caution({f"{unit}s {of_whom}".strip(): len(trials)}, BY_FORMULA["share"], value=share),
    )


def estimate_shares(
    predictions: Predictions,
    *,
    thresholds: NDArray[np.float64],
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Return every share of `cutis.stats.metrics.measures` with its interval by `estimate_share`, under its name.

    Args:
        predictions: with truth.
        thresholds: (K,) operating points for the one-vs-rest convention.
        malignant: (K,) which diagnoses are; without it nothing is said of *malignant or not*.
        malignant_threshold: for *malignant or not* under one-vs-rest; without it not answered.
        level: of the intervals.

    Raises:
        ValueError: the predictions have no truth.
    """
    clusters, truth = clusters_in(predictions), predictions.truth
    questions = questions_of(
        predictions, thresholds=thresholds, malignant=malignant, malignant_threshold=malignant_threshold
    )
    assert truth is not None
    right = predictions.probabilities.argmax(axis=1) == truth
    found = {Measure(ARGMAX, "accuracy"): estimate_share(right, clusters, level=level)}
    before = named_before(predictions.probabilities, truth)
    for first in AMONG_THE_FIRST:
        if first < len(predictions.codes):
            found[Measure(None, f"top_{first}_accuracy")] = estimate_share(before < first, clusters, level=level)
    for question in questions:
        for what, (answers, among, of_whom) in _shares_of(question).items():
            share = estimate_share(answers, clusters, among=among, of_whom=of_whom, level=level)
            found[question.measure(what)] = share
    return {str(measure): share for measure, share in found.items()}


def _shares_of(question: Question) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_] | None, str]]:
    """Return what is right, among which cases, and what is said of them."""
    flagged, has = question.flagged, question.has
    having, lacking = question.sides
    shares: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_] | None, str]] = {
        "sensitivity": (flagged, has, having),
        "specificity": (~flagged, ~has, lacking),
        "ppv": (has, flagged, SUCH_AN_ANSWER),
        "npv": (~has, ~flagged, SUCH_AN_ANSWER),
        "accuracy": (flagged == has, None, ""),
    }
    return shares


def _ends(successes: NDArray[np.float64], trials: NDArray[np.float64], *, level: float) -> Interval | None:
    if len(trials) == trials.sum():
        return wilson(float(successes.sum()), float(trials.sum()), level=level)
    return clustered_wilson(successes, trials, level=level)
