"""What is gained by answering only where a signal is low: risk against coverage, and who is left without an answer.

A signal is the higher, the less its case is to be trusted. A case is answered together with all that have its signal:
no order among ties is made up. `weights` is (R, N), as in `cutis.stats.metrics`; what cannot be computed is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import Measure, Weights

COVERAGES = (0.95, 0.9, 0.8)
SELECTIVE = "selective"
ROUNDING = 1e-12


class RiskCoverage(NamedTuple):
    """One point for each distinct signal: what happens if the cases up to it are answered."""

    signal: NDArray[np.float64]  # (M,) rising
    coverage: NDArray[np.float64]  # (R, M) share of cases that are answered
    risk: NDArray[np.float64]  # (R, M) mean loss of these; NaN where a round has none


def risk_coverage(signal: NDArray[np.float64], losses: NDArray[np.float64], weights: Weights) -> RiskCoverage:
    """Return the risk–coverage curve of losses (N,) under a signal (N,) (Geifman and El-Yaniv, NeurIPS 2017)."""
    distinct, at = np.unique(signal, return_inverse=True)
    order = np.argsort(at, kind="stable")
    lasts = np.cumsum(np.bincount(at)) - 1
    drawn = weights[:, order]
    answered = np.cumsum(drawn, axis=1)[:, lasts]
    lost = np.cumsum(drawn * losses[order], axis=1)[:, lasts]
    risk = np.full(answered.shape, np.nan)
    np.divide(lost, answered, out=risk, where=answered > 0)
    return RiskCoverage(distinct, answered / weights.sum(axis=1, keepdims=True), risk)


def aurc(signal: NDArray[np.float64], losses: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Return the area (R,) under the risk–coverage curve: the mean, over cases, of the risk when they are answered.

    Geifman, Uziel and El-Yaniv, ICLR 2019, equation 3; tied cases enter together.
    """
    return _area(risk_coverage(signal, losses, weights))


def excess_aurc(signal: NDArray[np.float64], wrong: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return how far (R,) the area lies above that of a signal that puts every wrong answer (N,) last.

    That is r + (1 − r) ln(1 − r) for a share r of wrong answers, up to one case's share (ICLR 2019, section 3).
    """
    return _excess(risk_coverage(signal, wrong.astype(np.float64), weights))


def risk_on(curve: RiskCoverage, coverage: float) -> NDArray[np.float64]:
    """Return the risk (R,) where the most trusted cases are answered, as few as make up at least this share."""
    at = (curve.coverage >= coverage - ROUNDING).argmax(axis=1)
    risk: NDArray[np.float64] = curve.risk[np.arange(len(at)), at]
    return risk


def selective_measures(
    signal: NDArray[np.float64], right: NDArray[np.bool_], weights: Weights
) -> dict[Measure, NDArray[np.float64]]:
    """Return the figures (R,) of a signal (N,) beside right answers (N,), such as ``selective/accuracy_at_90``."""
    curve = risk_coverage(signal, (~right).astype(np.float64), weights)
    return {
        Measure(SELECTIVE, "aurc"): _area(curve),
        Measure(SELECTIVE, "excess_aurc"): _excess(curve),
        **{
            Measure(SELECTIVE, f"accuracy_at_{coverage * 100:.0f}"): 1 - risk_on(curve, coverage)
            for coverage in COVERAGES
        },
    }


def _area(curve: RiskCoverage) -> NDArray[np.float64]:
    """Return the area (R,) under a curve; NaN in a round without cases."""
    entering = np.diff(curve.coverage, axis=1, prepend=0.0)
    area: NDArray[np.float64] = (entering * np.nan_to_num(curve.risk)).sum(axis=1)
    return area


def _excess(curve: RiskCoverage) -> NDArray[np.float64]:
    rate = curve.risk[:, -1]
    right = 1 - rate
    excess: NDArray[np.float64] = _area(curve) - (rate + right * np.log(np.where(right > 0, right, 1.0)))
    return excess
