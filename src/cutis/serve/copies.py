"""One state of a database, copied out and in: SQLite by its online back-up, PostgreSQL by COPY in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, table, text
from sqlalchemy.engine import make_url

from cutis.serve.journal.anchors import head_of
from cutis.vocabulary.files import sync
from cutis.web.database import Database, open_database
from cutis.web.migrate import migrate

SQLITE = "clinic.sqlite"
TABLES = "tables"
FORM = "alembic_version"
PIECE = 1 << 20  # bytes


class Copied(NamedTuple):
    """What a copy holds."""

    kind: str
    heads: tuple[str, ...]
    entries: int
    head: str
    tables: dict[str, int]  # rows


def copy_out(database: Database, folder: Path) -> Copied:
    """Copy one state of a database into a folder, while others write."""
    return _sqlite_out(database, folder) if database.is_sqlite else _postgres_out(database, folder)


def copy_in(url: str, folder: Path, *, heads: Sequence[str], places: Sequence[Path]) -> None:
    """Bring a copy into an empty database, in the form that it had."""
    if make_url(url).get_backend_name() == "sqlite":
        _sqlite_in(_file_of(url), folder)
    else:
        _postgres_in(url, folder, heads=heads, places=places)


def is_empty(url: str) -> bool:
    """Say whether there is nothing of anybody's in a database; a file is not made by looking."""
    if make_url(url).get_backend_name() == "sqlite" and not _file_of(url).exists():
        return True
    database = open_database(url)
    try:
        return not inspect(database.engine).get_table_names()
    finally:
        database.close()


def empty(url: str, *, places: Sequence[Path]) -> None:
    """Take away what `copy_in` brought."""
    if make_url(url).get_backend_name() == "sqlite":
        for end in ("", "-wal", "-shm"):
            _file_of(url).with_name(_file_of(url).name + end).unlink(missing_ok=True)
        return
    database = open_database(url)
    try:
        migrate(database, places, to="base")
        with database.writing() as connection:
            connection.execute(text(f"DROP TABLE IF EXISTS {FORM}"))
    finally:
        database.close()


def _sqlite_out(database: Database, folder: Path) -> Copied:
    path = folder / SQLITE
    _sqlite_copy(_file_of(str(database.engine.url)), path)
    copy = open_database(f"sqlite:///{path.absolute()}")
    try:
        with copy.reading() as connection:
            found = _described(connection)
    finally:
        copy.close()
    with closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
    sync(path)
    return found


def _sqlite_in(file: Path, folder: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.chmod(0o600)  # also where an empty file was there
    _sqlite_copy(folder / SQLITE, file)
    sync(file)
    sync(file.parent)


def _sqlite_copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)


def _postgres_out(database: Database, folder: Path) -> Copied:
    (folder / TABLES).mkdir()
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database.engine.connect().execution_options(**options) as connection, connection.begin():
        found = _described(connection)
        for name in found.tables:
            path, columns = folder / TABLES / f"{name}.copy", _columns(connection, name)
            said = f'COPY "{name}" ({columns}) TO STDOUT (FORMAT binary)'
            with path.open("wb") as file, _cursor(connection) as cursor, cursor.copy(said) as rows:
                for piece in rows:
                    file.write(piece)
            sync(path)
    return found


def _postgres_in(url: str, folder: Path, *, heads: Sequence[str], places: Sequence[Path]) -> None:
    database = open_database(url)
    try:
        for head in heads:
            migrate(database, places, to=head)
        with database.writing() as connection:
            for name in _tables(connection):
                path, columns = folder / TABLES / f"{name}.copy", _columns(connection, name)
                said = f'COPY "{name}" ({columns}) FROM STDIN (FORMAT binary)'
                with path.open("rb") as file, _cursor(connection) as cursor, cursor.copy(said) as rows:
                    while piece := file.read(PIECE):
                        rows.write(piece)
    finally:
        database.close()


def _described(connection: Connection) -> Copied:
    number, hash_ = head_of(connection)
    heads = tuple(sorted(MigrationContext.configure(connection).get_current_heads()))
    rows = {
        name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
        for name in _tables(connection)
    }
    return Copied(connection.dialect.name, heads, number, hash_, rows)


def _tables(connection: Connection) -> list[str]:
    """Return the tables, those first that others refer to; which form they have is told by the migrations."""
    ordered = inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in ordered if name is not None and name != FORM]


def _columns(connection: Connection, name: str) -> str:
    return ", ".join(f'"{column["name"]}"' for column in inspect(connection).get_columns(name))


def _cursor(connection: Connection) -> Any:
    """Return the driver's own cursor, which knows COPY."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()


def _file_of(url: str) -> Path:
    return Path(str(make_url(url).database))
