"""Clinics with a past on either database."""

import pytest

from clinic_pasts import a_past, a_reference


@pytest.fixture
def past(tmp_path, database_url, answerer):
    """A silent clinic."""
    with a_past(tmp_path / "clinic", database_url, answerer, reference=a_reference()) as opened:
        yield opened


@pytest.fixture
def small_past(tmp_path, answerer):
    """The same on SQLite alone, for what no database can change."""
    with a_past(
        tmp_path / "clinic", f"sqlite:///{tmp_path / 'clinic.sqlite'}", answerer, reference=a_reference()
    ) as opened:
        yield opened
