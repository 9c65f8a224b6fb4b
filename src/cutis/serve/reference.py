"""What a clinic's pictures and answers are held against: those of the place where the release was made.

Every comparison counts independent clusters, each by its first picture or answer that is known; too few of them are
told as such, with no number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.release import REFERENCE, Release
from cutis.stats.drift import Binned, Change, counts_in, distance_change, index_change, share_change
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import check_stamp

FEWEST = 50  # clusters on either side: so that of ten bins each can be expected to hold five
Value = TypeVar("Value")
INDEX, DISTANCE, DIFFERENCE = "population stability index", "Kolmogorov–Smirnov distance", "difference of shares"


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """How many clusters have which word."""

    clusters: Mapping[str, int]
    others: tuple[str, ...]  # rare ones, which are told together
    of_others: int  # clusters

    def counts_of(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return how many of N words are each of those that are told, and last how many are none of them."""
        places = {word: place for place, word in enumerate(self.clusters)}
        found = [places.get(word, len(places)) for word in words]
        return np.bincount(np.array(found, np.int64), minlength=len(places) + 1)


class Share(NamedTuple):
    """Of how many clusters something holds."""

    clusters: int | None  # None: so few that it is not told
    of: int


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Counts of pictures and answers, each cluster once; nobody's own values are in it."""

    splits: tuple[str, ...]  # of the dataset, whose pictures they are
    pictures: int  # of these splits
    clusters: int
    cluster_kind: str  # "patient" or "lesion"
    numbers: Mapping[str, Binned]  # sharpness, brightness, contrast, width, height; probability and distance of answers
    kinds: Mapping[str, Kinds]  # "first": the most probable diagnosis; "device", where it is known
    shares: Mapping[str, Share]  # "marked": with a mark of quality; "abstained"; "unusual": for their distance alone


@dataclass(frozen=True, kw_only=True)
class Recent:
    """What came to a clinic: N pictures or answers, in the order of time, under the names of `Reference`."""

    case_ids: Sequence[str]  # N: whose they are
    numbers: Mapping[str, Sequence[float | None]] = field(default_factory=dict)  # N each; None: not known
    kinds: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    shares: Mapping[str, Sequence[bool | None]] = field(default_factory=dict)


class Drift(NamedTuple):
    """How far one thing has moved; too few clusters have an estimate without a value, and its note says why."""

    what: str
    figure: str
    estimate: Estimate
    p: float | None  # of a change at least as large, if nothing changed
    by_chance: float | None  # what the plain figure stays below in 95 % of draws if nothing changed
    recent: int  # clusters
    reference: int


def reference_of(release: Release) -> Reference | None:
    """Return the reference that a release carries; None in one of an older version.

    Raises:
        UserError: it is damaged, or of a newer format.
    """
    if REFERENCE not in release.sealed.entries:
        return None
    where = str(release.sealed.folder / REFERENCE)
    try:
        said: dict[str, Any] = json.loads(release.read(REFERENCE))
        check_stamp(said, "reference", where=where)
        return Reference(
            splits=tuple(said["splits"]),
            pictures=int(said["pictures"]),
            clusters=int(said["clusters"]),
            cluster_kind=str(said["cluster_kind"]),
            numbers={
                name: Binned(tuple(each["edges"]), tuple(each["clusters"])) for name, each in said["numbers"].items()
            },
            kinds={name: Kinds(**each | {"others": tuple(each["others"])}) for name, each in said["kinds"].items()},
            shares={name: Share(**each) for name, each in said["shares"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        mend = "make the release again: cutis release --again"
        raise UserError(f"this is no reference: {error}", where=where, mend=mend) from error


def drifts_of(reference: Reference, recent: Recent, *, generator: np.random.Generator) -> tuple[Drift, ...]:
    """Return how far everything has moved that both know: numbers, then kinds, then shares.

    Args:
        reference: of the release that answered.
        recent: of the clinic.
        generator: draws the rounds of intervals and tests.
    """
    drifts: list[Drift] = []
    for name in (name for name in reference.numbers if name in recent.numbers):
        drifts += number_drifts(reference, name, recent.numbers[name], recent.case_ids, generator=generator)
    for name in (name for name in reference.kinds if name in recent.kinds):
        drifts.append(kind_drift(reference, name, recent.kinds[name], recent.case_ids, generator=generator))
    for name in (name for name in reference.shares if name in recent.shares):
        drifts.append(share_drift(reference, name, recent.shares[name], recent.case_ids, generator=generator))
    return tuple(drifts)


def number_drifts(
    reference: Reference,
    name: str,
    values: Sequence[float | None],
    case_ids: Sequence[str],
    *,
    generator: np.random.Generator,
) -> tuple[Drift, Drift]:
    """Return how far a number has moved: by the population stability index, and by Kolmogorov's and Smirnov's distance.

    Raises:
        KeyError: the reference does not know it.
    """
    bins = reference.numbers[name]
    recent = counts_in(np.array(_first_known(values, case_ids), np.float64), bins.edges)
    by_index, by_distance = (
        _drift(reference, (name, figure), recent, np.array(bins.counts), change, generator=generator)
        for figure, change in ((INDEX, index_change), (DISTANCE, distance_change))
    )
    return by_index, by_distance


def kind_drift(
    reference: Reference,
    name: str,
    words: Sequence[str | None],
    case_ids: Sequence[str],
    *,
    generator: np.random.Generator,
) -> Drift:
    """Return how far the mix of words has moved; all that the reference does not tell by itself count as one.

    Raises:
        KeyError: the reference does not know it.
    """
    kinds = reference.kinds[name]
    before = np.array([*kinds.clusters.values(), kinds.of_others])
    recent = kinds.counts_of(_first_known(words, case_ids))
    return _drift(reference, (name, INDEX), recent, before, index_change, generator=generator)


def share_drift(
    reference: Reference,
    name: str,
    flags: Sequence[bool | None],
    case_ids: Sequence[str],
    *,
    generator: np.random.Generator,
) -> Drift:
    """Return by how much a share has moved.

    Raises:
        KeyError: the reference does not know it.
    """
    share, known = reference.shares[name], _first_known(flags, case_ids)
    recent = np.array([known.count(False), known.count(True)])
    if share.clusters is None:
        why = f"of the reference's {share.of} so few are on one side that their number is not told"
        return Drift(name, DIFFERENCE, _untold(reference, len(known), why), None, None, len(known), share.of)
    before = np.array([share.of - share.clusters, share.clusters])
    return _drift(reference, (name, DIFFERENCE), recent, before, share_change, generator=generator)


def _drift(
    reference: Reference,
    told: tuple[str, str],
    recent: NDArray[np.int64],
    before: NDArray[np.int64],
    change: Callable[..., Change],
    *,
    generator: np.random.Generator,
) -> Drift:
    now, then = int(recent.sum()), int(before.sum())
    if min(now, then) < FEWEST:
        whose = "came" if now < FEWEST else "are in the reference"
        why = f"{min(now, then)} {whose}, which are too few to compare: {FEWEST} are needed"
        return Drift(*told, _untold(reference, now, why), None, None, now, then)
    found = change(recent, before, cluster_kind=reference.cluster_kind, generator=generator)
    return Drift(*told, found.estimate, found.p, found.by_chance, now, then)


def _untold(reference: Reference, clusters: int, why: str) -> Estimate:
    kind = reference.cluster_kind
    return Estimate(value=None, low=None, high=None, method="none", clusters=clusters, cluster_kind=kind, note=why)


def _first_known(values: Sequence[Value | None], case_ids: Sequence[str]) -> list[Value]:
    """Return the first of each case's values that is known."""
    found: dict[str, Value] = {}
    for case_id, value in zip(case_ids, values, strict=True):
        if value is not None:
            found.setdefault(case_id, value)
    return list(found.values())
