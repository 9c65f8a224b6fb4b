"""What the tests of the clinicians' pages share."""

from contextlib import ExitStack

import pytest

from consulting import a_consulting_room, a_doubting_answerer


@pytest.fixture(scope="session")
def doubting(tmp_path_factory):
    """A release that answers, doubts and refuses, opened once."""
    with a_doubting_answerer(tmp_path_factory.mktemp("doubting")) as answerer:
        yield answerer


@pytest.fixture
def room_of(doubting, tmp_path):
    """Open a consulting room with these settings."""
    yield from _opening(doubting, tmp_path, f"sqlite:///{tmp_path / 'c.sqlite'}")


@pytest.fixture
def room_on_both(doubting, tmp_path, database_url):
    """The same, on either database: where queries are asked that each answers in its own way."""
    yield from _opening(doubting, tmp_path, database_url)


def _opening(answerer, folder, url):
    with ExitStack() as opened:
        yield lambda **settings: opened.enter_context(a_consulting_room(folder, url, answerer=answerer, **settings))
