"""The atlas: the cases of a dataset as every depth of the network groups them, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.explain.atlas.depths import LAST, map_to_show, see
from cutis.explain.atlas.layout import Features, Settings, lay_out, require_spread, settings_for
from cutis.explain.atlas.quality import counts_for, quality_of
from cutis.explain.evaluated import Evaluated
from cutis.progress import track
from cutis.runtime.atlas import Atlas, place
from cutis.runtime.engines import Engine
from cutis.stats.intervals import estimate_mean
from cutis.vocabulary.case import SPLITS, Case
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate

Splits = Literal["test", "all"]
SHOWN = 8  # neighbours of each case


class Cast(NamedTuple):
    """Whom an atlas shows."""

    laid_out: tuple[Case, ...]  # the map is made of them
    placed: tuple[Case, ...]  # put on it afterwards
    asked: tuple[str, ...] = ()  # who was asked for by name


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The map of one depth."""

    name: str
    atlas: Atlas  # of those that were laid out
    places: NDArray[np.float64]  # (M, 2) of all, those that were laid out first
    neighbours: NDArray[np.int64]  # (M, k) of all, among those laid out by their features, the nearest first
    variance: float  # share that its components hold
    quality: dict[str, Estimate]  # such as "trustworthiness/10"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """M cases on the maps of all depths, those that were laid out first."""

    cast: Cast
    probabilities: NDArray[np.float64]  # (M, K)
    depths: tuple[Depth, ...]  # shallow to deep
    maps: NDArray[np.uint8]  # (M, 12, 12)
    shown: str | None  # which map of the forward pass these are; None: none is shown
    settings: Settings
    asked: tuple[int, ...]  # rows that were asked for by name

    @property
    def cases(self) -> tuple[Case, ...]:
        """All of them."""
        return self.cast.laid_out + self.cast.placed

    @property
    def laid_out(self) -> int:
        """How many the map is made of."""
        return len(self.cast.laid_out)

    @property
    def last(self) -> Depth:
        """The last hidden layer's."""
        return self.depths[-1]


def cast_of(evaluated: Evaluated, splits: Splits, *, asked: Sequence[str] = ()) -> Cast:
    """Choose the settled cases of the test split or of all, and what was asked for beside them.

    Raises:
        UserError: a case that is not in the dataset, or too few for a map.
    """
    by_id = {case.case_id: case for case in evaluated.manifest.cases}
    laid_out = [by_id[case_id] for case_id in evaluated.predictions.case_ids]
    if splits == "all":
        learned = (evaluated.manifest.of_split(split).cases for split in SPLITS if split != evaluated.predictions.split)
        laid_out += [case for cases in learned for case in cases]
    else:
        require_spread(evaluated.features)
    there = {case.case_id for case in laid_out}
    placed = [evaluated.case(case_id) for case_id in dict.fromkeys(asked) if case_id not in there]
    return Cast(tuple(laid_out), tuple(placed), tuple(dict.fromkeys(asked)))


def chart(engine: Engine, evaluated: Evaluated, cast: Cast, *, offered: Sequence[str] | None = None) -> Chart:
    """Lay out a cast by every depth, and place on these maps who was not laid out.

    `offered` are the saliency methods that passed their examination, None where there was none.

    Raises:
        UserError: a picture that changed, or features that no map can be drawn of.
    """
    cases, count = cast.laid_out + cast.placed, len(cast.laid_out)
    shown, settings = map_to_show(evaluated.bundle, offered), settings_for(count)
    seen = see(engine, evaluated, cases, shown=shown)
    for name, features in seen.features.items():
        require_spread(features[:count], what=name)
    depths: list[Depth] = []
    for name in track(
        [LAST, *(name for name in seen.features if name != LAST)], "laying out", total=len(seen.features)
    ):
        reference = depths[0].atlas.places if depths else None
        depths.append(_depth(name, seen.features[name], cast, settings, reference=reference, evaluated=evaluated))
    last, *stages = depths
    return Chart(
        cast=cast,
        probabilities=seen.probabilities,
        depths=(*stages, last),
        maps=seen.maps,
        shown=shown,
        settings=settings,
        asked=tuple(row for row, case in enumerate(cases) if case.case_id in set(cast.asked)),
    )


def _depth(
    name: str,
    features: Features,
    cast: Cast,
    settings: Settings,
    *,
    reference: NDArray[np.float64] | None,
    evaluated: Evaluated,
) -> Depth:
    count = len(cast.laid_out)
    atlas, neighbours, variance = lay_out(features[:count], settings, what=name)
    shown = min(SHOWN, neighbours.shape[1])
    if reference is not None:
        atlas = replace(atlas, places=turned(atlas.places, reference))
    placed = place(atlas, features[count:])
    return Depth(
        name=name,
        atlas=atlas,
        places=np.concatenate([atlas.places, placed.places]),
        neighbours=np.concatenate([neighbours[:, :shown], placed.neighbours[:, :shown]]),
        variance=variance,
        quality=_estimates(name, features[:count], atlas.places, cast, cluster_kind=evaluated.manifest.cluster_kind),
    )


def turned(places: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn and mirror a map (N, 2), whose up means nothing, so that it lies most like another of the same cases.

    The orthogonal Procrustes problem (Schönemann 1966): no distance on the map is changed.
    """
    left, _, right = np.linalg.svd((places - places.mean(axis=0)).T @ (reference - reference.mean(axis=0)))
    as_before: NDArray[np.float64] = places @ left @ right
    return as_before


def _estimates(
    name: str, features: Features, places: NDArray[np.float64], cast: Cast, *, cluster_kind: str
) -> dict[str, Estimate]:
    clusters = [case.cluster_id for case in cast.laid_out]
    by_count = quality_of(features, places, counts=counts_for(len(features)))
    return {
        f"{what}/{count}": estimate_mean(
            values, clusters, cluster_kind=cluster_kind, generator=chance("atlas", name, what, count)
        )
        for count, quality in by_count.items()
        for what, values in quality._asdict().items()
    }
