"""Measures methods on the same cases: small changes, places taken away, things pointed at, weights drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cutis.explain.sanity import deletion, stability
from cutis.explain.sanity.asking import Maps, Methods, maps_by, spread, stacked
from cutis.explain.sanity.examined import PerCase, Plan, Redrawn, Removal, Subject
from cutis.explain.sanity.pointing import blob, pointed
from cutis.explain.sanity.randomisation import cascade, levels_of
from cutis.imaging.prepare import spread_back
from cutis.progress import track
from cutis.runtime.maps import Map
from cutis.stats.rank_correlation import rank_correlations
from cutis.vocabulary.chance import chance

SEED = 0
OTHERS = 5  # maps of other pictures that a mask is held against, too
BLOB, MOVED = "the middle first", "{}, elsewhere"
POINTING = ("share", "hit", "chance", "blob", "blob_hit", "others")

Untrained: TypeAlias = Callable[[int], nn.Module]  # seed → a network without any training


def small_changes(
    network: nn.Module, methods: Methods, subject: Subject, *, of_what: str
) -> tuple[Maps, dict[str, dict[str, PerCase]]]:
    """Return every map, and what is left of its order under shifts and noise, beside the map of another picture."""
    asked, size = subject.asked, subject.asked.size
    shifts = stability.shifts_of(size)
    noisy = stability.noisy(asked.pictures, generator=chance(SEED, "noise", *subject.keys))
    changed = [asked.pictures, noisy, *(stability.shifted(asked.pictures, shift) for shift in shifts)]
    asks = track(changed, f"maps of pictures, noisy and shifted{of_what}", total=len(changed))
    maps, noised, *moved = [maps_by(network, methods, replace(asked, pictures=each)) for each in asks]
    kept = {}
    for name in methods:
        before = stacked(maps[name], size)
        by_shift = [
            stability.kept_under(shift, before, stacked(each[name], size))
            for shift, each in zip(shifts, moved, strict=True)
        ]
        kept[name] = {
            "shift": np.mean(by_shift, axis=0),
            "noise": stability.agreement(before, stacked(noised[name], size)),
            "another": stability.agreement(before, np.roll(before, 1, axis=0)),
        }
    return maps, kept


def removals(maps: Maps, subject: Subject, *, steps: int, of_what: str) -> dict[str, Removal]:
    """Return the curves by every map, by the same map `MOVED`, and by a `BLOB`."""
    found: dict[str, list[deletion.Curves]] = {}
    cases = track(range(len(subject)), f"taking pictures apart{of_what}", total=len(subject))
    for at in cases:
        diagnosis = subject.asked.questions[at].diagnosis

        def believed(pictures: NDArray[np.uint8], diagnosis: int = diagnosis) -> PerCase:
            return subject.believed(pictures, diagnosis)

        for name, order in _orders(maps, subject, at):
            drawn = deletion.curves(subject.asked.pictures[at], order, believed, steps=steps)
            found.setdefault(name, []).append(drawn)
    return {
        name: Removal(
            deletion=np.array([each.deletion for each in drawn]), insertion=np.array([each.insertion for each in drawn])
        )
        for name, drawn in found.items()
    }


def pointing(maps: Sequence[Map], subject: Subject, target: str) -> dict[str, PerCase]:
    """Return `POINTING` of each case's map: what lies inside the mask of a target, beside what does not look at it.

    `others` is what the maps of other pictures have inside the same mask: so much a map has by habit.
    """
    found = np.full((len(POINTING), len(subject)), np.nan)
    for at, (size, masks) in enumerate(zip(subject.sizes, subject.masks, strict=True)):
        if target not in masks:
            continue
        preparation, mask = subject.asked.preparation, masks[target]
        seen = spread_back(np.ones((1, 1), np.float32), size, preparation) > 0
        turn = [maps[(at + step) % len(maps)] for step in range(1 + min(OTHERS, len(maps) - 1))]
        own, *others = [pointed(spread_back(each, size, preparation), mask, seen=seen) for each in turn]
        of_blob = pointed(blob(*size[::-1]), mask, seen=seen)
        by_habit = np.mean([other.share for other in others])
        found[:, at] = (own.share, own.hit, own.chance, of_blob.share, of_blob.hit, by_habit)
    return dict(zip(POINTING, found, strict=True))


def redrawn(
    network: nn.Module,
    methods: Methods,
    subject: Subject,
    maps: Maps,
    *,
    plan: Plan,
    untrained: Untrained,
    of_what: str,
) -> dict[str, Redrawn]:
    """Return what is left of every map's order when weights are drawn anew, wholly and layer by layer."""
    levels = levels_of(network)[:-1]  # after the last nothing is left, which is asked of every seed
    anew: dict[str, list[Sequence[Map]]] = {name: [] for name in methods}
    fallen: dict[str, dict[str, list[PerCase]]] = {name: {level.name: [] for level in levels} for name in methods}
    for seed in track(range(plan.seeds), f"drawing weights anew{of_what}", total=plan.seeds):
        fresh = untrained(seed)
        for name, each in maps_by(fresh, methods, subject.asked).items():
            anew[name].append(each)
        for level, partly in cascade(network, fresh, levels) if seed < plan.cascade_seeds else ():
            for name, each in maps_by(partly, methods, subject.asked).items():
                fallen[name][level.name].append(_correlations(maps[name], each))
    return {
        name: Redrawn(
            trained=np.array([_correlations(maps[name], each) for each in anew[name]]),
            null=np.array(
                [_correlations(one, anew[name][at - 1]) for at, one in enumerate(anew[name])]  # each and the one before
            ),
            cascade={level: np.array(values) for level, values in fallen[name].items() if values},
        )
        for name in methods
    }


def _orders(maps: Maps, subject: Subject, at: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    size, generator = subject.asked.size, chance(SEED, "removal", subject.keys[at])
    yield BLOB, deletion.order_of(blob(size, size), generator=generator)
    for name, each in maps.items():
        saliency = spread(each[at], size)
        yield name, deletion.order_of(saliency, generator=generator)
        moved = deletion.elsewhere(saliency, generator=generator)
        yield MOVED.format(name), deletion.order_of(moved, generator=generator)


def _correlations(one: Sequence[Map], other: Sequence[Map]) -> PerCase:
    return rank_correlations(*(np.stack(each).reshape(len(each), -1) for each in (one, other)))
