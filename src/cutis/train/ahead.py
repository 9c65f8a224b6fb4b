"""Steps made ready while the accelerator is at work on the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch

from cutis.train.batches import Step


def ahead(steps: Iterator[Step], *, device: torch.device, depth: int = 2) -> Iterator[Step]:
    """Yield the same steps, made ready by a thread of their own while the accelerator is at work.

    On a graphics card the thread has a stream of its own, so that it does not wait for the steps that are computed.
    """
    waiting: queue.Queue[tuple[Step, Any] | Exception | None] = queue.Queue(maxsize=depth)
    left = threading.Event()
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def make_ready() -> None:
        try:
            with torch.cuda.stream(stream):  # of None: nothing
                for step in steps:
                    waiting.put((step, stream and stream.record_event()))
                    if left.is_set():
                        return
            waiting.put(None)
        except Exception as error:  # noqa: BLE001  it is raised where the step was waited for
            waiting.put(error)

    thread = threading.Thread(target=make_ready, daemon=True)
    thread.start()
    try:
        while (made := waiting.get()) is not None:
            if isinstance(made, Exception):
                raise made
            step, ready = made
            if ready is not None:
                _take_over(step, ready, torch.cuda.current_stream(device))
            yield step
    finally:
        left.set()
        while thread.is_alive():  # it may wait for room to put
            with suppress(queue.Empty):
                waiting.get(timeout=0.01)


def _take_over(step: Step, ready: Any, stream: Any) -> None:
    """Let the stream that computes wait until a step is ready, and keep its memory until that stream is done."""
    stream.wait_event(ready)
    for part in step.parts:
        part.images.record_stream(stream)
        part.target.record_stream(stream)
