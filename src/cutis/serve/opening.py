"""What a clinic's server keeps, opened: for the server, and for the verbs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from cutis.serve.settings import ClinicSettings
from cutis.serve.unlocking import unlock
from cutis.serve.vault import Vault
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.database import Database, open_database
from cutis.web.migrate import migrate
from cutis.web.settings import read_settings

ROOM = Path(str(files("cutis.serve")))
MIGRATIONS = ROOM / "migrations"
PLACEHOLDER = "CHANGE-ME"  # stands in the example of settings where a secret of the site's own belongs


class Opened(NamedTuple):
    """What is kept, and the key to it."""

    settings: ClinicSettings
    database: Database
    vault: Vault


@contextmanager
def opened(settings: Path | None = None, **flags: Any) -> Iterator[Opened]:
    """Lend the database in its newest form, and the vault; flags that are None were not given.

    Raises:
        UserError, SafetyRefusal: see `read_clinic_settings` and `kept`.
    """
    with kept(read_clinic_settings(settings, **flags)) as found:
        yield found


def read_clinic_settings(file: Path | None = None, **flags: Any) -> ClinicSettings:
    """Return the settings of a clinic.

    Raises:
        UserError: see `read_settings`.
        SafetyRefusal: an example's placeholder stands where the site's own word belongs.
    """
    read = read_settings(ClinicSettings, file, **flags)
    if found := [name for name, value in read if PLACEHOLDER in str(value)]:
        what = f"{', '.join(found)}: the placeholder {PLACEHOLDER} of the example is still there"
        mend = "put the site's own word in its place; there is no secret that all sites share"
        raise SafetyRefusal(what, where=str(file or "the environment and the flags"), mend=mend)
    return read


@contextmanager
def kept(settings: ClinicSettings) -> Iterator[Opened]:
    """Lend what a server keeps, in its newest form; the master key is made where nothing was kept yet.

    Raises:
        UserError: see `open_database` and `migrate`.
        SafetyRefusal: see `unlock`.
    """
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(settings.database_url)
    try:
        migrate(database, [MIGRATIONS])
        yield Opened(settings, database, unlock(database, settings.master_key_file))
    finally:
        database.close()
