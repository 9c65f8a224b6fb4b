"""How long an answer takes, and whether readers learn, or tire, on their way through the cases."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.table import Table
from cutis.stats.resampling import LEVEL
from cutis.vocabulary.estimate import Estimate, plain

FEWEST_ANSWERS = 10  # of a reader, for a slope of his own
FEWEST_READERS = 3  # for an interval over readers


class Pace(NamedTuple):
    """Time, and what changes from the first case to the last."""

    estimates: dict[str, Estimate]
    quarters: dict[str, list[float | None]]  # of the way: mean over readers of accuracy and of median seconds

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {"estimates": plain(self.estimates), "quarters": self.quarters}


def pace_of(table: Table) -> Pace:
    """Return the typical time of an answer, and slopes along the way, each reader counting the same.

    A slope is a reader's own by least squares, from the first of his cases to the last, so that cases, which come to
    each reader in another order, are no part of it; the interval is Student's over readers.
    """
    way = _way(table.position)
    right = np.where(table.read, table.right.astype(np.float64), np.nan)
    with np.errstate(divide="ignore"):
        seconds = np.where(table.seconds > 0, np.log2(table.seconds), np.nan)
    medians = np.array([_median(row) for row in table.seconds])
    return Pace(
        estimates={
            "median_seconds": _over_readers(medians, "mean over readers of their median"),
            "accuracy_from_first_to_last": _over_readers(_slopes(way, right), "mean slope, by least squares"),
            "doublings_of_seconds_from_first_to_last": _over_readers(
                _slopes(way, seconds), "mean slope of log2, by least squares"
            ),
        },
        quarters={
            "accuracy": _by_quarter(way, right, np.nanmean),
            "median_seconds": _by_quarter(way, table.seconds, np.nanmedian),
        },
    )


def _way(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far on his way a reader was (R, N), 0 to 1, by the order of his answers; NaN where it is not known."""
    rank = np.where(np.isnan(position), np.nan, np.argsort(np.argsort(position, axis=1), axis=1))
    last = np.sum(~np.isnan(position), axis=1, keepdims=True) - 1
    way: NDArray[np.float64] = np.divide(rank, last, out=np.full(rank.shape, np.nan), where=last > 0)
    return way


def _slopes(way: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each reader's slope (R,) of values (R, N); NaN where too few are known."""
    slopes = np.full(len(way), np.nan)
    for reader, (x, y) in enumerate(zip(way, values, strict=True)):
        there = ~np.isnan(x) & ~np.isnan(y)
        if there.sum() >= FEWEST_ANSWERS:
            apart = x[there] - x[there].mean()
            slopes[reader] = (apart @ y[there]) / (apart @ apart)
    return slopes


def _over_readers(values: NDArray[np.float64], method: str) -> Estimate:
    """Return a mean over readers with Student's interval."""
    from scipy.stats import t as student

    there = values[~np.isnan(values)]
    readers = len(there)
    value = float(there.mean()) if readers else None
    note = "" if readers else "not told, or too few answers of each reader"
    low = high = None
    if readers >= FEWEST_READERS:
        half = float(student.ppf((1 + LEVEL) / 2, readers - 1) * there.std(ddof=1) / np.sqrt(readers))
        low, high = float(there.mean()) - half, float(there.mean()) + half
    elif readers:
        note = f"{readers} readers have no interval"
    return Estimate(
        value=value, low=low, high=high, method=f"{method}; Student", clusters=readers, cluster_kind="reader", note=note
    )


def _by_quarter(way: NDArray[np.float64], values: NDArray[np.float64], mean: Any) -> list[float | None]:
    """Return for each quarter of the way the mean over readers; None where nobody answered."""
    found: list[float | None] = []
    for quarter in range(4):
        inside = (np.minimum(np.floor(way * 4), 3) == quarter) & ~np.isnan(values)
        rows = [float(mean(row[kept])) for row, kept in zip(values, inside, strict=True) if kept.any()]
        found.append(float(np.mean(rows)) if rows else None)
    return found


def _median(row: NDArray[np.float64]) -> float:
    told = row[~np.isnan(row)]
    return float(np.median(told)) if len(told) else float("nan")
