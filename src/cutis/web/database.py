"""The database: SQLite in one file by default, PostgreSQL by its URL; what was acknowledged survives a kill."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from cutis.vocabulary.errors import UserError

SECONDS_FOR_A_LOCK = 20
KINDS = ("sqlite", "postgresql")
WRITES = "cutis_writes"
# With WAL, only FULL has a commit on the disk before it is acknowledged; secure_delete blanks what was erased.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


@dataclass(frozen=True)
class Database:
    """An open database, handed to whoever reads or writes."""

    engine: Engine
    _pen: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file that one process writes."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that sees one state of the database."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection whose changes are on the disk when the block ends well, and nowhere if it does not.

        SQLite has one writer at a time; waiting for a pen is fair, waiting for its file is a race.
        """
        alone = self._pen if self.is_sqlite else nullcontext()
        with alone, self.engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            yield connection

    def forget(self) -> bool:
        """Blank what was erased in SQLite's journal and file too; PostgreSQL's own vacuum does this in its time.

        Returns:
            Whether it is done: somebody who has been reading for long keeps what they may still look at.
        """
        if not self.is_sqlite:
            return True
        with self._pen, self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            is_busy, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
        return not is_busy

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database by its URL and ask it for a sign of life.

    Raises:
        UserError: no URL of SQLite or PostgreSQL, or nobody answers there.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UserError(
            "this is no URL of a database", where=url[:40], mend="sqlite:///file or postgresql://…"
        ) from error
    kind = parsed.get_backend_name()
    where = parsed.render_as_string(hide_password=True)
    if kind not in KINDS:
        raise UserError(f"{kind} is not known here", where=where, mend=f"known are: {', '.join(KINDS)}")
    if kind == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 30}
    options["hide_parameters"] = True  # what fails is logged, and its values may be a patient's, or a password's hash
    if kind == "sqlite":
        options["connect_args"] = {"timeout": SECONDS_FOR_A_LOCK, "check_same_thread": False}
    else:
        options["pool_pre_ping"] = True  # a server of its own may have been restarted
    engine = create_engine(parsed, **options)
    if kind == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError as error:
        raise UserError(f"the database does not answer: {error.orig}", where=where, mend="check its URL") from error
    return Database(engine)


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # Python's driver begins transactions late, and never for a table's definition
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the lock before the first look where something will be written: a look alone cannot be turned into it."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        immediate = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
