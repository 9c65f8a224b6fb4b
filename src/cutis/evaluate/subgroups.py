"""For whom the figures hold: by age, sex, body site and whatever else was recorded, each group with its gap.

*The gap* of a group is its figure less that of all other cases of which the attribute is known. So no group is made the
measure of the others, the gap does not hang on which group happens to be largest, and where two groups are all there
is, one gap is the other with its sign turned. Cases of unknown value are a group of their own, held against all known.

*Who speaks* is said in `sides`: a figure that too few clusters carry is not given, but named with their count. A macro
figure is the mean over the diagnoses that speak in the group, its gap over those that speak on both sides.

All figures and gaps come from the rounds that the whole test is resampled by. A gap is no cause: groups differ in
their diagnoses and in how these were confirmed, too. Among many gaps some leave 0 out of their interval by chance, so
that their number is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.groups import UNKNOWN, groups_of
from cutis.evaluate.sides import (
    FIGURES,
    SHARES,
    Judged,
    Side,
    judged_by_truth,
    mean_of,
    parts_of,
    said_of,
    said_of_both,
    side_of,
)
from cutis.stats.intervals import (
    FEWEST_CLUSTERS,
    PAIRED,
    ROUNDS,
    clusters_in,
    estimate_of_rounds,
    resample,
    with_width,
)
from cutis.stats.metrics import Weights
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Some of the test's cases, what they give, and how far they lie from the others."""

    attribute: str
    group: str
    cases: int
    clusters: int
    estimates: dict[str, Estimate]  # by the names of FIGURES
    gaps: dict[str, Estimate]  # the group less all others that are known, over what speaks on both sides

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "attribute": self.attribute,
            "group": self.group,
            "cases": self.cases,
            "clusters": self.clusters,
            "estimates": plain(self.estimates),
            "gaps": plain(self.gaps),
        }


@dataclass(frozen=True, kw_only=True)
class Subgroups:
    """Every group of a test."""

    groups: tuple[Subgroup, ...]
    unrecorded: tuple[str, ...]  # attributes of which nothing is known
    gaps_examined: int  # that have a value; two groups that are each other's rest count once
    gaps_apart: int  # of them, whose interval leaves 0 out

    def content(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "figures": FIGURES,
            "fewest_clusters": FEWEST_CLUSTERS,
            "groups": [group.content() for group in self.groups],
            "unrecorded": list(self.unrecorded),
            "gaps_examined": self.gaps_examined,
            "gaps_apart": self.gaps_apart,
        }


def subgroups_of(
    predictions: Predictions, cases: Manifest, *, generator: np.random.Generator, rounds: int = ROUNDS
) -> Subgroups:
    """Return every figure and gap of every group of a test.

    Args:
        predictions: with truth.
        cases: what is recorded of the same cases, in the same order.
        generator: the chance that draws the rounds; fresh from the same seed, it draws those of the whole test.
        rounds: how many rounds.

    Raises:
        ValueError: the predictions have no truth, or the cases are others.
    """
    if predictions.case_ids != tuple(cases.column("case_id")):
        raise ValueError("these are not the cases that were predicted")
    judged, grouped = judged_by_truth(predictions, malignant=np.array(cases.taxonomy.malignant)), groups_of(cases)
    contrasts = tuple(_contrasts(grouped, judged))
    plain = _figures(contrasts, judged, np.ones((1, len(predictions))))
    resampled = resample(clusters_in(predictions), rounds=rounds, generator=generator)
    drawn = np.concatenate([_figures(contrasts, judged, weights) for weights in resampled], axis=-1)
    groups = tuple(
        _subgroup(contrast, values[..., 0], spread, codes=predictions.codes)
        for contrast, values, spread in zip(contrasts, plain, drawn, strict=True)
    )
    gaps = {
        (frozenset((contrast.group.key, contrast.rest.key)), name): _lies_apart(gap)
        for contrast, group in zip(contrasts, groups, strict=True)
        for name, gap in group.gaps.items()
        if gap.value is not None
    }
    unrecorded = tuple(attribute for attribute, members in grouped.items() if not members)
    return Subgroups(groups=groups, unrecorded=unrecorded, gaps_examined=len(gaps), gaps_apart=sum(gaps.values()))


class _Contrast(NamedTuple):
    attribute: str
    name: str
    group: Side
    rest: Side


def _contrasts(grouped: dict[str, dict[str, NDArray[np.bool_]]], judged: Judged) -> Iterator[_Contrast]:
    for attribute, groups in grouped.items():
        is_known = ~groups.get(UNKNOWN, np.zeros(len(judged.truth), dtype=np.bool_))
        for name, members in groups.items():
            yield _Contrast(attribute, name, side_of(members, judged), side_of(is_known & ~members, judged))


def _figures(contrasts: Sequence[_Contrast], judged: Judged, weights: Weights) -> NDArray[np.float64]:
    """Return every figure of every group and its gap (C, 2, figures, R), all from the same rounds (R, N)."""
    sides = {side.key: side for contrast in contrasts for side in (contrast.group, contrast.rest)}
    parts = {key: parts_of(side, judged, weights[:, side.members]) for key, side in sides.items()}
    found = np.empty((len(contrasts), 2, len(FIGURES), len(weights)))
    for number, (_, _, group, rest) in enumerate(contrasts):
        for place, figure in enumerate(FIGURES):
            own, others = parts[group.key][figure], parts[rest.key][figure]
            shared = group.speaks(figure) & rest.speaks(figure)
            found[number, 0, place] = mean_of(own, group.speaks(figure))
            found[number, 1, place] = mean_of(own, shared) - mean_of(others, shared)
    return found


def _subgroup(
    contrast: _Contrast, values: NDArray[np.float64], drawn: NDArray[np.float64], *, codes: Sequence[str]
) -> Subgroup:
    """Join values (2, figures) with their rounds (2, figures, R), or with the reason why there is none."""
    _, _, group, rest = contrast
    estimates, gaps = {}, {}
    for place, figure in enumerate(FIGURES):
        estimate = estimate_of_rounds(
            values[0, place],
            drawn[0, place],
            clusters=group.resting(figure),
            cluster_kind=group.kind,
            note=said_of(group, figure, codes, value=values[0, place]),
        )
        gap = estimate_of_rounds(
            values[1, place],
            drawn[1, place],
            clusters=min(group.resting(figure), rest.resting(figure)),  # the smaller side carries the doubt
            cluster_kind=group.kind,
            kind=PAIRED,
            note=said_of_both(group, rest, figure, codes),
        )
        estimates[figure] = with_width(estimate, is_share=figure in SHARES)
        gaps[figure] = with_width(gap, is_share=False)
    return Subgroup(
        attribute=contrast.attribute,
        group=contrast.name,
        cases=len(group.members),
        clusters=group.clusters,
        estimates=estimates,
        gaps=gaps,
    )


def _lies_apart(gap: Estimate) -> bool:
    return gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high
