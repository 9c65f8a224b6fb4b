"""Readers as points beside the network's ROC curve: at the mean reader's specificity, and who lies beneath.

These are descriptions: the operating point is chosen by what the readers did on these very cases. So that the interval
knows of this choice, it is made anew in every round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.table import Table
from cutis.stats.intervals import ROUNDS
from cutis.stats.two_way import Picks, mean_of, shares_of, two_way
from cutis.stats.weights import Weights, ratio
from cutis.vocabulary.estimate import Estimate, plain

AT_SPECIFICITY, AT_SENSITIVITY = "sensitivity_at_specificity", "specificity_at_sensitivity"
BENEATH = "share_beneath"
ROUNDING = 1e-9  # counts are whole, and a share of them is not always


class Points(NamedTuple):
    """One diagnosis against the rest."""

    code: str
    sensitivity: NDArray[np.float64]  # (R,) of each reader
    specificity: NDArray[np.float64]  # (R,)
    curve: Curve  # the network's, on all cases
    operating: tuple[float, float]  # its sensitivity and specificity at its frozen operating point
    estimates: dict[str, Estimate]

    def content(self) -> dict[str, Any]:
        """Return plain data, without the curve."""
        return {
            "code": self.code,
            "readers": {"sensitivity": self.sensitivity.tolist(), "specificity": self.specificity.tolist()},
            "operating_point": {"sensitivity": self.operating[0], "specificity": self.operating[1]},
            "estimates": plain(self.estimates),
        }


class Curve(NamedTuple):
    """An ROC curve in each round: falling thresholds."""

    sensitivity: NDArray[np.float64]  # (B, M)
    false_positive: NDArray[np.float64]  # (B, M)


def points_of(
    table: Table,
    answers: Answers,
    *,
    groups: Mapping[str, Sequence[int]],
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> tuple[Points, ...]:
    """Return readers' points and the network's curve for each diagnosis that some of these cases have and some not.

    Args:
        table: of readings.
        answers: the network's.
        groups: places of readers by what they have in common, such as their experience.
        generator: the chance that draws.
        rounds: how many.
    """
    kinds = [kind for kind in range(len(table.codes)) if 0 < table.has(kind).sum() < len(table.cases)]
    return tuple(_points(table, answers, kind, groups=groups, generator=generator, rounds=rounds) for kind in kinds)


def roc(scores: NDArray[np.float64], has: NDArray[np.bool_], weights: Weights) -> Curve:
    """Return the ROC curve of scores (N,) for each row of weights (B, N); it begins at the origin."""
    order = np.argsort(-scores, kind="stable")
    lasts = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    drawn, positive = weights[:, order], has[order]
    hits = np.cumsum(drawn * positive, axis=1)[:, lasts]
    alarms = np.cumsum(drawn * ~positive, axis=1)[:, lasts]
    start = np.zeros((len(weights), 1))
    return Curve(*(np.hstack([start, ratio(each, each[:, -1:])]) for each in (hits, alarms)))


def read_at(along: NDArray[np.float64], wanted: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `other` (B, M) where `along` (B, M), which rises, reaches what is wanted (B, W), on straight lines.

    Where it rises at once, as at a false positive rate of 0, the highest place counts.
    """
    before = np.maximum(_places(along, wanted + ROUNDING, side="right") - 1, 0)
    after = np.minimum(before + 1, along.shape[1] - 1)
    low, high = (np.take_along_axis(along, at, axis=1) for at in (before, after))
    found, more = (np.take_along_axis(other, at, axis=1) for at in (before, after))
    way = np.clip((wanted - low) / np.where(high > low, high - low, 1.0), 0, 1)
    return np.where(np.isnan(wanted), np.nan, found + way * (more - found))


def _points(
    table: Table,
    answers: Answers,
    kind: int,
    *,
    groups: Mapping[str, Sequence[int]],
    generator: np.random.Generator,
    rounds: int,
) -> Points:
    has, yes, read = table.has(kind), table.named[..., kind], table.read
    chances, flagged = answers.chances[:, kind], answers.flagged[:, kind]

    def figures(weights: Weights, picks: Picks) -> dict[str, NDArray[np.float64]]:
        sensitivity, specificity = shares_of(yes, has & read, weights), shares_of(~yes, ~has & read, weights)
        mean_sensitivity, mean_specificity = mean_of(sensitivity, picks), mean_of(specificity, picks)
        curve = roc(chances, has, weights)
        at_specificity = read_at(curve.false_positive, 1 - mean_specificity[:, None], curve.sensitivity)[:, 0]
        at_sensitivity = 1 - _lowest(curve, mean_sensitivity[:, None])[:, 0]
        return {
            AT_SPECIFICITY: at_specificity,
            f"{AT_SPECIFICITY} − readers": at_specificity - mean_sensitivity,
            AT_SENSITIVITY: at_sensitivity,
            f"{AT_SENSITIVITY} − readers": at_sensitivity - mean_specificity,
            BENEATH: mean_of(_beneath(curve, sensitivity, specificity), picks),
        }

    def beneath(weights: Weights, picks: Picks, places: Sequence[int]) -> dict[str, NDArray[np.float64]]:
        own = read[list(places)]
        sensitivity = shares_of(yes[list(places)], has & own, weights)
        specificity = shares_of(~yes[list(places)], ~has & own, weights)
        return {BENEATH: mean_of(_beneath(roc(chances, has, weights), sensitivity, specificity), picks)}

    one, clusters = np.ones((1, len(table.cases))), table.clusters
    shares = {AT_SPECIFICITY, AT_SENSITIVITY, BENEATH}
    estimates = two_way(
        figures, clusters, readers=len(table.readers), generator=generator, shares=shares, rounds=rounds
    )
    for group, places in groups.items():
        of_group = partial(beneath, places=places)
        found = two_way(of_group, clusters, readers=len(places), generator=generator, shares=shares, rounds=rounds)
        estimates[f"{BENEATH}/{group}"] = found[BENEATH]
    return Points(
        code=table.codes[kind],
        sensitivity=shares_of(yes, has & read, one)[0],
        specificity=shares_of(~yes, ~has & read, one)[0],
        curve=roc(chances, has, one),
        operating=(float(flagged[has].mean()), float((~flagged[~has]).mean())),
        estimates=estimates,
    )


def _beneath(curve: Curve, sensitivity: NDArray[np.float64], specificity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which readers (B, R) lie beneath the curve of the same round; NaN of whom one of the two is not known."""
    above = read_at(curve.false_positive, 1 - specificity, curve.sensitivity) > sensitivity + ROUNDING
    return np.where(np.isnan(sensitivity) | np.isnan(specificity), np.nan, above)


def _lowest(curve: Curve, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least false positive rate (B, W) at which the curve reaches a sensitivity (B, W)."""
    at = np.minimum(_places(curve.sensitivity, wanted - ROUNDING, side="left"), curve.sensitivity.shape[1] - 1)
    before = np.maximum(at - 1, 0)
    low, high = (np.take_along_axis(curve.sensitivity, place, axis=1) for place in (before, at))
    least, most = (np.take_along_axis(curve.false_positive, place, axis=1) for place in (before, at))
    way = np.clip((wanted - low) / np.where(high > low, high - low, 1.0), 0, 1)
    return np.where(np.isnan(wanted), np.nan, least + way * (most - least))


def _places(
    along: NDArray[np.float64], wanted: NDArray[np.float64], *, side: Literal["left", "right"]
) -> NDArray[np.int64]:
    """Return where wanted (B, W) would stand among rising shares (B, M), row by row: all rows as one long one."""
    rows, columns = along.shape
    apart = 2.0 * np.arange(rows)[:, None]
    found = np.searchsorted((along + apart).ravel(), (np.nan_to_num(wanted) + apart).ravel(), side=side)
    places: NDArray[np.int64] = found.reshape(wanted.shape) - np.arange(rows)[:, None] * columns
    return places
