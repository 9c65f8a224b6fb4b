"""What a release says of several pictures of one lesion together, and whether it stands by it.

The answer is the mean of the calibrated probabilities of the pictures that are judged, as `cutis evaluate` does it per
lesion. Prediction set and abstention are made of that mean by the thresholds of single pictures; disagreement and
distance are the means of theirs.

A picture is *foreign* where the release abstains since it lies farther from what was learned than 99 of 100 of the
clinic's own that were held back for this (the `calibrate` split), or than all of them where they are fewer than 99. On
the test pictures of HAM10000 this says foreign of 1.2 % of the clinic's own, of the 5.3 % that are not answered; and of
drawings that are no dermoscopy and sharp enough to be judged, of 91 % (with 99.9 of 100: 0.3 % and 69 %; with 98 of
100: 1.8 % and 93 %). Distance tells such pictures best of all signals (AUROC 0.93 to 0.99, `benchmarks/held_out.md`),
and rare diseases hardly, so that these remain *unsure*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.batcher import Said
from cutis.runtime.bundle import Bundle
from cutis.runtime.predict import probabilities
from cutis.runtime.trust import Acceptance, Signals, grounds_of, is_beyond_all, signals_of
from cutis.serve.answer import Reason, State
from cutis.stats.conformal import is_unlike, prediction_sets

FOREIGN = "foreign"
FOREIGN_SHARE = 0.01  # of the clinic's own pictures lie so far away
DISTANCE = "distance"
NO_NUMBER = "no_number"
ROUNDING = 1e-9


class Judgement(NamedTuple):
    """What a release says of a lesion by its pictures."""

    state: State
    reasons: tuple[Reason, ...]  # why there is no answer, the weightiest first; then which pictures were left out
    probabilities: NDArray[np.float64]  # (K,) calibrated; no answer unless the state says so
    members: NDArray[np.bool_]  # (K,) of the prediction set; none where the bundle promises no set
    is_unlike: bool  # no diagnosis is probable enough for the set
    distances: Mapping[int, float]  # of each picture; none where nothing watches
    foreign: frozenset[int]  # pictures that are unlike everything that was learned from


def judge(bundle: Bundle, said: Mapping[int, Said]) -> Judgement:
    """Return what a bundle says of one lesion.

    Args:
        bundle: that was asked.
        said: by its network of each picture (N = 1 each), by the picture's number; at least one.
    """
    pictures = tuple(said)
    chances = np.concatenate([probabilities(bundle, each) for each in said.values()])
    signals = _signals(bundle, tuple(said.values()), chances)
    is_foreign = _foreign(signals, bundle.acceptance, pictures=len(pictures))
    judged = ~is_foreign | is_foreign.all()
    together = chances[judged].mean(axis=0)
    state, reasons = _stands(bundle.acceptance, signals, together, judged=judged, foreign=bool(is_foreign.all()))
    left_out = tuple(Reason(key=FOREIGN, picture=n) for n, counts in zip(pictures, judged, strict=True) if not counts)
    thresholds = bundle.sets[0] if bundle.sets else None
    nobody = np.zeros(len(together), np.bool_)
    return Judgement(
        state=state,
        reasons=(*reasons, *left_out),
        probabilities=together,
        members=prediction_sets(together[None], thresholds)[0] if thresholds else nobody,
        is_unlike=bool(thresholds and is_unlike(together[None], thresholds).all()),
        distances=_finite(dict(zip(pictures, signals.distance.tolist(), strict=True))) if signals else {},
        foreign=frozenset(n for n, each in zip(pictures, is_foreign, strict=True) if each),
    )


def _finite(distances: Mapping[int, float]) -> Mapping[int, float]:
    """Leave out what is no number: a record can hold none such."""
    return {picture: distance for picture, distance in distances.items() if np.isfinite(distance)}


def _signals(bundle: Bundle, said: Sequence[Said], chances: NDArray[np.float64]) -> Signals | None:
    if bundle.reference is None or bundle.acceptance is None:
        return None
    each = [
        signals_of(one, bundle.reference, probabilities=chance[None], temperatures=bundle.temperatures)
        for one, chance in zip(said, chances, strict=True)
    ]
    return Signals(*(np.concatenate(signal) for signal in zip(*each, strict=True)))


def _foreign(signals: Signals | None, acceptance: Acceptance | None, *, pictures: int) -> NDArray[np.bool_]:
    """Say of each picture whether it is unlike everything that was learned from."""
    if signals is None or acceptance is None:
        return np.zeros(pictures, np.bool_)
    few = max(FOREIGN_SHARE, 1 / (acceptance.clusters + 1)) + ROUNDING
    grounds = grounds_of(signals, acceptance)
    return np.array([any(each.signal == DISTANCE and each.chance <= few for each in one) for one in grounds])


def _stands(
    acceptance: Acceptance | None,
    signals: Signals | None,
    together: NDArray[np.float64],
    *,
    judged: NDArray[np.bool_],
    foreign: bool,
) -> tuple[State, tuple[Reason, ...]]:
    """Say whether the release stands by the combined answer, and if not, why."""
    if not np.isfinite(together).all():
        return State.UNSURE, (Reason(key=NO_NUMBER),)
    if signals is None or acceptance is None:
        return State.ANSWERED, ()
    disagreement, distance = (np.array([each[judged].mean()]) for each in signals[1:])
    joint = Signals(np.array([1 - together.max()]), disagreement, distance)
    reasons = tuple(
        Reason(
            key=ground.signal,
            beyond=1.0 if is_beyond_all(ground.chance, acceptance) else 1 - ground.chance,
            clusters=acceptance.clusters,
        )
        for ground in grounds_of(joint, acceptance)[0]
    )
    if foreign and reasons:
        return State.FOREIGN, reasons
    return (State.UNSURE if reasons else State.ANSWERED), reasons
