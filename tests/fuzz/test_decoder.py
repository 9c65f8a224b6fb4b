"""What a decoder process does with spoiled pictures, so often that little is left untried."""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

import bombs
from cutis.imaging import decoder
from factories import a_picture
from fuzz.decoder import mended, seeds, told

SCRIPT = Path(__file__).with_name("decoder.py")
RUNS = int(os.environ.get("CUTIS_FUZZ_RUNS", "1000000"))


def fuzz(runs, folder, *, engine):
    """Run the fuzzer to its end."""
    command = [sys.executable, str(SCRIPT), str(runs), str(folder), engine]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(command, env=paths, capture_output=True, text=True, check=False)


def outcomes_of(done):
    """What the last line of its own says."""
    return json.loads([line for line in done.stdout.splitlines() if line.startswith('{"runs"')][-1])


def test_two_thousand_spoiled_pictures_crash_nothing(tmp_path):
    """A picture or a refusal each, and some of either, or the fuzzer would not reach far."""
    done = fuzz(2_000, tmp_path, engine="chance")

    assert done.returncode == 0, done.stderr[-3000:]
    told_of = outcomes_of(done)
    assert told_of["picture"] > 100
    assert told_of["truncated"] > 100


@pytest.mark.slow
def test_a_million_spoiled_pictures_crash_nothing(tmp_path):
    """By atheris where it is installed, by our own mutations elsewhere; CUTIS_FUZZ_RUNS says how many."""
    done = fuzz(RUNS, tmp_path, engine="atheris" if importlib.util.find_spec("atheris") else "chance")

    assert done.returncode == 0, done.stderr[-3000:]
    assert outcomes_of(done)["runs"] > 0.9 * RUNS


def test_every_seed_is_a_picture():
    """What is spoiled was whole before: every format, mode and packing."""
    assert {told(content) for content in seeds()} == {"picture"}


def test_a_bug_of_ours_would_be_noticed(monkeypatch):
    """Whatever is raised but a refusal counts as a crash."""
    monkeypatch.setattr(decoder, "decode", lambda *_, **__: 1 / 0)

    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        told(bombs.saved(a_picture()))


def test_a_spoiled_png_gets_its_sums_right_again():
    """Or Pillow would refuse nearly all of them at once."""
    content = bombs.saved(Image.new("L", (8, 8), 9))
    turned = [content[:20] + struct.pack(">I", width) + content[24:] for width in range(1, 40)]

    right = [each[29:33] == struct.pack(">I", zlib.crc32(each[12:29])) for each in map(mended, turned)]

    assert sum(right) > 20
    assert not all(right)  # a wrong sum is tried as well
