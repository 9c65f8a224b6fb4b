"""What all tests of the clinic share: something that answers, opened once, and clinics with a past."""

import pytest

from clinic_pasts import a_past
from clinics import an_answerer
from servers import a_signed_release


@pytest.fixture(scope="session")
def answerer(tmp_path_factory):
    """A release that answers by colours; whoever changes it over opens another one."""
    with an_answerer(tmp_path_factory.mktemp("answerer")) as opened:
        yield opened


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    """A signed release of invented pictures; whoever changes one makes their own."""
    return a_signed_release(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def past(tmp_path, database_url, answerer):
    """A silent clinic, on either database."""
    with a_past(tmp_path / "clinic", database_url, answerer) as opened:
        yield opened


@pytest.fixture
def small_past(tmp_path, answerer):
    """The same on SQLite alone, for what no database can change."""
    with a_past(tmp_path / "clinic", f"sqlite:///{tmp_path / 'clinic.sqlite'}", answerer) as opened:
        yield opened
