"""How the network groups the cases: t-SNE of its last hidden layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError

FEWEST_CASES = 10
USUAL_PERPLEXITY = 30.0
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that fixes the map, beside the features and the version of the library."""

    perplexity: float
    initialization: str
    metric: str
    early_exaggeration_iterations: int
    iterations: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"method": "t-SNE of the last hidden layer", "library": f"openTSNE {version('opentsne')}"}


def settings_for(cases: int) -> Settings:
    """Return the usual settings; of few cases each has fewer neighbours to keep."""
    return Settings(
        perplexity=min(USUAL_PERPLEXITY, (cases - 1) / 3),
        initialization="pca",
        metric="euclidean",
        early_exaggeration_iterations=250,
        iterations=500,
        seed=seed_of(SEED, "atlas") % 2**31,
    )


def place_cases(features: NDArray[np.float32], settings: Settings) -> NDArray[np.float64]:
    """Lay N cases out in the plane (N, 2) so that neighbours among their features (N, F) stay neighbours.

    t-SNE of van der Maaten and Hinton (2008) by openTSNE (Poličar, Stražar, Zupan, 2024), begun from the first two
    principal components so that the large order is kept (Kobak and Berens, 2019).

    Raises:
        UserError: too few cases for a map, or features that are all the same or not finite.
    """
    from openTSNE import TSNE

    require_spread(features)
    embedding = TSNE(
        perplexity=settings.perplexity,
        initialization=settings.initialization,
        metric=settings.metric,
        early_exaggeration_iter=settings.early_exaggeration_iterations,
        n_iter=settings.iterations,
        random_state=settings.seed,
        n_jobs=1,  # with more the sums are taken in another order, and the map is another each time
    ).fit(features)
    return np.asarray(embedding, dtype=np.float64)


def require_spread(features: NDArray[np.float32]) -> None:
    """Refuse what no map can be drawn of.

    Raises:
        UserError: fewer than `FEWEST_CASES`, or features that are all the same or not finite.
    """
    where = "features of the test split"
    if len(features) < FEWEST_CASES:
        what = f"{len(features)} cases are too few for a map, which needs {FEWEST_CASES}"
        raise UserError(what, where=where, mend="curate more cases, so that the test split has more")
    if not np.isfinite(features).all() or np.ptp(features, axis=0).max() == 0:
        what = "the network says the same of every case, or nothing finite"
        raise UserError(what, where=where, mend="train again, with another recipe")
