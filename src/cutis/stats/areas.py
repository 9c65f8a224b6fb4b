"""Areas under ROC curves with their variance by formula, for cases of one cluster too.

The empirical area is a mean over pairs of a positive and a negative case, and its variance a sum over what each case
has won or lost against all cases of the other side: DeLong, DeLong and Clarke-Pearson (Biometrics 44:837, 1988), here
from ranks in O(N log N) (Sun and Xu, IEEE Signal Processing Letters 21:1389, 2014). Where a cluster has several cases,
what they have won is summed by cluster first, and clusters that have both sides add a covariance: Obuchowski
(Biometrics 53:567, 1997). With one case per cluster her sums are DeLong's, factor by factor.

The interval is made on the logit of the area and turned back, so that it stays within 0 and 1 and leans away from the
end that it is near: with few clusters, or an area from .9 on, the plain one, area ± quantile · standard error, covers
too seldom, by up to eight points in our simulation (`benchmarks/coverage.py`). Student's t stands for the normal
quantile, with Satterthwaite's degrees of freedom for the sum of what the two sides vary (as in Brunner and Munzel,
Biometrical Journal 42:17, 2000), counted in clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutis.stats.resampling import LEVEL, Clusters, clusters_in
from cutis.stats.support import BY_FORMULA, MALIGNANT, NO_WIDTH, caution, joined, sides_of
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

SCALES = ("logit", "plain")


@dataclass(frozen=True, kw_only=True)
class AreasUnder:
    """The areas of M raters on the same cases, and how they vary together; NaN where it cannot be computed."""

    values: NDArray[np.float64]  # (M,)
    among_positive: NDArray[np.float64]  # (M, M) covariance from the positive cases
    among_negative: NDArray[np.float64]  # (M, M) from the negative ones
    shared: NDArray[np.float64]  # (M, M) from clusters that have both
    positive_cases: int
    negative_cases: int
    positive_clusters: int  # with a positive case
    negative_clusters: int  # with a negative case
    clusters: int

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Of the areas (M, M)."""
        return self.among_positive + self.among_negative + self.shared

    def variance(self, contrast: NDArray[np.float64]) -> float:
        """Return the variance of a sum of the areas, weighted by `contrast` (M,)."""
        return float(contrast @ self.covariance @ contrast)

    def degrees_of_freedom(self, contrast: NDArray[np.float64]) -> float:
        """Return Satterthwaite's degrees of freedom of that variance; NaN where there is none."""
        positive, negative = (float(contrast @ part @ contrast) for part in (self.among_positive, self.among_negative))
        if not positive + negative > 0:
            return math.nan
        doubt = positive**2 / (self.positive_clusters - 1) + negative**2 / (self.negative_clusters - 1)
        return (positive + negative) ** 2 / doubt


def areas_under(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], of_case: NDArray[np.int64] | None = None
) -> AreasUnder:
    """Return the areas of scores (M, N) with their covariance: Obuchowski's by cluster, DeLong's without.

    Args:
        scores: of M raters, the higher the more positive; ties count one half.
        positive: (N,) the truth of any question of yes or no.
        of_case: (N,) the index of each case's cluster, 0 to C − 1; if not given, each case is its own.
    """
    of_case = np.arange(len(positive)) if of_case is None else of_case
    sides = positive, ~positive
    cases = [int(side.sum()) for side in sides]
    having = [len(np.unique(of_case[side])) for side in sides]
    clusters = len(np.unique(of_case))
    values = np.full(len(scores), np.nan)
    sums = np.full((2, len(scores), int(of_case.max(initial=0)) + 1), np.nan)
    for rater, score in enumerate(scores if min(cases) else ()):
        wins = won(score, positive)
        values[rater] = wins[positive].mean()
        for side, by_cluster, count in zip(sides, sums, cases, strict=True):
            apart = (wins[side] - values[rater]) / count
            by_cluster[rater] = np.bincount(of_case[side], weights=apart, minlength=sums.shape[2])
    both = sums[0] @ sums[1].T
    return AreasUnder(
        values=values,
        among_positive=_unbiased(having[0]) * (sums[0] @ sums[0].T),
        among_negative=_unbiased(having[1]) * (sums[1] @ sums[1].T),
        shared=_unbiased(clusters) * (both + both.T),
        positive_cases=cases[0],
        negative_cases=cases[1],
        positive_clusters=having[0],
        negative_clusters=having[1],
        clusters=clusters,
    )


def won(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share (N,) of pairs with the other side that each case is on the right side of, ties one half."""
    shares = np.empty(len(scores))
    ordered = [np.sort(scores[side]) for side in (positive, ~positive)]
    for side, others in ((positive, ordered[1]), (~positive, ordered[0])):
        beneath = np.searchsorted(others, scores[side], "left") + np.searchsorted(others, scores[side], "right")
        shares[side] = beneath / 2 / max(len(others), 1)
    return np.where(positive, shares, 1 - shares)


def estimate_area(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    clusters: Clusters,
    *,
    of_whom: tuple[str, str] = ("with it", "without it"),
    scale: str = "logit",
    level: float = LEVEL,
) -> Estimate:
    """Return the area of scores (N,) with its interval: DeLong's only where each cluster has one case.

    Args:
        scores: the higher the more positive.
        positive: (N,) the truth.
        clusters: which of the N cases belong together.
        of_whom: what is said of the clusters with positive and with negative cases, such as "with MEL".
        scale: "logit", or "plain" for area ± quantile · standard error, cut off at 0 and 1.
        level: of the interval.

    Raises:
        ValueError: an unknown scale.
    """
    if scale not in SCALES:
        raise ValueError(f"the scale {scale!r} is none of {', '.join(SCALES)}")
    found = areas_under(scores[None], positive, clusters.of_case)
    value, unit = float(found.values[0]), clusters.kind
    ends = _ends(found, scale=scale, level=level)
    counts = {f"{unit}s {of_whom[0]}": found.positive_clusters, f"{unit}s {of_whom[1]}": found.negative_clusters}
    apart = found.clusters == len(positive)
    formula = f"DeLong, one case per {unit}" if apart else f"Obuchowski, clustered by {unit}"
    undoubted = "" if ends or math.isnan(value) or min(counts.values()) == 1 else "all clusters say the same"
    return Estimate(
        value=None if math.isnan(value) else value,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        level=level,
        method=f"{formula}, {scale}",
        clusters=found.clusters,
        cluster_kind=unit,
        note=joined(undoubted, caution(counts, BY_FORMULA["area"], value=value)),
    )


def estimate_areas(
    predictions: Predictions,
    *,
    malignant: NDArray[np.bool_] | None = None,
    scale: str = "logit",
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Return the area of each diagnosis against the rest by `estimate_area`, under names such as ``auc/MEL``.

    Args:
        predictions: with truth.
        malignant: (K,) which diagnoses are; their summed probability then gives ``malignant_auc``.
        scale: as of `estimate_area`.
        level: of the intervals.

    Raises:
        ValueError: the predictions have no truth, or an unknown scale.
    """
    truth, chances, codes = predictions.truth, predictions.probabilities, predictions.codes
    if truth is None:
        raise ValueError("areas need a truth")
    asked: dict[str, tuple[str | None, NDArray[np.float64], NDArray[np.bool_]]] = {
        f"auc/{code}": (code, chances[:, kind], truth == kind) for kind, code in enumerate(codes)
    }
    if malignant is not None:
        asked[f"{MALIGNANT}auc"] = None, chances[:, malignant].sum(axis=1), malignant[truth]
    clusters = clusters_in(predictions)
    return {
        name: estimate_area(scores, has, clusters, of_whom=sides_of(diagnosis), scale=scale, level=level)
        for name, (diagnosis, scores, has) in asked.items()
    }


def _ends(found: AreasUnder, *, scale: str, level: float) -> tuple[float, float] | None:
    """Return the interval of the first area; None where its variance is 0 or not known."""
    from scipy.stats import t as student

    area, alone = float(found.values[0]), np.eye(len(found.values))[0]
    variance = found.variance(alone)
    if not variance > NO_WIDTH**2:
        return None
    half = float(student.ppf((1 + level) / 2, found.degrees_of_freedom(alone))) * math.sqrt(variance)
    if scale == "plain":
        return max(0.0, area - half), min(1.0, area + half)
    middle, half = math.log(area / (1 - area)), half / (area * (1 - area))
    return 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle))


def _unbiased(clusters: int) -> float:
    """Return what makes a sum of squares over so many clusters unbiased; NaN where one alone shows no spread."""
    return clusters / (clusters - 1) if clusters > 1 else math.nan
