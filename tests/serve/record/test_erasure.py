"""A case that was erased cannot be read by anybody, and the journal is whole."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select, text

from clinics import a_clinic
from cutis.serve.journal import Kind, entries, opened
from cutis.serve.journal.anchors import anchor, read_anchors
from cutis.serve.journal.exporting import exported
from cutis.serve.journal.verifying import verify
from cutis.serve.record.cases import cases_by_accession, key_of
from cutis.serve.record.erasure import ERASED, apply_retention, erase_case, erase_remembered
from cutis.serve.record.examinations import Part, answer_of, contents_of, examination_of
from cutis.serve.record.history import Filters, examinations
from cutis.serve.record.words import Says, Word, note_word, truths_of, words_of
from cutis.serve.tables import CONTENTS, KEYS
from cutis.serve.upkeep import keep_up
from cutis.serve.vault import Erased
from cutis.serve.visit import Shown, reveal

DAY = 86_400


@pytest.fixture
def clinic(tmp_path, database_url, answerer):
    """A clinic that shows its answers."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as knocked:
        yield knocked


def parts_of(clinic):
    """Return database, vault and folder."""
    return clinic.ground.database, clinic.clinic.vault, clinic.clinic.settings.journal_folder


def erase(clinic, examination):
    """Erase its case."""
    return erase_case(*parts_of(clinic), examination.case_id, by="clinician", reason="asked", now=clinic.ground.now())


def test_an_erased_case_is_read_nowhere_and_the_chain_still_verifies(clinic):
    """Neither pictures nor answer, words or note, nor from the journal; the case beside it stays as it was."""
    database, vault, folder = parts_of(clinic)
    gone, stays = clinic.examined(accession="A-1", device="DermLite", note="secret"), clinic.examined(note="stays")
    reveal(clinic.clinic, clinic.ground, gone, "clinician", shown=Shown())
    with database.writing() as connection:
        note_word(connection, vault, gone, Word(says=Says.OTHER, other="secret"), by="clinician", now=1)
    anchor(database, vault, folder, now=1)

    assert erase(clinic, gone)

    with database.reading() as connection:
        assert key_of(connection, gone.case_id) is None
        with pytest.raises(Erased):
            contents_of(connection, vault, gone, Part.PICTURE)
        with pytest.raises(Erased):
            answer_of(connection, vault, gone)
        assert (words_of(connection, vault, gone.id), truths_of(connection, vault, gone.case_id)) == ((), ())
        assert cases_by_accession(connection, vault, "A-1") == ()
        assert [each.examination for each in examinations(connection, vault, Filters()).found] == [stays]
        assert examination_of(connection, gone.id).device is None
        of_it = [each.sealed for each in opened(connection, vault) if each.kept.case_id == gone.case_id]
        assert of_it == [None, None, None, {}]
        assert contents_of(connection, vault, stays, Part.NOTE) == (b"stays",)
        verdict = verify(connection, read_anchors(folder), vault.public)
        lines = [json.loads(line) for line in exported(connection, vault)]
    assert (verdict.broken, verdict.entries) == (None, 5)
    assert [line["is_erased"] for line in lines[1:]] == [True, False, True, True, False]


def test_an_erased_case_takes_nothing_more(clinic):
    """No examination, no word, no look; and it is erased once."""
    made = clinic.examined()
    erase(clinic, made)

    with pytest.raises(Erased):
        clinic.examined(case_id=made.case_id)
    with pytest.raises(Erased):
        reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown())
    with pytest.raises(Erased), clinic.ground.database.writing() as connection:
        note_word(connection, clinic.clinic.vault, made, Word(says=Says.DOUBT), by="clinician", now=1)
    assert not erase(clinic, made)
    assert not erase_case(*parts_of(clinic), "0" * 32, by="clinician", reason="asked", now=1)


def test_no_copy_of_the_key_is_left_in_the_files_of_the_database(clinic, tmp_path):
    """SQLite blanks it, in its journal too; PostgreSQL's table is written anew."""
    database = clinic.ground.database
    made, stays = clinic.examined(), clinic.examined()
    with database.reading() as connection:
        wrapped, other = key_of(connection, made.case_id), key_of(connection, stays.case_id)

    erase(clinic, made)

    files = _files_of(database, tmp_path)
    assert any(other in content for content in files)
    assert not any(wrapped in content for content in files)


def test_what_was_erased_and_not_blanked_is_blanked_at_the_next_start(clinic, tmp_path, monkeypatch):
    """A kill between the two, or somebody who read for long, leaves the key in the files no longer than that."""
    database = clinic.ground.database
    made, _ = clinic.examined(), database.forget()
    with database.reading() as connection:
        wrapped = key_of(connection, made.case_id)
    with monkeypatch.context() as killed:
        killed.setattr("cutis.serve.record.erasure.blank", lambda _: False)
        erase(clinic, made)
    assert any(wrapped in content for content in _files_of(database, tmp_path))

    keep_up(clinic.clinic, clinic.ground)

    assert not any(wrapped in content for content in _files_of(database, tmp_path))


def test_erased_cases_are_remembered_outside_of_the_database(clinic):
    """Put back as by an older back-up, the case is erased again by what is remembered."""
    database, vault, folder = parts_of(clinic)
    made = clinic.examined()
    with database.reading() as connection:
        key = connection.execute(select(KEYS)).one()
        contents = connection.execute(select(CONTENTS)).all()
    erase(clinic, made)
    with database.writing() as connection:
        connection.execute(KEYS.insert().values(key._mapping))  # noqa: SLF001  SQLAlchemy's public name for it
        connection.execute(CONTENTS.insert(), [dict(row._mapping) for row in contents])  # noqa: SLF001  the same
        connection.execute(text("UPDATE clinic_cases SET erased_at = NULL"))

    count = erase_remembered(database, vault, folder, now=9)

    with database.reading() as connection:
        reasons = [each.content["reason"] for each in entries(connection, kinds=[Kind.ERASED])]
        assert connection.execute(select(KEYS)).all() == connection.execute(select(CONTENTS)).all() == []
    assert (count, reasons) == (1, ["asked", "restored"])
    assert erase_remembered(database, vault, folder, now=9) == 0


def test_an_erasure_is_remembered_before_the_key_is_destroyed(clinic):
    """Where it cannot be remembered, nothing is erased."""
    database, vault, folder = parts_of(clinic)
    made = clinic.examined()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERASED).mkdir()

    with pytest.raises(OSError, match="directory"):
        erase(clinic, made)

    with database.reading() as connection:
        assert answer_of(connection, vault, made).findings


def test_retention_erases_what_nobody_came_back_for(clinic):
    """Counted from the last examination of a case; without a period nothing goes."""
    database, vault, folder = parts_of(clinic)
    old = clinic.examined()
    seen_again = clinic.examined()
    clinic.site.time.now += 40 * DAY
    clinic.examined(case_id=seen_again.case_id)
    clinic.site.time.now += 70 * DAY

    kept = apply_retention(database, vault, folder, days=None, now=clinic.ground.now())
    erased = apply_retention(database, vault, folder, days=100, now=clinic.ground.now())
    again = apply_retention(database, vault, folder, days=100, now=clinic.ground.now())

    with database.reading() as connection:
        left = {each.examination.case_id for each in examinations(connection, vault).found}
        assert [each.content for each in entries(connection, kinds=[Kind.ERASED])] == [{"reason": "retention"}]
    assert (kept, erased, again, left) == (0, 1, 0, {seen_again.case_id})
    assert old.case_id in (folder / ERASED).read_text()


def _files_of(database, tmp_path):
    """Return what lies on the disk."""
    if database.is_sqlite:
        return [path.read_bytes() for path in tmp_path.glob("cutis.sqlite*")]
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = connection.execute(text("SHOW data_directory")).scalar()
        paths = [
            connection.execute(text("SELECT pg_relation_filepath(:name)"), {"name": name}).scalar()
            for name in ("clinic_keys", "clinic_cases", "clinic_contents")
        ]
    return [(Path(folder) / path).read_bytes() for path in paths]
