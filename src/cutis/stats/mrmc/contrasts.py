"""How far two means over readers lie apart, by how much that varies, and with how many degrees of freedom.

Which of readers and cases are drawn from more of their kind says what the result is about:

- readers and cases: other readers on other cases. Student's t with Hillis' degrees of freedom (Statistics in Medicine
  26:596, 2007). They count readers: with many readers they grow without bound, however few the cases. Where asked,
  the cases count too, so that the test keeps its word with few of them (`benchmarks/mrmc_error.md`).
- cases alone, the readers fixed: these very readers on other cases. The normal distribution.
- readers alone, the cases fixed: other readers on these very cases. Student's t.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.components import Components

Random = Literal["readers and cases", "cases", "readers"]

BOTH: Random = "readers and cases"
RANDOM: tuple[Random, ...] = ("readers and cases", "cases", "readers")


class Contrast(NamedTuple):
    """A difference (…) with its standard error and degrees of freedom; infinite ones mean the normal distribution."""

    difference: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    degrees_of_freedom: NDArray[np.float64]

    @property
    def statistic(self) -> NDArray[np.float64]:
        """Difference over standard error; NaN where that is 0."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.standard_error > 0, self.difference / self.standard_error, np.nan)

    @property
    def p(self) -> NDArray[np.float64]:
        """Two-sided, that there is no difference."""
        return self.two_sided(0.0)

    def two_sided(self, bound: float) -> NDArray[np.float64]:
        """Return the p (…) that the difference is `bound`."""
        return 2 * np.minimum(self.above(bound), self.above(-bound, sign=-1))

    def above(self, bound: float, *, sign: int = 1) -> NDArray[np.float64]:
        """Return the one-sided p (…) that sign · difference is no larger than `bound`."""
        from scipy.stats import t as student

        with np.errstate(invalid="ignore", divide="ignore"):
            far = (sign * self.difference - bound) / self.standard_error
        tail: NDArray[np.float64] = student.sf(np.where(self.standard_error > 0, far, np.nan), self.degrees_of_freedom)
        return tail

    def half(self, level: float) -> NDArray[np.float64]:
        """Return half the width (…) of the interval."""
        from scipy.stats import t as student

        width: NDArray[np.float64] = student.ppf((1 + level) / 2, self.degrees_of_freedom) * self.standard_error
        return width


def between_treatments(
    difference: NDArray[np.float64], parts: Components, *, random: Random = BOTH, cases: float = math.inf
) -> Contrast:
    """Return how far two treatments lie apart, all readers with all treatments.

    Args:
        difference: (…) of the means over readers.
        parts: of all treatments.
        random: what is drawn from more of its kind.
        cases: how many the smaller side has, where they count for the degrees of freedom; Hillis', if infinite.
    """
    readers, freedom = parts.readers, (parts.treatments - 1) * (parts.readers - 1)
    by_readers = 2 / readers * parts.ms_interaction
    match random:
        case "readers and cases":
            return _mixed(difference, by_readers, 2 * parts.between_readers, readers=freedom, cases=cases)
        case "readers":
            return _contrast(difference, by_readers, float(freedom))
        case "cases":
            alone = parts.variance - parts.covariance_1
            variance = 2 / readers * np.maximum(alone + (readers - 1) * parts.between_readers, 0.0)
            return _contrast(difference, variance, np.inf)


def of_one_mean(
    mean: NDArray[np.float64], parts: Components, *, random: Random = BOTH, cases: float = math.inf
) -> Contrast:
    """Return the mean (…) over the readers of a single treatment with its standard error.

    It answers for one treatment of several too, from its own figures alone, and for the mean difference of readers to
    a network, whose figures are then differences (Hillis, Statistics in Medicine 33:330, 2014, section 6).
    """
    readers, freedom = parts.readers, parts.readers - 1
    by_readers = parts.ms_reader / readers
    shared = np.maximum(parts.covariance_2, 0.0)
    match random:
        case "readers and cases":
            return _mixed(mean, by_readers, shared, readers=freedom, cases=cases)
        case "readers":
            return _contrast(mean, by_readers, float(freedom))
        case "cases":
            variance = (parts.variance + (readers - 1) * shared) / readers
            return _contrast(mean, np.maximum(variance, 0.0), np.inf)


def between_groups(
    difference: NDArray[np.float64],
    groups: tuple[Components, Components],
    *,
    together: NDArray[np.float64],
    random: Random = BOTH,
    cases: float = math.inf,
) -> Contrast:
    """Return how far two groups of different readers lie apart, each with a treatment of its own.

    Their spread is pooled (Hillis, Statistics in Medicine 33:330, 2014, readers nested within treatments).

    Args:
        difference: (…) of the means over readers.
        groups: of each treatment by itself.
        together: the mean covariance (…) of a reader of the one with a reader of the other.
        random: what is drawn from more of its kind.
        cases: as of `between_treatments`.
    """
    sizes = [group.readers for group in groups]
    pairs = [size * (size - 1) for size in sizes]
    freedom = sum(sizes) - 2
    same = _pooled([group.covariance_2 for group in groups], pairs)
    shared = np.maximum(same - together, 0.0)
    by_readers = _pooled([group.ms_reader for group in groups], [size - 1 for size in sizes]) * sum(
        1 / size for size in sizes
    )
    match random:
        case "readers and cases":
            return _mixed(difference, by_readers, 2 * shared, readers=freedom, cases=cases)
        case "readers":
            return _contrast(difference, by_readers, float(freedom))
        case "cases":
            own = [
                (group.variance + (size - 1) * group.covariance_2) / size
                for group, size in zip(groups, sizes, strict=True)
            ]
            return _contrast(difference, np.maximum(own[0] + own[1] - 2 * together, 0.0), np.inf)


def _pooled(values: list[NDArray[np.float64]], weights: list[int]) -> NDArray[np.float64]:
    total = sum(weights)
    if not total:
        return np.zeros_like(values[0])
    return np.asarray(sum(value * weight for value, weight in zip(values, weights, strict=True)) / total)


def degrees_of_freedom(
    by_readers: NDArray[np.float64], by_cases: NDArray[np.float64], *, readers: float, cases: float = math.inf
) -> NDArray[np.float64]:
    """Return the degrees of freedom of a variance that is the sum of two, by Satterthwaite's rule.

    With infinitely many cases these are Hillis': the part that cases bring is taken as known.

    Args:
        by_readers: (…) what the spread of readers brings.
        by_cases: (…) what readers share, because they read the same cases.
        readers: the degrees of freedom of the first.
        cases: how many cases the second is estimated from.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        doubt = by_readers**2 / readers + by_cases**2 / (cases - 1)
        return np.where(doubt > 0, (by_readers + by_cases) ** 2 / doubt, np.inf)


def _mixed(
    difference: NDArray[np.float64],
    by_readers: NDArray[np.float64],
    by_cases: NDArray[np.float64],
    *,
    readers: int,
    cases: float,
) -> Contrast:
    freedom = degrees_of_freedom(by_readers, by_cases, readers=readers, cases=cases)
    return _contrast(difference, by_readers + by_cases, freedom)


def _contrast(
    difference: NDArray[np.float64], variance: NDArray[np.float64], degrees: NDArray[np.float64] | float
) -> Contrast:
    return Contrast(difference, np.sqrt(variance), np.broadcast_to(np.asarray(degrees, float), np.shape(difference)))
