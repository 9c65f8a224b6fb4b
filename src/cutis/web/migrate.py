"""Tables come and change by migrations, each room's in a folder of its own; a newer database is refused."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cutis.vocabulary.errors import UserError
from cutis.web.database import Database

GROUND = Path(str(files("cutis.web") / "migrations"))


class Standing(NamedTuple):
    """Where a database stands, and where this version of cutis would take it."""

    now: frozenset[str]
    newest: frozenset[str]


def migrate(database: Database, places: Sequence[Path] = (), *, to: str = "heads") -> Standing:
    """Bring the tables to the newest form, in one transaction: a kill leaves the form before.

    Args:
        database: to change.
        places: folders of migrations beside the ground's.
        to: a revision, or ``heads``; ``base`` takes all tables away.

    Raises:
        UserError: the database was made by a newer cutis.
    """
    config = _config(places)
    script = ScriptDirectory.from_config(config)
    with database.writing() as connection:
        _require_known(connection, script)
        config.attributes["connection"] = connection
        (command.downgrade if to == "base" else command.upgrade)(config, to)
        then = frozenset(MigrationContext.configure(connection).get_current_heads())
    return Standing(then, frozenset(script.get_heads()))


def standing_of(database: Database, places: Sequence[Path] = ()) -> Standing:
    """Say where a database stands, and change nothing.

    Raises:
        UserError: the database was made by a newer cutis.
    """
    script = ScriptDirectory.from_config(_config(places))
    with database.reading() as connection:
        return Standing(_require_known(connection, script), frozenset(script.get_heads()))


def _require_known(connection: Connection, script: ScriptDirectory) -> frozenset[str]:
    """Return where a database stands, unless this version does not know it."""
    now = frozenset(MigrationContext.configure(connection).get_current_heads())
    if unknown := now - {each.revision for each in script.walk_revisions()}:
        where = connection.engine.url.render_as_string(hide_password=True)
        what = f"this database was made by a newer cutis: {', '.join(sorted(unknown))}"
        raise UserError(what, where=where, mend="update cutis, or name another database")
    return now


def _config(places: Sequence[Path]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(GROUND))
    config.set_main_option("path_separator", "newline")
    versions = [str(GROUND / "versions"), *map(str, places)]
    config.set_main_option("version_locations", "\n".join(versions).replace("%", "%%"))
    return config
