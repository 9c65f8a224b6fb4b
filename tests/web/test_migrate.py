"""Migrations."""

import subprocess
import sys
import time

import pytest
from sqlalchemy import inspect, select, text

from cutis.readers.booth.site import ROOM
from cutis.readers.booth.tables import BOOTH
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role, make_account, make_link
from cutis.web.database import open_database
from cutis.web.migrate import migrate
from cutis.web.tables import ACCOUNTS, GROUND

PLACES = [ROOM / "migrations"]
KILLED = """
import sys
from pathlib import Path
from cutis.web.database import open_database
from cutis.web.migrate import migrate
database = open_database(sys.argv[1])
print("ready", flush=True)
migrate(database, [Path(sys.argv[2])])
"""


def test_the_tables_have_the_columns_that_queries_name(database_url):
    """What migrations make is what the code speaks of, column by column."""
    database = open_database(database_url)
    migrate(database, PLACES)

    inspector = inspect(database.engine)
    for table in [*GROUND.tables.values(), *BOOTH.tables.values()]:
        assert {column["name"] for column in inspector.get_columns(table.name)} == set(table.columns.keys())
    database.close()


def test_up_twice_is_as_once_and_keeps_the_data(database_url):
    """A server that starts again changes nothing."""
    database = open_database(database_url)
    first = migrate(database, PLACES)
    with database.writing() as connection:
        account = make_account(connection, Role.ADMINISTRATOR, now=1)
        make_link(connection, account.id, now=1, days=1)

    second = migrate(database, PLACES)

    with database.reading() as connection:
        assert connection.execute(select(ACCOUNTS.c.id)).scalars().all() == [account.id]
    assert first == second
    assert first.now == {"booth_0001", "web_0002"}
    database.close()


def test_down_takes_every_table_away(database_url):
    """With data in them; and up again works."""
    database = open_database(database_url)
    migrate(database, PLACES)
    with database.writing() as connection:
        make_account(connection, Role.READER, now=1)

    migrate(database, PLACES, to="base")
    left = set(inspect(database.engine).get_table_names()) - {"alembic_version"}
    migrate(database, PLACES)

    assert left == set()
    assert "booth_answers" in inspect(database.engine).get_table_names()
    database.close()


def test_a_newer_database_is_refused(database_url):
    """An older cutis does not touch what it does not understand (threat 22)."""
    database = open_database(database_url)
    migrate(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'web_9999'"))

    with pytest.raises(UserError, match="newer cutis"):
        migrate(database)
    database.close()


def test_a_kill_in_the_middle_leaves_one_form_or_the_other(database_url):
    """Ten times killed at ten moments: the tables are all there or none, and the next start finishes."""
    for number in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, database_url, str(PLACES[0])], stdout=subprocess.PIPE, text=True
        )
        process.stdout.readline()
        time.sleep(0.012 * number)
        process.kill()
        process.wait()
        process.stdout.close()

        database = open_database(database_url)
        there = set(inspect(database.engine).get_table_names()) & {"accounts", "booth_answers"}
        assert there in (set(), {"accounts", "booth_answers"})
        migrate(database, PLACES)
        migrate(database, PLACES, to="base")
        database.close()
