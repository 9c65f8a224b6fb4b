"""How far the features of a picture lie from those that a network learned from.

Two families. *Gaussians*: one mean for each diagnosis and one covariance for all, plain (Lee et al., NeurIPS 2018) or
relative to a Gaussian of everything (Ren et al., arXiv:2106.09022, 2021). *Neighbours*: the distance to the k-th
nearest picture, among features of length one (Sun et al., ICML 2022).

Distances need numpy alone, since they stand on the way to an answer; scikit-learn is imported where something is
fitted. N pictures, F features, K diagnoses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 256  # 1.3 MB for 1,280 features; what is left out still counts, as equally wide in every direction
NEIGHBOURS = 50
SHORTEST = np.finfo(np.float64).tiny
NARROWEST = 1e-12  # variance; features that never vary would make every other picture infinitely far
ROWS_AT_ONCE = 512


class Gaussian(NamedTuple):
    """Where features lie: a mean for each group, and one covariance around them, given by its widest directions."""

    means: NDArray[np.floating]  # (K, F)
    directions: NDArray[np.floating]  # (F, r), of length one and at right angles
    deviations: NDArray[np.floating]  # (r,) standard deviation along each
    rest: float  # standard deviation along every other direction


def direction_and_length(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return features (N, F) as their direction, of length one, and the logarithm of their length (N, F + 1).

    How strongly a network responds differs from picture to picture, and hides what is unusual in a response: a picture
    of nothing responds weakly and lies in the middle. Apart from its length a direction is far nearer to a Gaussian
    (Mueller and Hein, ICML 2025). The length stays, so that nothing can be far away unseen.
    """
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return np.hstack([_of_length_one(features), np.log(np.maximum(lengths, SHORTEST))])


def fit_gaussian(
    features: NDArray[np.floating], groups: NDArray[np.int64], *, kinds: int, directions: int = DIRECTIONS
) -> Gaussian:
    """Return the Gaussian of features (N, F) in `kinds` groups (N,) that share one covariance.

    The covariance is shrunk towards a sphere as far as the number of pictures asks for (Ledoit and Wolf, Journal of
    Multivariate Analysis 88:365, 2004), then kept in its widest directions; the variance of the others is their mean
    (as in probabilistic principal components, Tipping and Bishop, Journal of the Royal Statistical Society B 61:611,
    1999). With as many directions as features nothing is left out.

    Raises:
        ValueError: a group has no picture.
    """
    from sklearn.covariance import ledoit_wolf

    exact = features.astype(np.float64)
    counts = np.bincount(groups, minlength=kinds)
    if not counts.all():
        raise ValueError("every group needs a picture")
    means = np.stack([exact[groups == kind].mean(axis=0) for kind in range(kinds)])
    covariance, _ = ledoit_wolf(exact - means[groups], assume_centered=True)
    width = len(covariance)
    kept = min(directions, width)
    # All of them by divide and conquer: methods for a few give up where shrinking has made many alike.
    all_variances, vectors = np.linalg.eigh(covariance)
    variances = all_variances[width - kept :]
    left = all_variances[: width - kept].mean() if kept < width else variances.min()
    return Gaussian(
        means=means,
        directions=vectors[:, width - kept :],
        deviations=np.sqrt(np.maximum(variances, NARROWEST)),
        rest=float(np.sqrt(max(left, NARROWEST))),
    )


def mahalanobis(features: NDArray[np.floating], gaussian: Gaussian) -> NDArray[np.float64]:
    """Return the squared Mahalanobis distance (N,) of features (N, F) to the nearest mean (Lee et al. 2018, eq. 2)."""
    exact = features.astype(np.float64)
    directions = gaussian.directions.astype(np.float64)
    surplus = gaussian.deviations.astype(np.float64) ** -2 - gaussian.rest**-2  # precision beyond that of the rest
    squares = []
    for mean in gaussian.means.astype(np.float64):
        apart = exact - mean
        squares.append(np.square(apart).sum(axis=1) * gaussian.rest**-2 + np.square(apart @ directions) @ surplus)
    nearest: NDArray[np.float64] = np.min(squares, axis=0)
    return nearest


def relative_mahalanobis(
    features: NDArray[np.floating], gaussian: Gaussian, *, background: Gaussian
) -> NDArray[np.float64]:
    """Return how much farther (N,) the nearest mean is than one mean of everything (Ren et al. 2021, section 3).

    Directions that tell no diagnoses apart cancel out: good for a disease that is alike, blind to what is far away
    in just those directions.
    """
    return mahalanobis(features, gaussian) - mahalanobis(features, background)


def nearest_neighbours(
    features: NDArray[np.floating], learned: NDArray[np.floating], *, neighbours: int = NEIGHBOURS
) -> NDArray[np.float64]:
    """Return the distance (N,) to the k-th nearest of `learned` (M, F), all features brought to length one.

    Where fewer are learned, the farthest of them counts.
    """
    there = _of_length_one(learned)
    rank = min(neighbours, len(there)) - 1
    distances = np.empty(len(features))
    for start in range(0, len(features), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        squares = 2 - 2 * _of_length_one(features[rows]) @ there.T
        distances[rows] = np.sqrt(np.maximum(np.partition(squares, rank, axis=1)[:, rank], 0))
    return distances


def _of_length_one(features: NDArray[np.floating]) -> NDArray[np.float64]:
    exact = features.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = exact / np.maximum(lengths, SHORTEST)
    return scaled
