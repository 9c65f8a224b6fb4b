"""Fixtures that several rooms use, and the rule for runs in which nothing may be skipped."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Make databases on a PostgreSQL server of one's own, each by its URL; skips where there is none."""
    from sqlalchemy import create_engine, text

    from postgres import server, url_of

    numbers = itertools.count()
    try:
        with server() as folder:
            admin = create_engine(url_of(folder, "postgres"), isolation_level="AUTOCOMMIT")

            def make() -> str:
                name = f"cutis{next(numbers)}"
                with admin.connect() as connection:
                    connection.execute(text(f"CREATE DATABASE {name}"))
                return url_of(folder, name)

            yield make
            admin.dispose()
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's browser, driven by mouse and keyboard; one for all, for a second driver would not start beside it.

    Its driver keeps a loop in this thread: coroutines of other tests are run by `coroutines.awaited`.
    """
    driver = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs chromium")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: what is promised of one is promised of both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cutis.sqlite'}"
    return str(request.getfixturevalue("postgres")())


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
