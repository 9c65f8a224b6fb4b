"""The network at the operating point of the mean reader: its sensitivity at his specificity, and the reverse.

That is a description and no test: the point is chosen where it is to be compared. So the choice is made anew in each
round of the bootstrap, on the cases and readers of that round. Between two thresholds the curve is a straight line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.two_way import Rounds, estimate_rounds, pooled_ratio, sums_by_reader
from cutis.stats.resampling import LEVEL
from cutis.stats.weights import ratio
from cutis.vocabulary.estimate import Estimate


class AtMeanReader(NamedTuple):
    """Of one diagnosis against the rest."""

    sensitivity: Estimate  # of the mean reader
    specificity: Estimate
    network_sensitivity: Estimate  # at his specificity
    network_specificity: Estimate  # at his sensitivity
    gained_sensitivity: Estimate  # network − mean reader, within each round
    gained_specificity: Estimate


class _Curve(NamedTuple):
    """A ROC curve in each round, from nobody flagged to everybody: (1 + B, T + 1)."""

    caught: NDArray[np.float64]
    false: NDArray[np.float64]


def estimate_at_mean_reader(
    positive: NDArray[np.bool_],
    scores: NDArray[np.float64],
    flagged: NDArray[np.float64],
    rounds: Rounds,
    *,
    level: float = LEVEL,
) -> AtMeanReader:
    """Return the network's sensitivity and specificity where the mean reader's are.

    Args:
        positive: (N,) the truth.
        scores: (N,) of the network, the higher the more positive.
        flagged: (R, N) 1 where a reader said so, 0 where not, NaN where not read.
        rounds: by `draw_rounds`, of these readers and cases.
        level: of the intervals.
    """
    read, said = ~np.isnan(flagged), flagged > 0
    sensitivity = _share(said & positive, read & positive, rounds)
    specificity = _share(~said & read & ~positive, read & ~positive, rounds)
    curve = _curves(positive, scores, rounds.cases.astype(np.float64))
    caught = _read_off(curve.false, curve.caught, 1 - specificity)
    spared = _read_off(1 - curve.caught[:, ::-1], 1 - curve.false[:, ::-1], 1 - sensitivity)

    def told(figure: NDArray[np.float64], *, is_share: bool) -> Estimate:
        return estimate_rounds(figure, rounds, is_share=is_share, level=level)

    return AtMeanReader(
        sensitivity=told(sensitivity, is_share=True),
        specificity=told(specificity, is_share=True),
        network_sensitivity=told(caught, is_share=True),
        network_specificity=told(spared, is_share=True),
        gained_sensitivity=told(caught - sensitivity, is_share=False),
        gained_specificity=told(spared - specificity, is_share=False),
    )


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_], rounds: Rounds) -> NDArray[np.float64]:
    return pooled_ratio(sums_by_reader(part, rounds), sums_by_reader(whole, rounds), rounds)


def _curves(positive: NDArray[np.bool_], scores: NDArray[np.float64], weights: NDArray[np.float64]) -> _Curve:
    """Return the curve of each round; cases of equal score are flagged together."""
    distinct, at = np.unique(-scores, return_inverse=True)
    by_score = np.eye(len(distinct))[at]
    nobody = np.zeros((len(weights), 1))
    shares = []
    for side in (positive, ~positive):
        counts = np.cumsum((weights * side) @ by_score, axis=1)
        shares.append(np.concatenate([nobody, ratio(counts, counts[:, -1:])], axis=1))
    return _Curve(*shares)


def _read_off(along: NDArray[np.float64], height: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return in each round the height (1 + B,) of a rising curve at a place, the upper end where it is upright."""
    last = along.shape[1] - 1
    left = np.clip((along <= at[:, None] + 1e-12).sum(axis=1) - 1, 0, last)
    right = np.minimum(left + 1, last)
    row = np.arange(len(along))
    run = along[row, right] - along[row, left]
    ahead = np.clip(ratio(at - along[row, left], run), 0, 1)
    ahead = np.where(run > 0, ahead, 0.0)
    risen: NDArray[np.float64] = height[row, left] + ahead * (height[row, right] - height[row, left])
    return np.where(np.isnan(at), np.nan, risen)
