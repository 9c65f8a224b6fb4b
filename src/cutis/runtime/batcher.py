"""Many callers, one engine: pictures that come in at about the same time go through the network together.

A thread asks by ``batcher.ask(picture).result()``, a coroutine by ``asyncio.wrap_future(batcher.ask(picture))``.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import Preparation, normalise
from cutis.runtime.engines import Engine
from cutis.vocabulary.outputs import Outputs

Said: TypeAlias = Outputs[NDArray[np.float32]]
# Measured in benchmarks/batches.md: on a processor a pass of several pictures takes as long as that many passes, or
# longer, and in a batch the first waits for the last. ONNX Runtime answers more where two calls run at once; OpenVINO's
# calls wait for each other. A graphics card needs batches to be busy.
LARGEST = {"pytorch": 16, "onnxruntime": 1, "openvino": 1}
AT_ONCE = {"pytorch": 1, "onnxruntime": 2, "openvino": 1}
WAIT = 0.0  # seconds: while a batch is at work the next one gathers by itself, and waiting longer was never faster
MOST_WAITING = 64  # pictures


class TooManyWait(Exception):
    """The queue is full; whoever asks should come back later (HTTP 429)."""


class Closed(Exception):
    """The batcher was closed before this picture had its turn."""


class Asked(NamedTuple):
    """One picture that waits for its turn."""

    picture: NDArray[Any]  # (S, S, 3) uint8 or (3, S, S) float32, normalised
    since: float  # of the monotonic clock
    answer: Future[Said]


class Batcher:
    """A thread or a few that run an engine over what has gathered. Any thread may ask; used by `with`.

    A batch leaves when it is full, or when its first picture has waited long enough; while another one is at work it
    gathers on. What goes wrong in the engine is told to all of that batch and to nobody else.
    """

    def __init__(
        self,
        engine: Engine,
        preparation: Preparation,
        *,
        largest: int,
        at_once: int = 1,
        wait: float = WAIT,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Begin to answer.

        Args:
            engine: runs the network.
            preparation: that the network's pictures had.
            largest: how many pictures a batch has at most.
            at_once: how many batches are at work at the same time, each by a thread that calls the engine.
            wait: how many seconds the first of a batch waits for others, when nothing is at work.
            most_waiting: how many pictures may wait for their turn; another one is refused.
        """
        if min(largest, at_once, most_waiting) < 1 or wait < 0:
            raise ValueError(f"no batches of {largest}, of {most_waiting} that wait for {wait} s")
        self._engine, self._preparation = engine, preparation
        self._largest, self._wait, self._most_waiting = largest, wait, most_waiting
        self._waiting: deque[Asked] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._workers = [threading.Thread(target=self._work, name="cutis batcher", daemon=True) for _ in range(at_once)]
        for worker in self._workers:
            worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, picture: NDArray[Any]) -> Future[Said]:
        """Hand in one prepared picture and return at once; its future gives outputs of N = 1, maps included.

        Args:
            picture: (S, S, 3) uint8, or (3, S, S) float32 and normalised.

        Raises:
            ValueError: it is neither; it would spoil the batch of others.
            TooManyWait: the queue is full.
            Closed: the batcher was closed.
        """
        size = self._preparation.size
        if {"uint8": (size, size, 3), "float32": (3, size, size)}.get(picture.dtype.name) != picture.shape:
            raise ValueError(f"a picture of {picture.shape} {picture.dtype}, where {size} pixels a side are asked for")
        asked = Asked(picture, time.monotonic(), Future())
        with self._changed:
            if self._closed:
                raise Closed("this batcher answers no more")
            if len(self._waiting) >= self._most_waiting:  # those who gave up keep nobody out
                self._waiting = deque(each for each in self._waiting if not each.answer.cancelled())
            if len(self._waiting) >= self._most_waiting:
                raise TooManyWait(f"{self._most_waiting} pictures wait already")
            self._waiting.append(asked)
            self._changed.notify_all()
        return asked.answer

    def close(self) -> None:
        """Let the batch at work end, and tell all who wait for a later one that there will be none: `Closed`."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, deque()
            self._changed.notify_all()
        for asked in left:
            if asked.answer.set_running_or_notify_cancel():
                asked.answer.set_exception(Closed("this batcher was closed before the picture had its turn"))
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        while gathered := self._gathered():
            # From here on nobody can give up: what is cancelled by now costs no pass.
            batch = [asked for asked in gathered if asked.answer.set_running_or_notify_cancel()]
            if batch:
                self._answer(batch)

    def _gathered(self) -> list[Asked]:
        """Return the pictures of the next batch, when it is time; none when the batcher is closed."""
        with self._changed:
            while not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._waiting:
                    left = self._waiting[0].since + self._wait - time.monotonic()
                    self._changed.wait_for(lambda: self._closed or len(self._waiting) >= self._largest, max(0.0, left))
                if self._waiting:  # another thread may have taken them meanwhile
                    return [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
            return []

    def _answer(self, batch: Sequence[Asked]) -> None:
        """Give each its row of what the engine says of all, or each the error."""
        try:
            rows = _rows(self._engine(self._stacked([asked.picture for asked in batch])), len(batch))
        except BaseException as error:  # noqa: BLE001  whatever it is, nobody may wait for ever
            for asked in batch:
                asked.answer.set_exception(error)
            return
        for asked, row in zip(batch, rows, strict=True):
            asked.answer.set_result(row)

    def _stacked(self, pictures: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Return pictures as (N, 3, S, S); in this thread, so that those that wait take a quarter of the memory."""
        seen = [
            normalise(picture[None], self._preparation) if picture.dtype == np.uint8 else picture[None]
            for picture in pictures
        ]
        return np.concatenate(seen)


def _rows(said: Said, count: int) -> list[Said]:
    """Return what was said of each picture, as copies: whoever keeps one keeps nothing of the others."""
    if len(said.logits) != count:
        raise RuntimeError(f"the engine gave {len(said.logits)} answers for {count} pictures")
    return [said] if count == 1 else [_row(said, slice(place, place + 1)) for place in range(count)]


def _row(said: Said, place: slice) -> Said:
    return Outputs(
        logits=said.logits[place].copy(),
        auxiliary_logits=tuple(logits[place].copy() for logits in said.auxiliary_logits),
        features=said.features[place].copy(),
        maps=None if said.maps is None else tuple(each[place].copy() for each in said.maps),
        stage_features=tuple(features[place].copy() for features in said.stage_features),
    )
