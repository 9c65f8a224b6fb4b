"""Benchmarks are scripts beside the package; a test asks for one by its name."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark_named(monkeypatch):
    """Return a function that imports a script of benchmarks/; none of them measures anything when imported."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def imported(name: str) -> ModuleType:
        return importlib.import_module(name)

    return imported
