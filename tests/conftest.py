"""Fixtures that several rooms use, and the rule for runs in which nothing may be skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped where everything is required; an expected failure is no skip."""
    return _required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Hold whole files to the same rule."""
    return _required((yield))


def _required(report):
    if os.environ.get("CUTIS_REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where everything is required (CUTIS_REQUIRE_ALL=1): {report.longrepr[2]}"
    return report


def _beside(kind: str, name: str) -> Path:
    path = SHARED / kind / name
    if not path.exists():
        pytest.skip(f"needs {kind}/{name} beside the checkout")
    return path
