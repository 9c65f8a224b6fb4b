"""Where the parts of a drawing lie, in its own units; templates write them as SVG attributes, never as styles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cutis.serve.answer import State
from cutis.serve.monitor.calibration import Event
from cutis.serve.monitor.counts import Bar
from cutis.serve.monitor.drifting import Shape

HEIGHT = 100.0
STEP = 10.0  # of a bar
GAP = 2.0


class Box(NamedTuple):
    """A rectangle, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str


class Chart(NamedTuple):
    """Bars beside one another."""

    width: float
    height: float
    most: float  # what the whole height stands for
    boxes: tuple[Box, ...]


class Dot(NamedTuple):
    """A point with the ends of its interval; 0 to 100 from the lower left, y downwards."""

    x: float
    y: float
    low: float
    high: float


def stacked(bars: Sequence[Bar]) -> Chart:
    """Return the bars of days or weeks, their states on top of one another."""
    most = max((bar.total for bar in bars), default=0) or 1
    boxes = []
    for place, bar in enumerate(bars):
        below = HEIGHT
        for state in State:
            height = HEIGHT * bar.states[state.value] / most
            below -= height
            if height:
                boxes.append(Box(place * STEP + GAP / 2, round(below, 2), STEP - GAP, round(height, 2), state.value))
    return Chart(max(1, len(bars)) * STEP, HEIGHT, most, tuple(boxes))


def times(bars: Sequence[Bar]) -> Chart:
    """Return the bars of response times: the 95th percentile, and the median before it."""
    most = max((bar.p95 for bar in bars if bar.p95 is not None), default=0.0) or 1.0
    boxes = []
    for place, bar in enumerate(bars):
        for name, seconds in (("p95", bar.p95), ("p50", bar.p50)):
            if seconds is not None:
                height = HEIGHT * seconds / most
                left = place * STEP + GAP / 2
                boxes.append(Box(left, round(HEIGHT - height, 2), STEP - GAP, round(height, 2), name))
    return Chart(max(1, len(bars)) * STEP, HEIGHT, most, tuple(boxes))


def spread(shape: Shape) -> Chart:
    """Return two histograms over the same bins: what comes here, and behind it what the release was made with."""
    most = max(*shape.reference, *shape.recent) or 1.0
    boxes = []
    for kind, shares in (("there", shape.reference), ("here", shape.recent)):
        for place, share in enumerate(shares):
            height = HEIGHT * share / most
            inset = 0.5 if kind == "there" else 3.0
            left, wide = place * STEP + inset, STEP - 2 * inset
            boxes.append(Box(left, round(HEIGHT - height, 2), wide, round(height, 2), kind))
    return Chart(len(shape.reference) * STEP, HEIGHT, most, tuple(boxes))


def dots(event: Event) -> tuple[Dot, ...]:
    """Return where the bins of an event lie: to the right what was said, upwards what came true."""
    return tuple(
        Dot(
            round(100 * each.predicted, 2),
            _down(each.observed.value),
            _down(each.observed.low if each.observed.low is not None else each.observed.value),
            _down(each.observed.high if each.observed.high is not None else each.observed.value),
        )
        for each in event.bins
    )


def _down(share: float | None) -> float:
    return round(100 * (1 - (share or 0.0)), 2)
