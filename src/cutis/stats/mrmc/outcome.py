"""A difference with its interval, its tests, and what it was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cutis.stats.hypotheses import Hypothesis, Verdict, judge
from cutis.stats.mrmc.contrasts import Contrast
from cutis.stats.mrmc.study import Asked
from cutis.stats.paired_areas import wald
from cutis.vocabulary.estimate import Estimate

OneSided = Callable[[float, int], float]  # bound, sign → p that sign · difference is no larger than the bound


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A difference, the first less the second."""

    difference: Estimate
    standard_error: float | None
    statistic: float | None  # difference / standard error
    degrees_of_freedom: float | None  # None: the normal distribution
    p: float | None  # two-sided, that there is no difference
    verdict: Verdict


def outcome_of(contrast: Contrast, asked: Asked, *, method: str, units: int, note: str = "") -> Outcome:
    """Return a difference with interval, p and verdict; none of them where its standard error is 0 or unknown."""
    freedom = float(contrast.degrees_of_freedom)
    estimate = estimate_of(contrast, asked, method=method, units=units, note=note)
    has_test = estimate.low is not None

    def one_sided(bound: float, sign: int) -> float:
        return float(contrast.above(bound, sign=sign))

    return Outcome(
        difference=estimate,
        standard_error=_known(float(contrast.standard_error)),
        statistic=float(contrast.statistic) if has_test else None,
        degrees_of_freedom=freedom if math.isfinite(freedom) else None,
        p=float(contrast.p) if has_test else None,
        verdict=judged(estimate, asked, one_sided),
    )


def estimate_of(contrast: Contrast, asked: Asked, *, method: str, units: int, note: str = "") -> Estimate:
    """Return a figure with its interval: value ± Student's quantile · standard error."""
    found = wald(
        float(contrast.difference),
        float(contrast.standard_error),
        degrees_of_freedom=float(contrast.degrees_of_freedom),
        level=asked.interval_level,
        method=method,
        clusters=units,
        cluster_kind=asked.unit,
    )
    return replace(found, note="; ".join(filter(None, (note, found.note))))


def figure_of(contrast: Contrast, asked: Asked, *, method: str, units: int) -> Estimate:
    """Return a share or an area with its interval, which is cut off at 0 and 1."""
    found = estimate_of(contrast, asked, method=method, units=units)
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def judged(difference: Estimate, asked: Asked, one_sided: OneSided) -> Verdict:
    """Hold a difference against what was asked, with the p of its own distribution."""
    verdict = judge(difference, hypothesis=asked.hypothesis, margin=asked.margin, level=asked.level)
    if difference.low is None or verdict.outcome == "not_testable":
        return verdict
    return replace(verdict, p=P_OF[asked.hypothesis](asked.margin, one_sided))


P_OF: dict[Hypothesis, Callable[[float, OneSided], float]] = {
    "superiority": lambda margin, one_sided: one_sided(margin, 1),
    "non-inferiority": lambda margin, one_sided: one_sided(-margin, 1),
    "equivalence": lambda margin, one_sided: max(one_sided(-margin, 1), one_sided(-margin, -1)),
}


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
