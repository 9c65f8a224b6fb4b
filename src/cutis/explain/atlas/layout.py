"""How the network groups the cases: t-SNE of what one of its depths says of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.explain.atlas.neighbours import nearest_neighbours
from cutis.progress import cores
from cutis.runtime.atlas import Atlas
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError

FEWEST_CASES = 10
USUAL_PERPLEXITY = 30.0
MOST_COMPONENTS = 50
SEED = 0
WORTH_THREADS = 5000  # cases; on a smaller map threads wait for one another longer than they work
ROWS = 4096  # of features that are squared at once
START = 1e-4  # spread of the map before anything moved
Features = NDArray[np.float32]  # (N, F)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that fixes the map, beside the features and the version of the library."""

    components: int  # to which the features are reduced
    perplexity: float
    initialization: str
    metric: str
    early_exaggeration_iterations: int
    iterations: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"method": "t-SNE", "library": f"openTSNE {version('opentsne')}"}


class LaidOut(NamedTuple):
    """A map of N cases."""

    atlas: Atlas
    neighbours: NDArray[np.int64]  # (N, k) of each case among the features, the nearest first
    variance: float  # share of the features' variance that the components hold


def settings_for(cases: int) -> Settings:
    """Return the usual settings; of few cases each has fewer neighbours to keep."""
    return Settings(
        components=min(MOST_COMPONENTS, cases - 1),
        perplexity=min(USUAL_PERPLEXITY, (cases - 1) / 3),
        initialization="pca",
        metric="euclidean",
        early_exaggeration_iterations=250,
        iterations=500,
        seed=seed_of(SEED, "atlas") % 2**31,
    )


def lay_out(features: Features, settings: Settings, *, what: str = "last hidden layer") -> LaidOut:
    """Lay N cases out in the plane so that neighbours among their features (N, F) stay neighbours.

    The features are first reduced to their principal components, which hold nearly all that is not noise, are cheap to
    compare, and are what a new case is compared by. t-SNE of van der Maaten and Hinton (2008) by openTSNE (Poličar,
    Stražar, Zupan, 2024) with exact neighbours, begun from the first two components so that the large order is kept
    (Kobak and Berens, 2019). Any number of threads gives the same map.

    Raises:
        UserError: too few cases for a map, or features that are all the same or not finite.
    """
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    require_spread(features, what=what)
    mean, axes, variance = principal_axes(features, settings.components)
    along = np.asarray((features - mean) @ axes, dtype=np.float32)
    neighbours = nearest_neighbours(along, min(len(along) - 1, int(3 * settings.perplexity)))
    threads = cores() if len(along) >= WORTH_THREADS else 1
    embedding = TSNE(
        early_exaggeration_iter=settings.early_exaggeration_iterations,
        n_iter=settings.iterations,
        random_state=settings.seed,
        n_jobs=threads,
    ).fit(
        affinities=PerplexityBasedNN(
            perplexity=settings.perplexity, knn_index=PrecomputedNeighbors(*neighbours), n_jobs=threads
        ),
        initialization=_start(along),
    )
    places = np.array(embedding, dtype=np.float64)
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    return LaidOut(Atlas(mean=mean, axes=axes, features=along, places=places), neighbours.rows, variance)


class Axes(NamedTuple):
    """The directions in which features spread most."""

    mean: NDArray[np.float32]  # (F,)
    axes: NDArray[np.float32]  # (F, P), the widest first, each with its largest entry positive
    variance: float  # share that they hold


def principal_axes(features: Features, count: int) -> Axes:
    """Return the first principal axes of features (N, F): no more than there are directions in which they spread."""
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = features - mean
    is_flat = len(centred) < centred.shape[1]  # the smaller of the two products has the same values
    values, vectors = np.linalg.eigh(_squared(centred.T if is_flat else centred))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values[:count] > 1e-6 * values[0]
    values, total, vectors = values[:count][kept], values.clip(0).sum(), vectors[:, :count][:, kept]
    axes = (centred.T.astype(np.float64) @ vectors) / np.sqrt(values) if is_flat else vectors
    largest = np.abs(axes).argmax(axis=0)
    axes *= np.sign(axes[largest, np.arange(axes.shape[1])])
    return Axes(mean, axes.astype(np.float32), float(values.sum() / total))


def _squared(rows: Features) -> NDArray[np.float64]:
    """Return rowsᵀ · rows, a part of the rows at a time."""
    squared = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        squared += part.T @ part
    return squared


def _start(along: Features) -> NDArray[np.float64]:
    start = np.zeros((len(along), 2))
    start[:, : along.shape[1]] = along[:, :2]
    start *= START / start[:, 0].std()
    return start


def require_spread(features: Features, *, what: str = "last hidden layer") -> None:
    """Refuse what no map can be drawn of.

    Raises:
        UserError: fewer than `FEWEST_CASES`, or features that are all the same or not finite.
    """
    where = f"features of the {what}"
    if len(features) < FEWEST_CASES:
        few = f"{len(features)} cases are too few for a map, which needs {FEWEST_CASES}"
        raise UserError(few, where=where, mend="curate more cases, or lay out all splits: cutis explain --atlas all")
    if not np.isfinite(features).all() or np.ptp(features, axis=0).max() == 0:
        same = "the network says the same of every case, or nothing finite"
        raise UserError(same, where=where, mend="train again, with another recipe")
