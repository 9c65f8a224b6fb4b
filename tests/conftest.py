"""Fixtures that several rooms use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Where real data lies beside the checkout; skips where it is absent, fails where everything is required."""
    return lambda name: _beside("data", name)


@pytest.fixture
def shared_weights() -> Callable[[str], Path]:
    """Where real weights lie beside the checkout, by the same rule."""
    return lambda name: _beside("weights", name)


def _beside(kind: str, name: str) -> Path:
    path = SHARED / kind / name
    if not path.exists():
        reason = f"needs {kind}/{name} beside the checkout"
        if os.environ.get("CUTIS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
