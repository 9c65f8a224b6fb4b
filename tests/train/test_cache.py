"""Pictures are prepared once, and a cache that is not what was written is made anew."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.prepare import Preparation
from cutis.train.cache import cached_pictures
from cutis.vocabulary.errors import UserError
from cutis.workspace import Workspace
from factories import a_dataset

PREPARATION = Preparation(size=32, mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "work")


def _cached(workspace, manifest):
    return cached_pictures(manifest.cases, workspace.dataset, PREPARATION, cache=workspace.cache)


def test_the_array_is_mapped_from_disk_and_holds_the_pictures(workspace):
    """Memory does not grow with the dataset: rows are read as they are needed."""
    manifest = a_dataset(workspace)

    array = _cached(workspace, manifest)

    assert isinstance(array, np.memmap)
    for row, case in zip(array, manifest.cases, strict=True):
        assert np.array_equal(row, np.asarray(Image.open(workspace.dataset / case.image)))


def test_a_second_run_finds_it_without_the_pictures(workspace):
    """Nothing is decoded twice."""
    manifest = a_dataset(workspace)
    first = np.array(_cached(workspace, manifest))
    for case in manifest.cases:
        (workspace.dataset / case.image).unlink()

    assert np.array_equal(_cached(workspace, manifest), first)


@pytest.mark.parametrize("harm", ["flip", "cut", "forget"])
def test_a_harmed_cache_is_made_anew_and_said(workspace, harm, capsys):
    """A flipped byte, a torn end and a missing description are noticed."""
    manifest = a_dataset(workspace)
    first = np.array(_cached(workspace, manifest))
    (path,) = workspace.cache.glob("*.npy")
    content = bytearray(path.read_bytes())
    match harm:
        case "flip":
            content[len(content) // 2] ^= 255
            path.write_bytes(content)
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "forget":
            path.with_suffix(".json").unlink()

    again = _cached(workspace, manifest)

    assert np.array_equal(again, first)
    assert "making them anew" in capsys.readouterr().err


def test_a_full_disk_is_an_error_before_the_first_picture(workspace, monkeypatch):
    """Space of a mapped file is taken beforehand: on the way a full disk would be a bus error."""
    manifest = a_dataset(workspace)

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        _cached(workspace, manifest)

    assert not list(workspace.cache.iterdir())


def test_what_a_kill_left_half_prepared_is_removed_when_it_is_old(workspace):
    """Another cutis may just be preparing; yesterday's is nobody's."""
    manifest = a_dataset(workspace)
    old, new = (workspace.cache / f".pictures-{name}.npy.1.aside" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))

    _cached(workspace, manifest)

    assert (old.exists(), new.exists()) == (False, True)


def test_a_picture_that_was_changed_since_it_was_curated_never_gets_into_the_cache(workspace):
    """The manifest's sha256 is asked for each picture."""
    manifest = a_dataset(workspace)
    (workspace.dataset / manifest.cases[0].image).write_bytes(
        (workspace.dataset / manifest.cases[1].image).read_bytes()
    )

    with pytest.raises(UserError, match="changed since it was curated"):
        _cached(workspace, manifest)

    assert not list(workspace.cache.glob("*.npy"))
