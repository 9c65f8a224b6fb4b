"""Booths on either database."""

import pytest

from booths import a_booth


@pytest.fixture
def booth(tmp_path, database_url):
    """A study without the network's answers: 2 practice cases, 6 that count."""
    with a_booth(tmp_path / "5_readers", database_url) as opened:
        yield opened


@pytest.fixture
def small_booth(tmp_path):
    """The same on SQLite alone, for what no database can change."""
    with a_booth(tmp_path / "5_readers", f"sqlite:///{tmp_path / 'booth.sqlite'}") as opened:
        yield opened
