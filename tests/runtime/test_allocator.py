"""A process keeps what it has freed, where the C library lets it."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from cutis.runtime import allocator

# Large blocks come and go; how often the system had to hand out a page anew is counted.
FAULTS = """
import resource, sys, torch
from cutis.runtime.allocator import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "kept" else None
torch.set_num_threads(1)
def step():
    blocks = [torch.zeros(9_000_000) for _ in range(4)]  # 36 MB each: above what glibc keeps by itself
for _ in range(3): step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8): step()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
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
