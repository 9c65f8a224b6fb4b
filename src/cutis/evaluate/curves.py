"""ROC and precision–recall curves with bands: how far they move where other patients had come.

Rounds of resampled clusters are read at fixed places, as Fawcett averages curves vertically (Pattern Recognition
Letters 27:861, 2006, section 8.1): the sensitivity at each false positive rate, and the precision at each sensitivity.
A band holds 95 % of the rounds at each place by itself, not 95 % of whole curves.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.intervals import FEWEST_CLUSTERS, LEVEL, clusters_in, quantiles, resample
from cutis.stats.metrics import PrecisionRecallCurve, RocCurve, Weights, precision_recall_curve, roc_curve
from cutis.vocabulary.predictions import Predictions

GRID = np.linspace(0, 1, 101)
ROUNDS = 300  # an end of a band then stands on seven rounds, which is enough for the eye
ROUNDING = 1e-9  # counts are whole, and a share of them is not always


class Band(NamedTuple):
    """Between which values 95 % of the rounds lie, at each place of `GRID`."""

    low: NDArray[np.float64]  # (G,)
    high: NDArray[np.float64]  # (G,)


class Curves(NamedTuple):
    """One diagnosis against the rest."""

    roc: RocCurve
    precision_recall: PrecisionRecallCurve
    prevalence: float
    sensitivity: Band | None  # at each false positive rate; None where too few clusters have it, or have it not
    ppv: Band | None  # at each sensitivity


class OnGrid(NamedTuple):
    """What each round gives at the places of `GRID`."""

    sensitivity: NDArray[np.float64]  # (R, G) at each false positive rate
    ppv: NDArray[np.float64]  # (R, G) at each sensitivity; at 0, that of the first hit


def curves_of(predictions: Predictions, *, generator: np.random.Generator, rounds: int = ROUNDS) -> tuple[Curves, ...]:
    """Return the curves of each diagnosis, with bands from the same rounds.

    Args:
        predictions: with truth.
        generator: the chance that draws the rounds.
        rounds: how many rounds.
    """
    clusters, truth = clusters_in(predictions), np.asarray(predictions.truth)
    carried = np.minimum(clusters.having, clusters.lacking) >= FEWEST_CLUSTERS
    drawn: dict[int, list[OnGrid]] = {int(kind): [] for kind in np.flatnonzero(carried)}
    for weights in resample(clusters, rounds=rounds, generator=generator):
        for kind, blocks in drawn.items():
            blocks.append(on_grid(predictions.probabilities[:, kind], truth == kind, weights))
    return tuple(
        Curves(
            roc=roc_curve(scores, truth == kind),
            precision_recall=precision_recall_curve(scores, truth == kind),
            prevalence=float((truth == kind).mean()),
            sensitivity=_band([block.sensitivity for block in drawn[kind]]) if kind in drawn else None,
            ppv=_band([block.ppv for block in drawn[kind]]) if kind in drawn else None,
        )
        for kind, scores in enumerate(predictions.probabilities.T)
    )


def on_grid(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> OnGrid:
    """Return both curves of scores (N,) at the places of `GRID`, for weights (R, N) that leave neither side empty.

    Between two points of the ROC curve the line is straight, so that ties count one half. Precision is that of the
    first point that reaches the sensitivity, without a line between points, which would flatter (Davis and Goadrich,
    ICML 2006): the area beneath is the average precision.
    """
    order = np.argsort(-scores, kind="stable")
    lasts = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    drawn, has = weights[:, order], positive[order]
    hits = np.cumsum(drawn * has, axis=1)[:, lasts]
    alarms = np.cumsum(drawn * ~has, axis=1)[:, lasts]
    return OnGrid(_sensitivity_on_grid(hits, alarms), _ppv_on_grid(hits, alarms))


def _sensitivity_on_grid(hits: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
    hits, alarms = (np.pad(counts, ((0, 0), (1, 0))) for counts in (hits, alarms))
    wanted = GRID * alarms[:, -1:]
    before = _places(alarms, wanted + ROUNDING, side="right") - 1
    after = np.minimum(before + 1, alarms.shape[1] - 1)
    low, high = (np.take_along_axis(alarms, at, axis=1) for at in (before, after))
    found, more = (np.take_along_axis(hits, at, axis=1) for at in (before, after))
    way = np.clip((wanted - low) / np.where(high > low, high - low, 1.0), 0, 1)
    sensitivity: NDArray[np.float64] = (found + way * (more - found)) / hits[:, -1:]
    return sensitivity


def _ppv_on_grid(hits: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
    at = _places(hits, np.maximum(GRID * hits[:, -1:] - ROUNDING, ROUNDING), side="left")
    found, alarmed = (np.take_along_axis(counts, at, axis=1) for counts in (hits, alarms))
    ppv: NDArray[np.float64] = found / (found + alarmed)
    return ppv


def _places(
    counts: NDArray[np.float64], wanted: NDArray[np.float64], *, side: Literal["left", "right"]
) -> NDArray[np.int64]:
    """Return where wanted (R, G) would stand among rising counts (R, M), row by row: all rows as one long one."""
    rows, columns = counts.shape
    apart = np.arange(rows)[:, None] * (counts[:, -1].max() + 1)
    found = np.searchsorted((counts + apart).ravel(), (wanted + apart).ravel(), side=side)
    places: NDArray[np.int64] = found.reshape(wanted.shape) - np.arange(rows)[:, None] * columns
    return places


def _band(blocks: list[NDArray[np.float64]]) -> Band:
    tail = (1 - LEVEL) / 2
    low, high = quantiles(np.concatenate(blocks), [tail, 1 - tail])
    return Band(low, high)
