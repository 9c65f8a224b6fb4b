"""A network's share of right answers against the mean reader's, where few cases could go wrong.

Obuchowski and Rockette's test takes a share of few cases for normal. A network that has all of 20 cases right shows no
spread, and the test then finds it better than any reader who misses one. With 280 readers it errs in a third of such
studies instead of in a twentieth (`benchmarks/mrmc_error.md`).

So the interval of the difference is put together from the two intervals of its parts, which do not rest on a spread
that was not seen: Wilson's of the network, and Wilson's of the mean reader with as many cases as his variance over
readers and cases is worth. Their distance from the shares stands for the spread on that side, and their correlation
narrows it (Newcombe, Statistics in Medicine 17:2635, 1998; Zou and Donner, Statistics in Medicine 27:1693, 2008). Two
things differ from Newcombe's: the network's variance in the correlation is that of Wilson's centre, so that a network
without a miss is not taken to go wholly with the readers or not at all, and Student's quantile of the cases stands for
the normal one. A p-value is that of the widest interval that leaves the bound out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cutis.stats.proportions import Interval, score_interval

FAR = 12.0  # quantiles beyond it are as good as infinite
STEP = 0.25
FEWEST_MISSES = 20  # expected, or of right answers where they are rarer; from there on the normal test keeps its word


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Two shares and how they vary."""

    network: float
    readers: float
    network_cases: float  # effective
    readers_variance: float  # of the mean reader, over what is random
    covariance: float  # of the two, through the cases
    cases: int  # or clusters; the degrees of freedom are one less

    @property
    def difference(self) -> float:
        """Of the network to the mean reader."""
        return self.network - self.readers

    @property
    def rests_on_few(self) -> bool:
        """Whether too few cases could go wrong, or right, for the normal test."""
        share = (self.network + self.readers) / 2
        return self.network_cases * min(share, 1 - share) < FEWEST_MISSES

    def interval(self, level: float) -> Interval:
        """Return the interval of the difference."""
        from scipy.stats import t as student

        quantile = float(student.ppf((1 + level) / 2, self.cases - 1))
        ends = [self._ends(each) for each in (*_steps(quantile), quantile)]
        return Interval(min(each.low for each in ends), max(each.high for each in ends))

    def one_sided(self, bound: float, sign: int) -> float:
        """Return the p that sign · difference is no larger than `bound`."""
        from scipy.optimize import brentq
        from scipy.stats import t as student

        above = sign * self.difference >= bound

        def beyond(quantile: float) -> float:
            ends = self._ends(quantile)
            low, high = (ends.low, ends.high) if sign > 0 else (-ends.high, -ends.low)
            return low - bound if above else bound - high

        before = 0.0
        for after in (*_steps(FAR)[1:], FAR):
            if beyond(after) <= 0:
                met = before if beyond(before) <= 0 else brentq(beyond, before, after)
                tail = float(student.sf(met, self.cases - 1))
                return tail if above else 1 - tail
            before = after
        return 0.0 if above else 1.0

    def _ends(self, quantile: float) -> Interval:
        own = score_interval(self.network, self.network_cases, quantile)
        theirs = score_interval(self.readers, self._readers_cases, quantile)
        correlation = self._correlation(quantile)
        below = _joined(self.network - own.low, theirs.high - self.readers, correlation)
        above = _joined(own.high - self.network, self.readers - theirs.low, correlation)
        return Interval(max(-1.0, self.difference - below), min(1.0, self.difference + above))

    @property
    def _readers_cases(self) -> float:
        """How many cases the mean reader's share is worth."""
        if self.readers_variance > 0 and 0 < self.readers < 1:
            return max(self.readers * (1 - self.readers) / self.readers_variance, 1.0)
        return self.network_cases

    def _correlation(self, quantile: float) -> float:
        cases, square = self.network_cases, quantile**2
        centre = (self.network * cases + square / 2) / (cases + square)
        spread = math.sqrt(centre * (1 - centre) / cases * self.readers_variance)
        return min(1.0, max(-1.0, self.covariance / spread)) if spread > 0 else 0.0


def _steps(quantile: float) -> list[float]:
    """Return quantiles on the way from 0: where the two shares go wholly together, an end may turn back with them."""
    return [STEP * step for step in range(math.ceil(quantile / STEP))]


def _joined(first: float, second: float, correlation: float) -> float:
    return math.sqrt(max(0.0, first**2 - 2 * correlation * first * second + second**2))
