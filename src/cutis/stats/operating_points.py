"""From which probability on the answer is yes: rules that have a name, chosen before the test is opened.

A rule takes the probabilities (N,) that answer one question, *this diagnosis or another* or *malignant or not*, and who
has it (N,). It answers a threshold, yes at or above it, laid halfway between the lowest probability that is a yes and
the highest that is a no. What a rule reaches on the cases that it was chosen on, it need not reach on others: the test
says what it reaches there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import RocCurve, roc_curve
from cutis.vocabulary.errors import UserError

Rule = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]

FORMS = ("youden", "sensitivity>=0.95", "specificity>=0.9", "cost=10", "cost=10@0.02")
EQUAL = 1e-12  # shares that lie closer are the same share, differently rounded


def youden(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the threshold with the highest sensitivity + specificity − 1 (Youden, Cancer 3:32, 1950).

    Among equals the lowest threshold is taken, the most sensitive.

    Raises:
        ValueError: nobody has it, or everybody.
    """
    curve = _curve(scores, positive)
    return _threshold(scores, curve, _best(curve.sensitivity - curve.false_positive_rate)[-1])


def sensitivity_at_least(least: float) -> Rule:
    """Return the rule that takes the highest specificity among all thresholds of at least this sensitivity.

    Among equals the most sensitive is taken.
    """

    def rule(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
        curve = _curve(scores, positive)
        reached = curve.sensitivity >= least - EQUAL
        return _threshold(scores, curve, _best(np.where(reached, -curve.false_positive_rate, -np.inf))[-1])

    return rule


def specificity_at_least(least: float) -> Rule:
    """Return the rule that takes the highest sensitivity among all thresholds of at least this specificity.

    Among equals the most specific is taken.
    """

    def rule(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
        curve = _curve(scores, positive)
        reached = 1 - curve.false_positive_rate >= least - EQUAL
        return _threshold(scores, curve, _best(np.where(reached, curve.sensitivity, -np.inf))[0])

    return rule


def cheapest(missed: float, *, prevalence: float | None = None) -> Rule:
    """Return the rule that takes the lowest expected cost (Metz, Seminars in Nuclear Medicine 8:283, 1978).

    The cost is missed · prevalence · (1 − sensitivity) + (1 − prevalence) · (1 − specificity). Among equals the most
    sensitive is taken.

    Args:
        missed: how many false alarms are as bad as one case missed.
        prevalence: where the answers will be used; without it, that of the cases at hand.
    """

    def rule(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
        curve = _curve(scores, positive)
        share = float(positive.mean()) if prevalence is None else prevalence
        cost = missed * share * (1 - curve.sensitivity) + (1 - share) * curve.false_positive_rate
        return _threshold(scores, curve, _best(-cost)[-1])

    return rule


def rule_of(text: str, *, where: str = "the rule for thresholds") -> Rule:
    """Return the rule that a text names: one of `FORMS`, with another number.

    Raises:
        UserError: no such rule, or its number is none or outside of what it can be.
    """
    said = "".join(text.lower().split()).replace("≥", ">=")
    name = next((name for name in RULES if said.startswith(name)), "")
    try:
        return RULES[name](said.removeprefix(name))
    except (KeyError, ValueError) as error:
        mend = f"say one like: {', '.join(FORMS)}"
        raise UserError(f"unknown rule for thresholds: {text!r}", where=where, mend=mend) from error


def _youden_of(asked: str) -> Rule:
    if asked:
        raise ValueError("Youden's rule takes no number")
    return youden


def _cost_of(asked: str) -> Rule:
    missed, at, prevalence = asked.partition("@")
    if not 0 < float(missed) < math.inf or (at and not 0 < float(prevalence) < 1):
        raise ValueError("a cost lies above 0, a prevalence between 0 and 1")
    return cheapest(float(missed), prevalence=float(prevalence) if at else None)


def _share(asked: str) -> float:
    share = float(asked)
    if not 0 < share <= 1:
        raise ValueError("a share lies above 0 and is at most 1")
    return share


RULES: dict[str, Callable[[str], Rule]] = {
    "youden": _youden_of,
    "sensitivity>=": lambda asked: sensitivity_at_least(_share(asked)),
    "specificity>=": lambda asked: specificity_at_least(_share(asked)),
    "cost=": _cost_of,
}


def _curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> RocCurve:
    if positive.all() or not positive.any():
        raise ValueError("a threshold needs cases with and without the diagnosis")
    return roc_curve(scores, positive)


def _best(gain: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the operating points of the highest gain, from the most specific to the most sensitive."""
    return np.flatnonzero(gain >= gain.max() - EQUAL)


def _threshold(scores: NDArray[np.float64], curve: RocCurve, chosen: np.int64) -> float:
    """Lay the threshold halfway to the next score beneath; nobody is flagged above the highest one."""
    beneath = scores[scores < curve.thresholds[chosen]].max(initial=0.0)
    lowest_yes = min(curve.thresholds[chosen], max(1.0, np.nextafter(beneath, np.inf)))
    halfway = (lowest_yes + beneath) / 2
    return float(halfway if halfway > beneath else lowest_yes)
