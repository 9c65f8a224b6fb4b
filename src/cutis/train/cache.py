"""Pictures decoded and resized once, in one array on disk that is read as needed and checked before it is used."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import Preparation
from cutis.progress import say, track_parallel
from cutis.train.pictures import prepared_case
from cutis.vocabulary.case import Case
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json, sha256_of, write_json, written_aside
from cutis.workspace import ABANDONED, require_room


def cached_pictures(
    cases: Sequence[Case], dataset: Path, preparation: Preparation, *, cache: Path, checked: bool = False
) -> NDArray[np.uint8]:
    """Return the prepared pictures (N, S, S, 3) of these cases, in order, mapped from disk.

    The array is named after the sha256 of every picture in it and after its preparation, and lies beside its own
    sha256: an array that was changed, or torn by a power cut, is made anew. `checked` where that was just looked at, by
    the first of several processes.

    Raises:
        UserError: no room on the disk, or a picture that is not the one that was curated.
    """
    path = cache / f"pictures-{_fingerprint(cases, preparation)}.npy"
    if not checked and not _is_whole(path):
        _forget_abandoned(cache)
        _prepare_all(path, cases, dataset, preparation)
    pictures: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pictures


def _prepare_all(path: Path, cases: Sequence[Case], dataset: Path, preparation: Preparation) -> None:
    shape = (len(cases), preparation.size, preparation.size, 3)
    require_room(path.parent, int(np.prod(shape)))
    prepare = partial(prepared_case, dataset=dataset, preparation=preparation)
    with written_aside(path) as aside:
        array = np.lib.format.open_memmap(aside, mode="w+", dtype=np.uint8, shape=shape)
        _claim(aside)
        for row, picture in enumerate(track_parallel(prepare, cases, "preparing pictures")):
            array[row] = picture
        array.flush()
        sum_ = sha256_of(aside)
    write_json(_description(path), "cache", {"sha256": sum_})


def _claim(path: Path) -> None:
    """Take the space of a mapped file now, while a full disk is an error; on the way it would be a bus error."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _forget_abandoned(cache: Path) -> None:
    """Remove arrays that a kill has left half prepared."""
    for left in cache.glob(".pictures-*.aside"):
        with suppress(FileNotFoundError):  # whoever made it may just be done
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _is_whole(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        described: dict[str, Any] = read_json(_description(path), "cache")
    except UserError:
        described = {}
    if described.get("sha256") == sha256_of(path):
        return True
    say(f"the prepared pictures in {path.name} are not what was written; making them anew")
    return False


def _description(path: Path) -> Path:
    return path.with_suffix(".json")


def _fingerprint(cases: Sequence[Case], preparation: Preparation) -> str:
    parts = [json.dumps(preparation.to_dict()), *(case.sha256 for case in cases)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
