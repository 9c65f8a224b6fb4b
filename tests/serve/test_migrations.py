"""The clinic's tables come and go with data in them, on both databases, and a kill leaves one form or the other."""

import subprocess
import sys
import time

from sqlalchemy import func, inspect, select, text

from clinics import MIGRATIONS, a_clinic
from cutis.serve.tables import CLINIC, CONTENTS, JOURNAL
from cutis.web.database import open_database
from cutis.web.migrate import migrate

TABLES = set(CLINIC.tables)
KILLED = """
import sys
from pathlib import Path
from cutis.web.database import open_database
from cutis.web.migrate import migrate
database = open_database(sys.argv[1])
print("ready", flush=True)
migrate(database, [Path(sys.argv[2])], to=sys.argv[3])
"""


def test_the_tables_have_the_columns_that_queries_name(database_url):
    """What migrations make is what the code speaks of."""
    database = open_database(database_url)
    migrate(database, [MIGRATIONS])

    inspector = inspect(database.engine)
    for table in CLINIC.tables.values():
        assert {column["name"] for column in inspector.get_columns(table.name)} == set(table.columns.keys())
    database.close()


def test_up_again_keeps_the_data_and_down_takes_all_of_it_away(tmp_path, database_url, answerer):
    """With examinations in them and a journal that refuses to be changed; then up again works."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as clinic:
        clinic.examined(note="a note")
        database = clinic.ground.database
        migrate(database, [MIGRATIONS])
        with database.reading() as connection:
            kept = [connection.execute(select(func.count()).select_from(each)).scalar() for each in (CONTENTS, JOURNAL)]

        migrate(database, [MIGRATIONS], to="base")
        left = set(inspect(database.engine).get_table_names()) - {"alembic_version"}
        migrate(database, [MIGRATIONS])

        assert (kept, left) == ([5, 1], set())
        assert set(inspect(database.engine).get_table_names()) >= TABLES


def test_nothing_of_ours_is_left_after_going_down(database_url):
    """Neither triggers nor functions."""
    database = open_database(database_url)
    migrate(database, [MIGRATIONS])
    migrate(database, [MIGRATIONS], to="base")

    query = (
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        if database.is_sqlite
        else "SELECT count(*) FROM pg_proc WHERE proname LIKE 'clinic%'"
    )
    with database.reading() as connection:
        assert connection.execute(text(query)).scalar() == 0
    database.close()


def test_a_kill_in_the_middle_leaves_one_form_or_the_other(tmp_path, database_url, answerer):
    """Ten kills, five on the way up and five down with data: all is there or nothing; the next start ends it."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as clinic:
        database = clinic.ground.database
        for number in range(10):
            way, other = ("heads", "base") if number % 2 else ("base", "heads")
            migrate(database, [MIGRATIONS], to=other)
            if way == "base":
                clinic.examined()
            _killed_while_it_migrates(database_url, way, after=0.012 * number)

            there = set(inspect(database.engine).get_table_names()) & TABLES
            assert there in (set(), TABLES)
            if way == "base" and there:
                with database.reading() as connection:
                    assert connection.execute(select(func.count()).select_from(JOURNAL)).scalar() == 1
            migrate(database, [MIGRATIONS], to="base")


def _killed_while_it_migrates(database_url, way, *, after):
    line = [sys.executable, "-c", KILLED, database_url, str(MIGRATIONS), way]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(after)
    process.kill()
    process.wait()
    process.stdout.close()
