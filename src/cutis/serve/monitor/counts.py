"""How much was asked, what became of it, how long it took: by day or week, and by device."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cutis.serve.answer import State
from cutis.serve.monitor.past import Seen
from cutis.serve.record.words import Says

DAY = 86_400.0
DAYS_BY_DAY = 35  # up to so many days are told day by day; more of them week by week
UNTOLD = ""  # of a device that nobody named
JUDGED = frozenset({"good", "poor"})


class Bar(NamedTuple):
    """One day or week."""

    at: float  # when it begins
    states: dict[str, int]
    p50: float | None  # seconds
    p95: float | None

    @property
    def total(self) -> int:
        """How many were asked."""
        return sum(self.states.values())


class OfDevice(NamedTuple):
    """What came from one device."""

    device: str
    examinations: int
    without_answer: int  # unsure, foreign or unusable
    remarked: int  # with a mark of quality on any picture
    p50: float | None


class Counts(NamedTuple):
    """Everything that is counted of a time."""

    total: int
    states: dict[str, int]
    silent: int
    refused: dict[str, int]  # pictures that could not be judged, by why
    pictures: int
    words: int
    agreed: int
    overridden: int
    doubted: int
    comparable: int  # words beside an answer that named a diagnosis
    p50: float | None
    p95: float | None
    bars: tuple[Bar, ...]
    is_by_week: bool
    devices: tuple[OfDevice, ...]
    erased: int


def counted(seen: Sequence[Seen], *, since: float, until: float) -> Counts:
    """Count the examinations of a time, which must all lie in it."""
    pictures = [picture for each in seen if each.answer for picture in each.answer.pictures]
    said = [each for each in seen if each.word is not None]
    overrides = [each.is_override for each in said if each.is_override is not None]
    by_week = until - since > DAYS_BY_DAY * DAY
    p50, p95 = _times(seen)
    return Counts(
        total=len(seen),
        states=_states(seen),
        silent=sum(each.is_silent for each in seen),
        refused=dict(Counter(picture.verdict for picture in pictures if picture.verdict not in JUDGED).most_common()),
        pictures=len(pictures),
        words=len(said),
        agreed=overrides.count(False),
        overridden=overrides.count(True),
        doubted=sum(each.word is not None and each.word.says is Says.DOUBT for each in said),
        comparable=len(overrides),
        p50=p50,
        p95=p95,
        bars=tuple(_bars(seen, since=since, until=until, step=DAY * (7 if by_week else 1))),
        is_by_week=by_week,
        devices=tuple(_devices(seen)),
        erased=sum(each.answer is None for each in seen),
    )


def _states(seen: Iterable[Seen]) -> dict[str, int]:
    counts = Counter(each.state.value for each in seen)
    return {state.value: counts[state.value] for state in State}


def _times(seen: Sequence[Seen]) -> tuple[float | None, float | None]:
    if not seen:
        return None, None
    p50, p95 = np.quantile([each.seconds for each in seen], (0.5, 0.95))
    return float(p50), float(p95)


def _bars(seen: Sequence[Seen], *, since: float, until: float, step: float) -> Iterable[Bar]:
    """Cut the time into steps that end with it, so that the newest is a whole one."""
    edges = np.arange(until, since, -step)[::-1]
    places = np.searchsorted(edges, [each.at for each in seen], side="right") if seen else np.zeros(0, np.int64)
    for place, end in enumerate(edges):
        inside = [each for each, where in zip(seen, places, strict=True) if where == place]
        yield Bar(float(end - step), _states(inside), *_times(inside))


def _devices(seen: Sequence[Seen]) -> Iterable[OfDevice]:
    names = Counter(each.device or UNTOLD for each in seen)
    for name, count in names.most_common():
        own = [each for each in seen if (each.device or UNTOLD) == name]
        remarked = sum(any(picture.marks for picture in each.answer.pictures) for each in own if each.answer)
        without = sum(each.state is not State.ANSWERED for each in own)
        yield OfDevice(name, count, without, remarked, _times(own)[0])


def midnight_after(now: float) -> float:
    """Return the end of the day, in UTC, so that bars are whole days."""
    day = dt.datetime.fromtimestamp(now, dt.UTC).date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()
