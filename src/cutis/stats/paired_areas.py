"""How far the areas under the ROC curves of raters lie apart on the same cases, by their covariance.

The test of DeLong, DeLong and Clarke-Pearson (Biometrics 44:837, 1988); with the covariance of clustered cases, that of
Obuchowski (Biometrics 53:567, 1997). It answers as the bootstrap of `comparisons` does, without drawing anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cutis.stats.areas import areas_under
from cutis.stats.comparisons import require_the_same_cases
from cutis.stats.resampling import LEVEL, clusters_in
from cutis.stats.support import BY_FORMULA, MALIGNANT, caution, joined, sides_of
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

ROUNDING = 1e-12  # of the variances of two areas; a variance of their difference below it is none


@dataclass(frozen=True, kw_only=True)
class AreasCompared:
    """The area of one rater beside that of the reference, on the same cases."""

    difference: Estimate  # other − reference
    standard_error: float | None
    z: float | None  # difference / standard error; t where there are degrees of freedom
    p: float | None  # two-sided, that there is no difference


def compare_aucs(
    reference: Predictions,
    other: Predictions,
    *,
    malignant: NDArray[np.bool_] | None = None,
    level: float = LEVEL,
) -> dict[str, AreasCompared]:
    """Set the area of each diagnosis against the rest beside that of the reference, under names such as ``auc/MEL``.

    Args:
        reference: at least one case, with truth.
        other: another rater on the same cases, in the same order.
        malignant: (K,) which diagnoses are; their summed probability then gives ``malignant_auc``.
        level: of the intervals.

    Raises:
        UserError: cases, truth, clusters or diagnoses of the two are not the same.
        ValueError: the predictions have no truth.
    """
    require_the_same_cases(reference, other)
    truth, clusters = reference.truth, clusters_in(reference)
    if truth is None:
        raise ValueError("areas need a truth")
    scores = np.stack([reference.probabilities, other.probabilities])
    asked: dict[str, tuple[str | None, NDArray[np.float64], NDArray[np.bool_]]] = {
        f"auc/{code}": (code, scores[..., kind], truth == kind) for kind, code in enumerate(reference.codes)
    }
    if malignant is not None:
        asked[f"{MALIGNANT}auc"] = (None, scores[..., malignant].sum(axis=2), malignant[truth])
    compared = {}
    for name, (diagnosis, scored, has) in asked.items():
        found = areas_under(scored, has, clusters.of_case)
        (tested,) = compare_areas(
            found.values,
            found.covariance,
            degrees_of_freedom=np.array([found.degrees_of_freedom(np.array([-1.0, 1.0]))]),
            clusters=found.clusters,
            cluster_kind=clusters.kind,
            level=level,
        )
        having, lacking = (f"{clusters.kind}s {side}" for side in sides_of(diagnosis))
        counts = {having: found.positive_clusters, lacking: found.negative_clusters}
        note = joined(caution(counts, BY_FORMULA["area"]), tested.difference.note)
        compared[name] = replace(tested, difference=replace(tested.difference, note=note))
    return compared


def compare_areas(
    areas: NDArray[np.float64],
    covariance: NDArray[np.float64],
    *,
    degrees_of_freedom: NDArray[np.float64] | None = None,
    clusters: int,
    cluster_kind: str,
    level: float = LEVEL,
) -> tuple[AreasCompared, ...]:
    """Set the areas of several raters beside that of the first.

    Where two areas do not vary against each other, as those of a rater and a copy, there is no test and no interval.

    Args:
        areas: (M,) of the raters on the same cases, the reference first; NaN where one cannot be computed.
        covariance: (M, M) of the areas.
        degrees_of_freedom: (M − 1,) of each variance of a difference, for Student's t; without it the normal z-test.
        clusters: how many clusters they rest on.
        cluster_kind: of what, such as "patient".
        level: of the intervals.

    Returns:
        One for each rater but the first.

    Raises:
        ValueError: the shapes do not fit.
    """
    if covariance.shape != (len(areas), len(areas)):
        raise ValueError(f"covariance of shape {covariance.shape} for {len(areas)} areas")
    variances = np.diag(covariance)
    both = variances[0] + variances[1:]
    apart = both - covariance[0, 1:] - covariance[1:, 0]
    errors = np.sqrt(np.where(apart <= ROUNDING * both, 0.0, apart))
    freedom = np.full(len(errors), np.inf) if degrees_of_freedom is None else degrees_of_freedom
    return tuple(
        _tested(
            wald(
                value,
                error,
                degrees_of_freedom=free,
                level=level,
                method=f"paired DeLong, by {cluster_kind}",
                clusters=clusters,
                cluster_kind=cluster_kind,
            ),
            error,
            free,
        )
        for value, error, free in zip((areas[1:] - areas[0]).tolist(), errors.tolist(), freedom.tolist(), strict=True)
    )


def wald(
    value: float,
    standard_error: float,
    *,
    degrees_of_freedom: float = math.inf,
    level: float = LEVEL,
    method: str,
    clusters: int,
    cluster_kind: str,
) -> Estimate:
    """Return a figure with the interval value ± quantile · standard error; none where that error is 0 or NaN.

    The quantile is Student's, with infinite degrees of freedom the normal one.
    """
    from scipy.stats import t as student

    known = not math.isnan(value)
    half = float(student.ppf((1 + level) / 2, degrees_of_freedom)) * standard_error
    doubt = "its standard error is 0" if standard_error == 0 else "it has no standard error"
    has_interval = known and half > 0
    return Estimate(
        value=value if known else None,
        low=value - half if has_interval else None,
        high=value + half if has_interval else None,
        level=level,
        method=method,
        clusters=clusters,
        cluster_kind=cluster_kind,
        note="" if has_interval else doubt if known else "it cannot be computed",
    )


def _tested(difference: Estimate, standard_error: float, degrees_of_freedom: float) -> AreasCompared:
    from scipy.stats import t as student

    if difference.value is None or difference.low is None:
        return AreasCompared(difference=difference, standard_error=None, z=None, p=None)
    z = difference.value / standard_error
    p = 2 * float(student.sf(abs(z), degrees_of_freedom))
    return AreasCompared(difference=difference, standard_error=standard_error, z=z, p=p)
