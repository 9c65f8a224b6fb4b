"""Answers of yes or no, counted: from who was flagged and who has it to sensitivity, predictive values and the rest.

A question is *has this case the diagnosis, or not*; K questions are counted side by side. Each of the four counts is
summed by itself, none is a difference of others, so that what is empty is exactly zero whatever the weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.weights import Weights, one_hot, ratio, weighted_mean


class Counts(NamedTuple):
    """How many cases, by weight, got each kind of answer: one column per question."""

    true_positive: NDArray[np.float64]  # (R, K)
    false_positive: NDArray[np.float64]  # (R, K)
    false_negative: NDArray[np.float64]  # (R, K)
    true_negative: NDArray[np.float64]  # (R, K)

    @property
    def positive(self) -> NDArray[np.float64]:
        """How many (R, K) have it."""
        return self.true_positive + self.false_negative

    @property
    def negative(self) -> NDArray[np.float64]:
        """How many (R, K) have it not."""
        return self.false_positive + self.true_negative

    @property
    def pooled(self) -> Counts:
        """All questions as one, (R, 1): each case counts once for every question."""
        return Counts(*(count.sum(axis=1, keepdims=True) for count in self))


class Rates(NamedTuple):
    """Each diagnosis as a question of its own, yes or no: one column per diagnosis."""

    sensitivity: NDArray[np.float64]  # (R, K), NaN where nobody has it
    specificity: NDArray[np.float64]  # (R, K), NaN where everybody has it
    accuracy: NDArray[np.float64]  # (R, K)
    ppv: NDArray[np.float64]  # (R, K), the positive predictive value, or precision; NaN where nobody is flagged
    npv: NDArray[np.float64]  # (R, K), the negative predictive value; NaN where everybody is flagged
    f1: NDArray[np.float64]  # (R, K), the harmonic mean of sensitivity and ppv; NaN where nobody has it


def answered(flagged: NDArray[np.bool_], has: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return which of the four counts (N, 4 × K) each answer adds to, ready for `counted`."""
    return np.concatenate([flagged & has, flagged & ~has, ~flagged & has, ~flagged & ~has], axis=1).astype(np.float64)


def counted(answers: NDArray[np.float64], weights: Weights) -> Counts:
    """Count answers (N, 4 × K) of `answered` for each row of weights."""
    return Counts(*np.split(weights @ answers, 4, axis=1))


def rates_of(counts: Counts) -> Rates:
    """Return the shares that four counts give."""
    right = counts.true_positive + counts.true_negative
    wrong = counts.false_positive + counts.false_negative
    f1 = ratio(2 * counts.true_positive, 2 * counts.true_positive + wrong)
    return Rates(
        sensitivity=ratio(counts.true_positive, counts.positive),
        specificity=ratio(counts.true_negative, counts.negative),
        accuracy=ratio(right, right + wrong),
        ppv=ratio(counts.true_positive, counts.true_positive + counts.false_positive),
        npv=ratio(counts.true_negative, counts.true_negative + counts.false_negative),
        f1=np.where(counts.positive > 0, f1, np.nan),
    )


def rates(flagged: NDArray[np.bool_], truth: NDArray[np.int64], weights: Weights) -> Rates:
    """Return the rates of yes-or-no answers `flagged` (N, K), for each row of weights."""
    return rates_of(counted(answered(flagged, one_hot(truth, flagged.shape[1]) > 0), weights))


def accuracy(correct: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return the weighted share (R,) of correct answers (N,)."""
    return weighted_mean(correct.astype(np.float64), weights)


def by_prevalence(figures: NDArray[np.float64], positive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (R,) of figures (R, K), each diagnosis by how many have it (R, K); who nobody has, counts not."""
    counting = np.where(positive > 0, figures * positive, 0)
    return ratio(counting.sum(axis=1), positive.sum(axis=1))
