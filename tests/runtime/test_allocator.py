"""A process keeps what it has freed, where the C library lets it."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cutis.runtime import allocator
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_network
from cutis.train.config import TrainConfig
from cutis.train.member import new_network
from factories import a_bundle_folder

# Large blocks come and go; how often the system had to hand out a page anew in a step is counted. The median step
# tells: the system may take idle memory away at any time, and hands it out anew in one of them.
FAULTS = """
import resource, sys, torch
from cutis.runtime.allocator import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "kept" else None
torch.set_num_threads(1)
def step():
    blocks = [torch.zeros(9_000_000) for _ in range(4)]  # 36 MB each: above what glibc keeps by itself
for _ in range(3): step()
faults = []
for _ in range(9):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(kept, sorted(faults)[4])
"""

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory its own way")


def _faults(how: str) -> tuple[str, int]:
    said = subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True)
    kept, faults = said.stdout.split()
    return kept, int(faults)


@on_glibc
def test_what_was_freed_is_not_asked_for_again() -> None:
    _, by_default = _faults("default")
    kept, faults = _faults("kept")
    assert kept == "True"
    assert faults < by_default / 10


def test_whoever_builds_a_network_asks_for_it(tmp_path: Path) -> None:
    """Before training and before answering; what is asked once holds for the whole process."""
    bundle = read_bundle(a_bundle_folder(tmp_path / "bundle"))
    builds = (lambda: new_network(TrainConfig(network="mobilenetv2_035", size=32), 3), lambda: torch_network(bundle))

    for build in builds:
        allocator.keep_freed_memory.cache_clear()
        build()

        assert allocator.keep_freed_memory.cache_info().currsize == 1


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert allocator.keep_freed_memory.__wrapped__() is False


def test_an_old_glibc_gets_the_most_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Old:
        def mallopt(self, parameter: int, value: int) -> int:
            asked.append((parameter, value))
            return int(parameter != allocator.MMAP_THRESHOLD or value <= allocator.OLD_MMAP_THRESHOLD)

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Old())
    assert allocator.keep_freed_memory.__wrapped__() is True
    assert asked[-1] == (allocator.MMAP_THRESHOLD, allocator.OLD_MMAP_THRESHOLD)
