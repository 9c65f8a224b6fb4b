"""A clinic with a side for programs, and programs that knock at it."""

from contextlib import contextmanager

import pytest

from clinics import a_clinic
from cutis.serve.api.room import room
from cutis.serve.settings import ClinicSettings
from cutis.web.settings import read_settings
from programs import Programs


@pytest.fixture
def programs(tmp_path, database_url, answerer):
    """A clinic that shows its answers, on either database."""
    with opened(tmp_path, answerer, database_url) as found:
        yield found


@pytest.fixture
def few_programs(tmp_path, answerer):
    """The same on SQLite alone, for what no database can change."""
    with opened(tmp_path, answerer) as found:
        yield found


@pytest.fixture
def other_programs(tmp_path, answerer):
    """The same with other settings, or something else that answers."""

    @contextmanager
    def open_it(answers=answerer, **settings):
        with opened(tmp_path, answers, **settings) as found:
            yield found

    return open_it


@contextmanager
def opened(folder, answerer, database_url=None, **settings):
    """Lend a clinic with a side for programs."""
    url = database_url or f"sqlite:///{folder / 'clinic.sqlite'}"
    rooms = [room(read_settings(ClinicSettings, **settings))]
    with a_clinic(folder, url, rooms=rooms, answerer=answerer, **settings) as clinic:
        yield Programs(clinic)
