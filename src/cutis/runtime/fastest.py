"""Which of a release's engines answers fastest on this machine: timed once, and remembered outside the release.

What is remembered holds for one release, processor, number of threads and version of each library; any other is timed
anew. Nothing is lost with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cutis.runtime.engines import Engine, Offer, threads
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, write_json

FILE = "engines.json"
LIBRARIES = ("onnxruntime", "openvino", "numpy", "pillow")  # what runs a network, and what its pictures come from
WARMING, PASSES = 2, 5  # of one picture each
MOST_REMEMBERED = 100

Opening = Callable[[Offer], Engine]


class Timed(NamedTuple):
    """How the engines of a release did on this machine."""

    fastest: Offer
    seconds: dict[str, float]  # of one picture, by the name of each that could be opened: the median of some passes
    refused: dict[str, str]  # why the others could not, by name
    remembered: bool  # from an earlier time


def fastest(
    offers: Sequence[Offer], opening: Opening, *, size: int, release_sha256: str, memory: Path | None = None
) -> Timed:
    """Return which of these engines takes the least time for one picture.

    What `opening` refuses for safety ends it, and nothing is remembered.

    Args:
        offers: of the release, at least one; what did not pass its parity gates is none of them.
        opening: opens one of them.
        size: pixels a side of a prepared picture.
        release_sha256: of the release's manifest.
        memory: folder where it is remembered; `memory_of_user`, if not given. One that cannot be read or written is
            done without.

    Raises:
        UserError: none of them can be opened here.
        SafetyRefusal: one of them is not safe to use here.
    """
    path, key = (memory or memory_of_user()) / FILE, _key(offers, release_sha256)
    known = _recalled(path)
    remembered = _timed_from(known.get(key), offers)
    if remembered is not None:
        return remembered
    timed = _timed(offers, opening, np.zeros((1, 3, size, size), np.float32))
    _remember(path, known, key, timed)
    return timed


def none_opens(refused: Mapping[str, str]) -> UserError:
    """Return the error for a release of which no engine can be opened here: why, by name."""
    told = "; ".join(f"{name}: {why}" for name, why in refused.items())
    mend = "pip install onnxruntime, or cutis[openvino]"
    return UserError(f"no engine of this release can be opened here ({told})", where="this machine", mend=mend)


def memory_of_user() -> Path:
    """Return the folder of this user's caches, as XDG names it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cutis"


def seconds_of(engine: Engine, picture: Any, *, passes: int = PASSES) -> float:
    """Return the median time of a pass, after some that warm it."""
    for _ in range(WARMING):
        engine(picture)
    taken = []
    for _ in range(passes):
        start = time.perf_counter()
        engine(picture)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _timed(offers: Sequence[Offer], opening: Opening, picture: Any) -> Timed:
    seconds: dict[str, float] = {}
    refused: dict[str, str] = {}
    for offer in offers:
        try:
            seconds[offer.name] = seconds_of(opening(offer), picture)
        except SafetyRefusal:
            raise
        except UserError as error:
            refused[offer.name] = error.what
    if not seconds:
        raise none_opens(refused)
    best = min(offers, key=lambda offer: seconds.get(offer.name, np.inf))
    return Timed(best, seconds, refused, remembered=False)


def _key(offers: Sequence[Offer], release_sha256: str) -> str:
    here = circumstances()
    versions = {name: _version(name) for name in LIBRARIES}
    holds_for = [release_sha256, here["processor"], here["system"], here["cutis"], threads(), versions, list(offers)]
    return hashlib.sha256(json.dumps(holds_for).encode()).hexdigest()


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _recalled(path: Path) -> dict[str, Any]:
    try:
        return dict(read_json(path, "engines")["timed"])
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return {}


def _timed_from(known: Any, offers: Sequence[Offer]) -> Timed | None:
    try:
        (best,) = (offer for offer in offers if offer.name == known["fastest"])
        return Timed(best, dict(known["seconds"]), dict(known["refused"]), remembered=True)
    except (KeyError, TypeError, ValueError):
        return None


def _remember(path: Path, known: dict[str, Any], key: str, timed: Timed) -> None:
    """Write it down beside what was known, the oldest of which goes."""
    kept = dict(list(known.items())[-MOST_REMEMBERED + 1 :])
    new = {"fastest": timed.fastest.name, "seconds": timed.seconds, "refused": timed.refused}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, "engines", {"timed": kept | {key: new}})
    except OSError:  # a home that cannot be written: it is timed again the next time
        return
