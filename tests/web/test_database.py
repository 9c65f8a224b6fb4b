"""The database."""

import subprocess
import sys

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role, make_account
from cutis.web.database import open_database
from cutis.web.migrate import migrate
from cutis.web.tables import ACCOUNTS

KILLED = """
import os, sys
from cutis.web.database import open_database
from cutis.web.accounts import make_account, Role
database = open_database(sys.argv[1])
for number in range(1000):
    with database.writing() as connection:
        account = make_account(connection, Role.READER, now=number)
    print(account.id, flush=True)
"""


def test_what_fails_halfway_is_not_there(database_url):
    """A block that raises leaves nothing of what it wrote."""
    database = open_database(database_url)
    migrate(database)

    with pytest.raises(ZeroDivisionError):
        _write_and_fail(database)

    with database.reading() as connection:
        assert connection.execute(select(ACCOUNTS.c.id)).all() == []
    database.close()


def test_sqlite_has_every_commit_on_the_disk(tmp_path):
    """WAL with FULL, foreign keys held, and what is erased is blanked."""
    database = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")

    with database.reading() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        ]

    assert found == ["wal", 2, 1, 1]
    database.close()


def test_what_fails_tells_no_value_in_its_error(database_url):
    """An error is logged; a value of it may be a patient's, or the hash of a password."""
    database = open_database(database_url)
    migrate(database)
    row = {"id": "a" * 32, "role": "reader", "made_at": 1.0, "password": "secret-hash"}

    with pytest.raises(IntegrityError) as failed, database.writing() as connection:
        connection.execute(insert(ACCOUNTS), [row, row])

    assert "secret-hash" not in str(failed.value)
    database.close()


def test_who_reads_for_long_keeps_what_was_erased_and_this_is_told(tmp_path, monkeypatch):
    """SQLite cannot blank what a reader may still look at; asked for again afterwards, it is done."""
    monkeypatch.setattr("cutis.web.database.SECONDS_FOR_A_LOCK", 0.1)
    database = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    migrate(database)
    with database.writing() as connection:
        connection.execute(insert(ACCOUNTS).values(id="a" * 32, role="reader", made_at=1.0, password="key-of-a-case"))  # noqa: S106
    assert database.forget()

    with database.reading() as reader:
        reader.execute(select(ACCOUNTS.c.id)).all()
        with database.writing() as connection:
            connection.execute(ACCOUNTS.delete())
        assert not database.forget()
    assert database.forget()

    assert not any(b"key-of-a-case" in path.read_bytes() for path in tmp_path.iterdir())
    database.close()


def test_a_killed_process_loses_nothing_that_it_acknowledged(database_url):
    """Kill −9 between two commits: every account that was told is there."""
    database = open_database(database_url)
    migrate(database)
    process = subprocess.Popen([sys.executable, "-c", KILLED, database_url], stdout=subprocess.PIPE, text=True)
    told = [process.stdout.readline().strip() for _ in range(20)]

    process.kill()
    told += process.stdout.read().split()
    process.wait()
    process.stdout.close()

    with database.reading() as connection:
        there = set(connection.execute(select(ACCOUNTS.c.id)).scalars())
    assert set(told) - there in (set(), {told[-1]} if len(told[-1]) < 32 else set())
    database.close()


@pytest.mark.parametrize("url", ["mysql://a/b", "no url", "oracle://x"])
def test_another_database_is_refused_by_name(url):
    """SQLite and PostgreSQL are known, and that is said."""
    with pytest.raises(UserError):
        open_database(url)


def test_a_password_in_a_url_is_not_told():
    """What goes wrong names the place, and never the secret."""
    with pytest.raises(UserError) as caught:
        open_database("postgresql://me:geheim@127.0.0.1:1/x")

    assert "geheim" not in str(caught.value)


def test_two_writers_come_one_after_the_other(database_url):
    """A write that is begun while another one is going on waits for it, and sees what it wrote."""
    import threading

    database = open_database(database_url)
    migrate(database)
    inside, errors = threading.Barrier(8), []

    def write(number):
        try:
            inside.wait()
            for _ in range(10):
                with database.writing() as connection:
                    connection.execute(insert(ACCOUNTS).values(id=f"{number}-{_}", role="reader", made_at=1))
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as connection:
        assert (errors, len(connection.execute(select(ACCOUNTS.c.id)).all())) == ([], 80)
    database.close()


def _write_and_fail(database):
    with database.writing() as connection:
        make_account(connection, Role.READER, now=1)
        raise ZeroDivisionError
