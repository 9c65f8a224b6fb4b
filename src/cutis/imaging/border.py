"""The border: pictures of strangers are decoded by processes that may die of them.

A decoder is a process with little memory of its own, little time for each picture, no files to write and none of the
environment's secrets. What it answers is a line of JSON and raw pixels, checked like any other foreign data: a decoder
that a picture has taken over can send a wrong picture, and nothing else.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from queue import LifoQueue
from typing import IO, Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.decode import REASONS, name_of, open_source, unreadable
from cutis.imaging.limits import LIMITS, MEGA, Limits
from cutis.imaging.prepare import Preparation, shrunk_size
from cutis.imaging.quality import MARKS
from cutis.vocabulary.case import Quality

PIECE = 1 << 20
LONGEST_ANSWER = 1 << 16  # bytes of its line
# What a process needs to find its libraries; the rest of the environment may hold secrets.
HANDED_DOWN = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
Heard = TypeVar("Heard")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Prepared(NamedTuple):
    """A picture as a network sees it, and what it was before."""

    pixels: NDArray[np.uint8]  # (S, S, 3)
    size: tuple[int, int]  # width and height of the upright picture


class Looked(NamedTuple):
    """All that is made of a picture in one go: what a network sees of it, what people do, and how good it is."""

    pixels: NDArray[np.uint8]  # (S, S, 3), prepared
    copy: NDArray[np.uint8]  # (h, w, 3), upright and in sRGB
    quality: Quality  # measured on the picture, not on the copy


class Decoders:
    """A few decoder processes that take turns; any thread may ask, and waits for one that is free.

    Used by `with`. A process starts when it is first needed, or by `start`; one that a picture kills is replaced.
    """

    def __init__(self, count: int = 1, *, limits: Limits = LIMITS) -> None:
        self.every = tuple(Decoder(limits) for _ in range(count))
        self._closed = False
        self._free: LifoQueue[Decoder] = LifoQueue()  # the last one used is the next: the others need not start
        for decoder in self.every:
            self._free.put(decoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is at work, and end all processes."""
        self._closed = True
        for decoder in [self._free.get() for _ in self.every]:
            decoder.end()
            self._free.put(decoder)  # whoever still waits for it learns that it is over

    def start(self) -> None:
        """Let one process start now, while the caller does something else."""
        with self._one() as decoder:
            decoder.start()

    def pixels(self, source: Path | bytes) -> NDArray[np.uint8]:
        """Return a picture, upright and in sRGB, as (H, W, 3) uint8.

        Raises:
            UnreadablePicture: the bytes hold no picture that can be decoded within the limits, or the decoder died.
            UserError: the file cannot be opened.
        """
        return self._answer(source, None).pixels

    def prepared(self, source: Path | bytes, preparation: Preparation) -> Prepared:
        """Return a picture as a network sees it; of a large one much less comes back than by `pixels`.

        Raises:
            UnreadablePicture, UserError: as `pixels`.
        """
        return self._answer(source, preparation)

    def looked_at(self, source: Path | bytes, preparation: Preparation, *, longest: int) -> Looked:
        """Return a picture as a network sees it, a copy of it for people, and how good it is; it is decoded once.

        Args:
            source: a file, or its bytes.
            preparation: of the network.
            longest: pixels that the longer side of the copy may have.

        Raises:
            UnreadablePicture, UserError: as `pixels`.
        """
        with open_source(source) as stream, self._one() as decoder:
            return decoder.look(stream, name_of(source), preparation, longest=longest)

    def prepared_file(self, path: Path, preparation: Preparation) -> NDArray[np.uint8]:
        """Do what `cutis.imaging.prepare.prepared_file` does, at the border."""
        return self._answer(path, preparation).pixels

    def _answer(self, source: Path | bytes, preparation: Preparation | None) -> Prepared:
        with open_source(source) as stream, self._one() as decoder:
            return decoder.answer(stream, name_of(source), preparation)

    @contextmanager
    def _one(self) -> Iterator[Decoder]:
        decoder = self._free.get()
        try:
            if self._closed:
                raise RuntimeError("these decoders are closed")
            yield decoder
        finally:
            self._free.put(decoder)


class Decoder:
    """One process and its two pipes, or none of them as long as nothing is asked."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Return the process, which may just have begun to start."""
        if self.process is None:
            paths = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
            handed_down = {name: os.environ[name] for name in HANDED_DOWN if name in os.environ}
            self.process = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-P", "-m", "cutis.imaging.decoder", json.dumps(asdict(self.limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=handed_down | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,  # Ctrl-C is for us alone
                pipesize=PIECE if sys.platform == "linux" else -1,  # a picture passes without waiting for its reader
            )
        return self.process

    def end(self) -> int | None:
        """Kill the process and wait for it; return how it had ended, if it ended by itself."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.kill()
        for pipe in filter(None, (process.stdin, process.stdout)):
            with suppress(OSError):  # what is left in the pipe finds no reader
                pipe.close()
        return process.wait()

    def answer(self, stream: IO[bytes], name: str, preparation: Preparation | None) -> Prepared:
        """Ask the process for one picture; replace it where it does not answer as it should."""
        question = {"preparation": None if preparation is None else preparation.to_dict()}
        return self._answer(stream, name, question, lambda process: _heard(process, preparation, limits=self.limits))

    def look(self, stream: IO[bytes], name: str, preparation: Preparation, *, longest: int) -> Looked:
        """Ask for a picture with a copy of it and its quality, as `answer` does."""
        question = {"preparation": preparation.to_dict(), "longest": longest}

        def hear(process: subprocess.Popen[bytes]) -> Looked:
            return _heard_more(process, preparation, limits=self.limits, longest=longest)

        return self._answer(stream, name, question, hear)

    def _answer(self, stream: IO[bytes], name: str, question: dict[str, Any], hear: Callable[[Any], Heard]) -> Heard:
        length = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        if length > self.limits.file:  # it need not travel to be refused
            raise unreadable("too costly", f"a file of {length / MEGA:.0f} MB", name, self.limits)
        process = self.start()
        patience = threading.Timer(self.limits.patience, process.kill)
        patience.daemon = True
        patience.start()
        try:
            _ask(process, stream, length, question)
            return hear(process)
        except _Refused as refused:
            raise unreadable(refused.reason, refused.detail, name, self.limits) from None
        except (OSError, EOFError, ValueError, TypeError, KeyError):
            reason, detail = _how_it_ended(self.end(), patient=not patience.finished.is_set())
            self.start()  # the next picture shall not wait for it
            raise unreadable(reason, detail, name, self.limits) from None
        except BaseException:
            self.end()  # half an answer lies in its pipe
            raise
        finally:
            patience.cancel()


class _Refused(Exception):
    """The decoder's own refusal."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def _ask(process: subprocess.Popen[bytes], stream: IO[bytes], length: int, question: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps({"length": length} | question).encode() + b"\n")
    while length > 0:  # piece by piece, so that a large file is never in our memory
        piece = stream.read(min(length, PIECE))
        if not piece:
            raise EOFError("the file became shorter while it was read")
        process.stdin.write(piece)
        length -= len(piece)
    process.stdin.flush()


def _heard(process: subprocess.Popen[bytes], preparation: Preparation | None, *, limits: Limits) -> Prepared:
    """Read one answer, and believe nothing of it."""
    said = _line(process)
    size = _size(said, limits=limits)
    side = preparation.size if preparation else None
    shape = (side, side, 3) if side else (*size[::-1], 3)
    if tuple(said["shape"]) != shape:
        raise ValueError("no picture of ours")
    return Prepared(_pixels(process, shape), size)


def _heard_more(process: subprocess.Popen[bytes], preparation: Preparation, *, limits: Limits, longest: int) -> Looked:
    """Read one answer with a copy and its quality, and believe nothing of it."""
    said = _line(process)
    size = _size(said, limits=limits)
    quality = _quality(said["quality"], size)
    width, height = shrunk_size(size, longest)
    pixels = _pixels(process, (preparation.size, preparation.size, 3))
    return Looked(pixels, _pixels(process, (height, width, 3)), quality)


def _line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline(LONGEST_ANSWER))
    if "reason" in said:
        if said["reason"] not in REASONS:
            raise ValueError("no reason of ours")
        detail = "".join(sign if sign.isprintable() else " " for sign in str(said["detail"]))
        raise _Refused(said["reason"], detail)
    return said


def _size(said: dict[str, Any], *, limits: Limits) -> tuple[int, int]:
    width, height = map(int, said["size"])
    if min(width, height) < 1 or max(width, height) > limits.side or width * height > limits.pixels:
        raise ValueError("beyond the limits")
    return width, height


def _quality(said: dict[str, Any], size: tuple[int, int]) -> Quality:
    measured = {name: float(said[name]) for name in ("sharpness", "brightness", "contrast")}
    marks = tuple(said["marks"])
    if not all(map(math.isfinite, measured.values())) or not MARKS.issuperset(marks):
        raise ValueError("no measurement of ours")
    return Quality(width=size[0], height=size[1], marks=marks, **measured)


def _pixels(process: subprocess.Popen[bytes], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    assert process.stdout is not None
    pixels = np.empty(shape, np.uint8)
    if process.stdout.readinto(pixels.data.cast("B")) != pixels.nbytes:  # type: ignore[attr-defined]
        raise EOFError("the pixels ended early")
    return pixels


def _how_it_ended(code: int | None, *, patient: bool) -> tuple[str, str]:
    """Return reason and detail for a picture of which the decoder gave no answer."""
    if code == -getattr(signal, "SIGPROF", 0):
        return "too costly", "decoding takes far longer than a picture of its size does"
    if not patient:
        return "too costly", "no answer for a long time by the clock"
    return "decoder died", f"its process ended with {code}"
