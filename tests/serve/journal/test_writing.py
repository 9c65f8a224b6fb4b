"""Entries are added one after the other, whoever writes at once."""

import threading

import pytest

from clinics import an_opened_record
from cutis.serve.journal import SERVER, Entry, Kind, entries, opened, sealed_in, write
from cutis.serve.journal.verifying import verify
from cutis.serve.record.cases import new_case
from cutis.serve.tables import JOURNAL
from cutis.serve.vault import Erased
from cutis.vocabulary.errors import SafetyRefusal


@pytest.fixture
def record(tmp_path, database_url):
    """A record without anything in it."""
    with an_opened_record(tmp_path / "clinic", database_url) as found:
        yield found


def test_what_many_write_at_once_is_one_chain(record):
    """Eight writers, ten entries each, some of them taken back: no number twice, none left out."""
    ready, errors = threading.Barrier(8), []

    def write_ten(who):
        ready.wait()
        for number in range(10):
            try:
                with record.database.writing() as connection:
                    case = new_case(connection, record.vault, now=1)
                    entry = Entry(kind=Kind.ANSWER, by=f"writer {who}", case_id=case.id, sealed={"n": number})
                    write(connection, record.vault, entry, now=number)
                    assert number != 5
            except AssertionError:
                continue
            except Exception as error:  # noqa: BLE001  a thread tells nobody else
                errors.append(error)

    threads = [threading.Thread(target=write_ten, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with record.database.reading() as connection:
        verdict = verify(connection, [], record.vault.public)
        by_writer = [each.by for each in entries(connection)]
    assert errors == []
    assert (verdict.broken, verdict.entries) == (None, 72)
    assert {by_writer.count(f"writer {who}") for who in range(8)} == {9}


def test_what_is_sealed_belongs_to_a_case(record):
    """Of nobody, or of a case that was erased, nothing is sealed."""
    with pytest.raises(ValueError, match="belongs to a case"), record.database.writing() as connection:
        write(connection, record.vault, Entry(kind=Kind.NOTE, by=SERVER, sealed={"a": 1}), now=1)
    with pytest.raises(Erased), record.database.writing() as connection:
        write(connection, record.vault, Entry(kind=Kind.NOTE, by=SERVER, case_id="x", sealed={"a": 1}), now=1)


def test_entries_are_looked_up_by_kind_by_condition_and_from_a_number_on(record):
    """In their order; sealed parts are opened by the case that they belong to."""
    with record.database.writing() as connection:
        case = new_case(connection, record.vault, now=1)
        write(connection, record.vault, Entry(kind=Kind.NOTE, by="a", case_id=case.id, sealed={"text": "ä"}), now=1)
    for number in (2, 3):
        with record.database.writing() as connection:
            write(connection, record.vault, Entry(kind=Kind.ACCOUNT, by="b", open={"n": number}), now=number)

    with record.database.reading() as connection:
        assert [each.number for each in entries(connection, kinds=[Kind.ACCOUNT])] == [2, 3]
        assert [each.number for each in entries(connection, JOURNAL.c.by == "a")] == [1]
        assert [each.content for each in entries(connection, after=2)] == [{"n": 3}]
        assert [each.sealed for each in opened(connection, record.vault)] == [{"text": "ä"}, {}, {}]
        first = next(entries(connection))
        assert sealed_in(connection, record.vault, first) == {"text": "ä"}


def test_a_sealed_part_is_not_opened_at_another_number(record):
    """What was moved within a case does not pass for something else."""
    with record.database.writing() as connection:
        case = new_case(connection, record.vault, now=1)
        write(connection, record.vault, Entry(kind=Kind.NOTE, by="a", case_id=case.id, sealed={"text": "a"}), now=1)
    with record.database.reading() as connection:
        [kept] = entries(connection)
        with pytest.raises(SafetyRefusal):
            sealed_in(connection, record.vault, kept._replace(number=2))
