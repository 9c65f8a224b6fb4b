"""What answers are worth where they are used: net benefit, predictive values and probabilities at stated prevalences.

All of it assumes that a disease looks the same elsewhere and only its frequency differs. `weights` is (R, N).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import Weights


class DecisionCurve(NamedTuple):
    """Net benefit at T threshold probabilities, in true positives per person; treating nobody has 0."""

    thresholds: NDArray[np.float64]  # (T,)
    by_network: NDArray[np.float64]  # (R, T) treating whom it gives at least the threshold probability
    treat_all: NDArray[np.float64]  # (R, T)


class PredictiveValues(NamedTuple):
    """What an answer means for the person who gets it; NaN where nobody gets it."""

    positive: NDArray[np.float64]  # share with the disease among those flagged
    negative: NDArray[np.float64]  # share without it among the others


def decision_curve(
    probabilities: NDArray[np.float64],
    positive: NDArray[np.bool_],
    *,
    thresholds: NDArray[np.float64],
    weights: Weights,
    prevalence: float | None = None,
) -> DecisionCurve:
    """Return the net benefit of treating by a probability (Vickers and Elkin, Medical Decision Making 26:565, 2006).

    At threshold probability t it is π · sensitivity − (1 − π) · (1 − specificity) · t / (1 − t): whoever treats from t
    on takes t / (1 − t) false alarms to be as bad as one case found is good.

    Args:
        probabilities: (N,) of malignancy, or of one diagnosis against the rest. At a stated prevalence they should be
            those for it: `at_prevalence` makes them.
        positive: (N,) who has it.
        thresholds: (T,) each above 0 and below 1.
        weights: (R, N) of the cases.
        prevalence: π; without it, that of each round.

    Raises:
        ValueError: a threshold of 0 or 1, or outside.
    """
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ValueError("threshold probabilities lie between 0 and 1")
    flagged = probabilities[:, None] >= thresholds
    ill, well = weights @ positive, weights @ ~positive
    share = ill / (ill + well) if prevalence is None else np.full(len(weights), prevalence)
    with np.errstate(invalid="ignore"):
        sensitivity = weights @ (flagged & positive[:, None]) / ill[:, None]
        false_alarms = weights @ (flagged & ~positive[:, None]) / well[:, None]
    price = thresholds / (1 - thresholds)
    return DecisionCurve(
        thresholds=thresholds,
        by_network=share[:, None] * sensitivity - (1 - share[:, None]) * false_alarms * price,
        treat_all=share[:, None] - (1 - share[:, None]) * price,
    )


def predictive_values(
    sensitivity: NDArray[np.float64], specificity: NDArray[np.float64], *, prevalence: float | NDArray[np.float64]
) -> PredictiveValues:
    """Return predictive values at a prevalence, by Bayes' rule.

    All may be of any shapes that fit together: rounds of a bootstrap in, rounds of predictive values out.

    Raises:
        ValueError: a prevalence outside of 0 to 1.
    """
    share = np.asarray(prevalence, dtype=np.float64)
    if not ((share >= 0) & (share <= 1)).all():
        raise ValueError("a prevalence lies between 0 and 1")
    found, missed = share * sensitivity, share * (1 - sensitivity)
    cleared, alarmed = (1 - share) * specificity, (1 - share) * (1 - specificity)
    with np.errstate(invalid="ignore"):
        return PredictiveValues(positive=found / (found + alarmed), negative=cleared / (cleared + missed))


def at_prevalences(
    probabilities: NDArray[np.float64], *, before: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return probabilities (N, K) as they are where the prevalences (K,) are `after` instead of `before`.

    Each is multiplied by after / before, and rows sum to one again (Saerens, Latinne and Decaestecker, Neural
    Computation 14:21, 2002, equation 2.4). Both must be known: nothing is estimated from unlabelled cases. NaN where
    only what no longer occurs was said to be possible.

    Raises:
        ValueError: a prevalence is negative, or a diagnosis is to occur that did not before.
    """
    if (before < 0).any() or (after < 0).any() or not after.any():
        raise ValueError("prevalences are not negative, and some diagnosis occurs")
    if ((after > 0) & (before == 0)).any():
        raise ValueError("nothing is known of a diagnosis that did not occur before")
    factor = (after / after.sum()) / np.where(before > 0, before / before.sum(), 1.0)
    weighed = probabilities * factor
    with np.errstate(invalid="ignore"):
        shared: NDArray[np.float64] = weighed / weighed.sum(axis=1, keepdims=True)
    return shared


def at_prevalence(probabilities: NDArray[np.float64], *, before: float, after: float) -> NDArray[np.float64]:
    """Return the probabilities (N,) of one event as they are where its prevalence is `after` instead of `before`."""
    both = np.column_stack([probabilities, 1 - probabilities])
    changed = at_prevalences(both, before=np.array([before, 1 - before]), after=np.array([after, 1 - after]))
    alone: NDArray[np.float64] = changed[:, 0]
    return alone
