"""One decoder process: pictures come in by standard input, pixels or a reason leave by standard output.

It is started by `cutis.imaging.border` and by nothing else. A question is a line of JSON (`length`, `preparation`,
`longest`) and so many bytes; the answer is a line of JSON (`shape` and `size`, or `reason` and `detail`), and with
`shape` the pixels. Where `longest` is asked for, the line has `quality` too, and a smaller copy follows the pixels.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.decode import UnreadablePicture, claimed_size, decode
from cutis.imaging.limits import MEGA, Limits
from cutis.imaging.prepare import preparation_from, prepare, shrunk
from cutis.imaging.quality import measure_quality
from cutis.vocabulary.case import Quality

FILES = 64  # more than it needs


class Seen(NamedTuple):
    """What a picture's bytes turned out to be."""

    pixels: NDArray[np.uint8]  # (H, W, 3)
    size: tuple[int, int]  # width and height of the upright picture
    copy: NDArray[np.uint8] | None = None  # (h, w, 3), to be looked at
    quality: Quality | None = None


def main() -> None:
    """Answer until nobody asks any more."""
    limits = Limits(**json.loads(sys.argv[1]))
    give_up_rights(limits)
    asked, answered = sys.stdin.buffer, sys.stdout.buffer
    while line := asked.readline():
        answer(json.loads(line), asked, answered, limits=limits)


def give_up_rights(limits: Limits) -> None:
    """Bind this process to its memory, and to writing no files; where the system cannot, only the clock is left."""
    if sys.platform == "win32":
        return
    import resource

    bounds = {
        resource.RLIMIT_DATA: limits.memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
    }
    for which, bound in bounds.items():
        hardest = resource.getrlimit(which)[1]
        most = bound if hardest == resource.RLIM_INFINITY else min(bound, hardest)
        resource.setrlimit(which, (most, most))


def answer(question: dict[str, Any], asked: IO[bytes], answered: IO[bytes], *, limits: Limits) -> None:
    """Read the picture of one question and write what it is."""
    said: dict[str, Any]
    pixels = copy = b""
    try:
        content = asked.read(question["length"])
        seen = see(content, question["preparation"], longest=question.get("longest"), limits=limits)
        said, pixels = {"shape": seen.pixels.shape, "size": seen.size}, seen.pixels.tobytes()
        if seen.copy is not None and seen.quality is not None:
            said, copy = said | {"quality": asdict(seen.quality)}, seen.copy.tobytes()
    except UnreadablePicture as error:
        said = {"reason": error.reason, "detail": error.detail}
    except MemoryError:
        said = {"reason": "too costly", "detail": f"it needs more than {limits.memory / MEGA:g} MB of memory"}
    except Exception as error:  # noqa: BLE001  a picture that finds a bug costs this picture and nothing else
        said = {"reason": "decoder died", "detail": f"{type(error).__name__}: {error}"}
    answered.write(json.dumps(said).encode() + b"\n")
    answered.write(pixels)
    answered.write(copy)
    answered.flush()


def see(content: bytes, preparation: dict[str, Any] | None, *, limits: Limits, longest: int | None = None) -> Seen:
    """Return a picture within the time that its size allows; beyond it the system ends this process.

    Args:
        content: of its file.
        preparation: how it is prepared, as plain data; None: not at all.
        limits: of this process.
        longest: pixels that the longer side of a copy to look at may have; None: no copy, and nothing is measured.

    Raises:
        UnreadablePicture: the bytes hold no picture that can be decoded within the limits.
    """
    _allow(limits.seconds)
    try:
        _allow(limits.seconds_for(claimed_size(content, limits=limits)))
        picture = decode(content, limits=limits)
        if preparation is None:
            return Seen(np.asarray(picture), picture.size)
        prepared = prepare(picture, preparation_from(preparation, where="the question"))
        if longest is None:
            return Seen(prepared, picture.size)
        return Seen(prepared, picture.size, np.asarray(shrunk(picture, longest)), measure_quality(picture))
    finally:
        _allow(0)


def _allow(seconds: float) -> None:
    """Let the system end this process after so many seconds of computing; 0 is without end.

    Seconds of computing, not of the clock: a busy machine costs no picture. The signal is not caught, so that it also
    ends what runs inside a library and never returns.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
