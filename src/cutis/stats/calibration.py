"""What a probability means, and from which one on the answer is yes.

Temperature and thresholds are fitted on the tune split and only read afterwards. `softmax` needs numpy alone, since it
stands on the way to an answer; scipy is imported where something is fitted. Other maps than a temperature stand in
`recalibration`, the rules for thresholds in `operating_points`, and how well it all came out in `reliability`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import log_losses
from cutis.stats.operating_points import Rule, youden

TEMPERATURES = (0.05, 20.0)
BINS = 10


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return probabilities (N, K) of logits (N, K) divided by a temperature; large logits do not overflow."""
    scaled = logits.astype(np.float64) / temperature
    raised: NDArray[np.float64] = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(
    logits: NDArray[np.floating], truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """Return the temperature that minimises the log loss of logits (N, K) (Guo et al., ICML 2017).

    `weights` (N,) say how much each case counts; all alike without them.

    The log loss is convex in 1 / temperature, so the root of its slope is the minimum. Where the minimum lies outside
    0.05 to 20, as for a network that is always right, the nearer end is returned.
    """
    from scipy.optimize import brentq

    hits = logits[np.arange(len(truth)), truth].astype(np.float64)

    def slope(sharpness: float) -> float:
        expected = (softmax(logits, 1 / sharpness) * logits).sum(axis=1)
        return float(np.average(expected - hits, weights=weights))

    coolest, hottest = TEMPERATURES
    if slope(1 / hottest) >= 0:
        return hottest
    if slope(1 / coolest) <= 0:
        return coolest
    return float(1 / brentq(slope, 1 / hottest, 1 / coolest, xtol=1e-12))


def log_probabilities(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln of probabilities; that of zero is the ln of the smallest number."""
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    return logs


class Speakers(NamedTuple):
    """Which classifiers answer together, and by which temperatures."""

    speaking: int  # the last so many
    temperatures: tuple[float, ...]  # of every classifier, the final one's last
    temperature_of_mean: float  # of the mean of those that speak; 1 where one speaks alone


def answer_of(
    logits: Sequence[NDArray[np.floating]], temperatures: Sequence[float], *, temperature_of_mean: float = 1.0
) -> NDArray[np.float64]:
    """Return the calibrated mean (N, K) of what classifiers say (N, K) each, every one by its own temperature.

    A mean of calibrated answers is less sure than it is right (Ranjan and Gneiting, Journal of the Royal Statistical
    Society B 72:71, 2010); `temperature_of_mean` makes up for it.
    """
    said = [softmax(each, temperature) for each, temperature in zip(logits, temperatures, strict=True)]
    if len(said) == 1:
        return said[0]
    mean: NDArray[np.float64] = np.mean(said, axis=0)
    return softmax(log_probabilities(mean), temperature_of_mean)


def choose_speakers(
    logits: Sequence[NDArray[np.floating]],
    truth: NDArray[np.int64],
    *,
    most: int,
    weights: NDArray[np.float64] | None = None,
) -> Speakers:
    """Return how many of the last classifiers answer best together, by log loss, and their temperatures.

    Args:
        logits: (N, K) of every classifier, the final one's last, on the split that this is chosen on.
        truth: (N,) index of the diagnosis.
        most: how many may speak; 1 leaves the final classifier alone. Among equals the fewest are taken.
        weights: (N,) how much each case counts; all alike without them.
    """
    temperatures = tuple(fit_temperature(each, truth, weights) for each in logits)
    said = [softmax(each, temperature) for each, temperature in zip(logits, temperatures, strict=True)]
    choices = []
    for count in range(1, min(most, len(said)) + 1):
        mean = log_probabilities(np.mean(said[-count:], axis=0))
        of_mean = fit_temperature(mean, truth, weights) if count > 1 else 1.0
        loss = float(np.average(log_losses(softmax(mean, of_mean), truth), weights=weights))
        choices.append((loss, count, of_mean))
    _, count, of_mean = min(choices)
    return Speakers(count, temperatures, of_mean)


def choose_thresholds(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], *, rule: Rule = youden
) -> NDArray[np.float64]:
    """Return a threshold (K,) per diagnosis against the rest, yes at or above it, by one rule for all.

    Raises:
        ValueError: a diagnosis has no case here, or every case has it.
    """
    kinds = range(probabilities.shape[1])
    return np.array([rule(probabilities[:, kind], truth == kind) for kind in kinds])


def equal_bins(confidence: NDArray[np.float64], *, bins: int = BINS) -> tuple[NDArray[np.int64], ...]:
    """Return the cases of each bin: equally many in each, by rising confidence (N,), never an empty one."""
    return tuple(np.array_split(np.argsort(confidence, kind="stable"), min(bins, len(confidence))))
