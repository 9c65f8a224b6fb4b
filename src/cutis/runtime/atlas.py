"""A map of cases, and where a new one belongs on it: nothing that is there moves. In numpy alone.

A new case is drawn to its nearest neighbours among the features and pushed off by every point of the map, as t-SNE does
it (van der Maaten and Hinton 2008) and as openTSNE places new points (Poličar, Stražar and Zupan, Machine Learning
2023). Few neighbours count, so that a case between two groups is put to one of them and not into the void between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, stamp, written_aside

ATLAS = "atlas.safetensors"
PERPLEXITY = 5.0  # of a new case; its neighbours are three times as many
EXAGGERATION = 1.5  # of its attraction to them
MEDIAN_OF = 25  # neighbours, in whose middle the search begins
STARTS = 3  # nearest neighbours at whose places it begins as well
MOST_STEPS = 200
SMALLEST_STEP = 1e-4  # units of the map
Array = NDArray[np.float32]
Places = NDArray[np.float64]  # (N, 2)


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """N cases at their places, with what is needed to find the place of another."""

    mean: Array  # (F,) of the features
    axes: Array  # (F, P) their principal components
    features: Array  # (N, P) of the cases, along these axes
    places: Places  # (N, 2)
    diagnosis: NDArray[np.int64] | None = None  # (N,) index into the taxonomy; None in an atlas of an older version

    def __len__(self) -> int:
        return len(self.places)

    def along_axes(self, features: Array) -> Array:
        """Return features (M, F) as (M, P).

        Raises:
            UserError: they are not finite, or of another network.
        """
        if features.shape[1:] != self.mean.shape:
            what = f"{features.shape[-1]} features do not fit an atlas of {len(self.mean)}"
            raise UserError(what, where="atlas", mend="use the atlas of this bundle: cutis explain --again")
        if not np.isfinite(features).all():
            what = "the network says nothing finite of a case"
            raise UserError(what, where="features of a new case", mend="train again, with another recipe")
        return np.asarray((features - self.mean) @ self.axes, dtype=np.float32)


class Placed(NamedTuple):
    """Where M new cases belong, and beside whom."""

    places: Places  # (M, 2)
    neighbours: NDArray[np.int64]  # (M, k) rows of the atlas, the nearest first
    distances: NDArray[np.float64]  # (M, k) to them among the features, along the atlas' axes


def place(atlas: Atlas, features: Array) -> Placed:
    """Place M new cases by the features (M, F) of their last hidden layer; each as if it came alone.

    Raises:
        UserError: features that are not finite, or of another network.
    """
    along = atlas.along_axes(features)
    neighbours, distances = nearest(atlas, along, count=min(len(atlas), max(MEDIAN_OF, int(3 * PERPLEXITY))))
    counting = min(len(atlas), int(3 * PERPLEXITY))
    pulls = affinities(distances[:, :counting], perplexity=PERPLEXITY)
    places = np.array(
        [_best_place(atlas.places, own, pull) for own, pull in zip(neighbours, pulls, strict=True)]
    ).reshape(-1, 2)
    return Placed(places, neighbours, distances)


class Nearest(NamedTuple):
    """The nearest cases of an atlas."""

    neighbours: NDArray[np.int64]  # (M, k)
    distances: NDArray[np.float64]  # (M, k)


def nearest(atlas: Atlas, along: Array, *, count: int) -> Nearest:
    """Return for each of M points along the atlas' axes (M, P) its nearest cases, exactly; equals by their row."""
    rows, found = [], []
    for point in along:
        squared = np.square(atlas.features - point).sum(axis=1, dtype=np.float64)
        closest = np.argpartition(squared, count - 1)[:count]
        closest = closest[np.lexsort((closest, squared[closest]))]
        rows.append(closest)
        found.append(np.sqrt(squared[closest]))
    return Nearest(np.array(rows, np.int64).reshape(-1, count), np.array(found).reshape(-1, count))


def affinities(distances: NDArray[np.float64], *, perplexity: float) -> NDArray[np.float64]:
    """Return how strongly a case is drawn to each of its k neighbours (M, k): Gaussian, rows sum to one.

    The width is such that the entropy is log2 of the perplexity (van der Maaten and Hinton 2008, equation 1); where
    there are fewer neighbours than three times the perplexity, of a third of them.
    """
    squared = np.square(distances)
    squared -= squared[:, :1]  # the nearest at nought, so that none vanishes
    scale = np.maximum(squared.mean(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    squared /= scale
    wanted = np.log(max(1.0, min(perplexity, distances.shape[1] / 3)))
    pulls = np.empty_like(squared)
    low, high = np.full((len(squared), 1), -60.0), np.full((len(squared), 1), 60.0)  # of the logarithm of the sharpness
    for _ in range(60):
        middle = (low + high) / 2
        pulls = np.exp(-squared * np.exp(middle))
        pulls = np.divide(pulls, pulls.sum(axis=1, keepdims=True))
        entropy = -(pulls * np.log(np.maximum(pulls, 1e-300))).sum(axis=1, keepdims=True)
        low, high = np.where(entropy > wanted, middle, low), np.where(entropy > wanted, high, middle)
    return pulls


def _best_place(places: Places, neighbours: NDArray[np.int64], pulls: NDArray[np.float64]) -> Places:
    """Search from the middle of the neighbours and from the nearest ones; keep where the divergence is least."""
    starts = [np.median(places[neighbours[:MEDIAN_OF]], axis=0), *places[neighbours[:STARTS]]]
    drawn_to = places[neighbours[: len(pulls)]]
    ends = [_descend(start, places, drawn_to, pulls) for start in starts]
    return min(ends, key=lambda end: end.divergence).point


class _At(NamedTuple):
    """A point of the map, and how well a case would lie there."""

    point: Places  # (2,)
    divergence: float  # Kullback-Leibler's, less what does not depend on the point
    slope: Places  # (2,)


def _descend(start: Places, places: Places, drawn_to: Places, pulls: NDArray[np.float64]) -> _At:
    """Go downhill, longer steps while they help and shorter ones where they do not."""
    here, step = _at(start, places, drawn_to, pulls), 1.0
    for _ in range(MOST_STEPS):
        length = float(np.hypot(*here.slope))
        if length == 0 or step < SMALLEST_STEP:
            break
        there = _at(here.point - step * here.slope / length, places, drawn_to, pulls)
        here, step = (there, 1.5 * step) if there.divergence < here.divergence else (here, step / 3)
    return here


def _at(point: Places, places: Places, drawn_to: Places, pulls: NDArray[np.float64]) -> _At:
    """Student's t with one degree of freedom between the point and the map, as in van der Maaten and Hinton."""
    from_all, from_drawn = point - places, point - drawn_to
    near_all = 1 / (1 + np.einsum("nd,nd->n", from_all, from_all))
    near_drawn = 1 / (1 + np.einsum("kd,kd->k", from_drawn, from_drawn))
    total = near_all.sum()
    attraction = EXAGGERATION * (pulls * near_drawn) @ from_drawn
    repulsion = np.square(near_all) @ from_all / total
    divergence = np.log(total) - EXAGGERATION * float(pulls @ np.log(near_drawn))
    return _At(point, float(divergence), 2 * (attraction - repulsion))


def write_atlas(path: Path, atlas: Atlas, *, about: dict[str, Any]) -> None:
    """Write an atlas as safetensors; its rows are those of atlas.parquet that were laid out."""
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {
        "mean": atlas.mean,
        "axes": atlas.axes,
        "features": atlas.features,
        "places": atlas.places,
    }
    if atlas.diagnosis is not None:
        tensors["diagnosis"] = atlas.diagnosis
    plain = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    with written_aside(path) as aside:
        save_file(plain, aside, metadata={"stamp": json.dumps(stamp("atlas") | about, ensure_ascii=False)})


def read_atlas(path: Path) -> Atlas:
    """Read what `write_atlas` wrote.

    Raises:
        UserError: the file is missing, damaged, of another kind or of a newer format.
    """
    try:
        with safe_open(path, "numpy") as file:
            check_stamp(json.loads((file.metadata() or {}).get("stamp", "{}")), "atlas", where=path)
            told = {"diagnosis"} & set(file.keys())
            tensors = {name: file.get_tensor(name) for name in ("mean", "axes", "features", "places", *told)}
    except (SafetensorError, OSError) as error:
        mend = "run cutis explain --again"
        raise UserError(f"this atlas is missing or damaged: {error}", where=str(path), mend=mend) from error
    return Atlas(**tensors)
