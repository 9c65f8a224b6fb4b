"""A database is opened by the master key of its own site, or not at all (threat 22)."""

import pytest

from clinics import an_opened_record
from cutis.serve.record.cases import new_case
from cutis.serve.unlocking import unlock
from cutis.serve.vault import make_vault
from cutis.vocabulary.errors import SafetyRefusal


@pytest.fixture
def record(tmp_path, database_url):
    """What a site keeps."""
    with an_opened_record(tmp_path / "clinic", database_url) as opened:
        yield opened


def test_the_first_start_makes_the_key_and_later_ones_read_it(tmp_path, record):
    """It is the same one."""
    again = unlock(record.database, tmp_path / "clinic" / "private" / "master.key")

    assert again.fingerprint == record.vault.fingerprint


@pytest.mark.parametrize("has_case", [True, False])
def test_a_missing_key_is_not_made_anew(tmp_path, record, has_case):
    """Where something was sealed, or could have been signed, nothing is written in its place."""
    if has_case:
        with record.database.writing() as connection:
            new_case(connection, record.vault, now=1)

    with pytest.raises(SafetyRefusal, match="is missing"):
        unlock(record.database, tmp_path / "elsewhere" / "master.key")

    assert not (tmp_path / "elsewhere").exists()


def test_the_key_of_another_site_is_refused(tmp_path, record):
    """By its fingerprint, before anything is tried with it."""
    make_vault(tmp_path / "other" / "master.key")

    with pytest.raises(SafetyRefusal, match="does not open"):
        unlock(record.database, tmp_path / "other" / "master.key")
