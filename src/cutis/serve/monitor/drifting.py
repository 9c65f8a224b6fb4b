"""Whether pictures and answers still are what they were where the release was made, and when that is an alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.serve.monitor.past import Glimpse
from cutis.serve.monitor.rules import Rules
from cutis.serve.reference import DIFFERENCE, DISTANCE, INDEX, Drift, Recent, Reference, drifts_of
from cutis.stats.drift import counts_in
from cutis.vocabulary.chance import chance

DAY = 86_400.0
NUMBERS = ("sharpness", "brightness", "contrast", "width", "height", "distance", "probability")
UNLIKELY = 0.05  # what chance alone would do more often than this is no alarm


class Shape(NamedTuple):
    """How a number is spread over the reference's bins, there and here: shares (B,) of each."""

    reference: tuple[float, ...]
    recent: tuple[float, ...]


class Mix(NamedTuple):
    """One word of a kind, or one side of a share: how often it stands in the reference, and here; shares."""

    word: str  # "" for all that the reference does not tell by itself
    reference: float
    recent: float


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One thing, by one figure, in several windows, the newest first."""

    what: str
    figure: str
    windows: tuple[Drift, ...]
    limit: float
    state: str  # "alarm", "beyond": in the newest window alone, "steady", or "few"
    shape: Shape | None  # of a number
    mix: tuple[Mix, ...]  # of words and shares


def watched(
    reference: Reference, seen: Sequence[Glimpse], *, rules: Rules, release_sha256: str, now: float
) -> tuple[Watched, ...]:
    """Hold the newest windows against the reference.

    Args:
        reference: of the release that answers.
        seen: what the release itself answered, the oldest first, as old as the oldest window at least.
        rules: when it is an alarm.
        release_sha256: of the release.
        now: the time.
    """
    by_window = []
    for window in range(rules.windows):
        ends = now - window * rules.days * DAY
        inside = [each for each in seen if ends - rules.days * DAY <= each.at < ends]
        recent = recent_of(inside)
        by_window.append((recent, drifts_of(reference, recent, generator=chance("monitor", release_sha256, window))))
    newest = by_window[0][0]
    return tuple(
        _watched(tuple(drifts[place] for _, drifts in by_window), rules, reference, newest)
        for place in range(len(by_window[0][1]))
    )


def recent_of(seen: Sequence[Glimpse]) -> Recent:
    """Return what is compared of N examinations: of each its first picture, and its answer."""
    return Recent(
        case_ids=[each.case_id for each in seen],
        numbers={name: [getattr(each, name) for each in seen] for name in NUMBERS},
        kinds={"first": [each.first for each in seen], "device": [each.device for each in seen]},
        shares={
            "marked": [each.is_marked for each in seen],
            "abstained": [each.is_withheld for each in seen],
            "unusual": [each.is_unusual for each in seen],
        },
    )


def _watched(windows: tuple[Drift, ...], rules: Rules, reference: Reference, recent: Recent) -> Watched:
    limits = {INDEX: rules.index, DISTANCE: rules.distance, DIFFERENCE: rules.share}
    newest = windows[0]
    limit = limits[newest.figure]
    beyond = [_is_beyond(each, limit, rules) for each in windows]
    state = "alarm" if all(beyond) else "beyond" if beyond[0] else "steady"
    if newest.estimate.value is None or newest.recent < rules.lesions:
        state = "few"
    return Watched(
        what=newest.what,
        figure=newest.figure,
        windows=windows,
        limit=limit,
        state=state,
        shape=_shape(reference, recent, newest.what),
        mix=_mix(reference, recent, newest.what),
    )


def _is_beyond(drift: Drift, limit: float, rules: Rules) -> bool:
    value = drift.estimate.value
    if value is None or drift.p is None or drift.recent < rules.lesions:
        return False
    return abs(value) > limit and drift.p < UNLIKELY


def _shape(reference: Reference, recent: Recent, what: str) -> Shape | None:
    bins = reference.numbers.get(what)
    known = [value for value in recent.numbers.get(what, ()) if value is not None]
    if bins is None or not known:
        return None
    here = counts_in(np.array(known, np.float64), bins.edges)
    return Shape(_shares(np.array(bins.counts)), _shares(here))


def _mix(reference: Reference, recent: Recent, what: str) -> tuple[Mix, ...]:
    if what in reference.kinds:
        kinds = reference.kinds[what]
        here = _shares(kinds.counts_of([word for word in recent.kinds[what] if word is not None]))
        there = _shares(np.array([*kinds.clusters.values(), kinds.of_others]))
        found = zip((*kinds.clusters, ""), there, here, strict=True)
        return tuple(Mix(*each) for each in found if each[1] or each[2])
    share = reference.shares.get(what)
    known = [flag for flag in recent.shares.get(what, ()) if flag is not None]
    if share is None or share.clusters is None or not known:
        return ()
    return (Mix("yes", share.clusters / share.of, sum(known) / len(known)),)


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / max(1, counts.sum())).tolist())
