"""A site on either database."""

import pytest

from sites import a_site


@pytest.fixture
def site(database_url):
    """A site with nothing but the ground."""
    with a_site(database_url) as knocked:
        yield knocked


@pytest.fixture
def small_site(tmp_path):
    """The same on SQLite alone, for what no database can change."""
    with a_site(f"sqlite:///{tmp_path / 'cutis.sqlite'}") as knocked:
        yield knocked
