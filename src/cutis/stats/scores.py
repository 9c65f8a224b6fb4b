"""How good the probabilities of one case are: a value per case, to be averaged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cutis.stats.weights import one_hot


def log_losses(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return −ln of the probability (N,) given to the truth; a probability of zero counts as the smallest step."""
    given: NDArray[np.float64] = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.maximum(given, np.finfo(np.float64).eps))


def brier_scores(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the squared distance (N,) from probabilities to truth, 0 to 2 (Brier, Monthly Weather Review 1950)."""
    distance: NDArray[np.float64] = np.square(probabilities - one_hot(truth, probabilities.shape[1])).sum(axis=1)
    return distance


def named_before(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many diagnoses (N,) are named before the truth, the most probable first.

    Equally probable ones are named in the order of the taxonomy, as a stable argsort names them; so the truth of which
    none is named before is the answer by arg-max.
    """
    given = probabilities[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(probabilities.shape[1]) < truth[:, None]
    before: NDArray[np.int64] = np.count_nonzero((probabilities > given) | ((probabilities == given) & earlier), axis=1)
    return before
