"""What is done to the record beside the server: checked, taken out, erased, backed up, brought back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cutis.serve.backup import Backup, Restored, back_up
from cutis.serve.backup import restore as brought_back
from cutis.serve.copies import is_empty
from cutis.serve.journal import SERVER, Entry, Kind, write
from cutis.serve.journal.anchors import head_of, read_anchor_key, read_anchors
from cutis.serve.journal.exporting import exported
from cutis.serve.journal.verifying import Verdict, verify
from cutis.serve.labels.collecting import forget_erased
from cutis.serve.opening import Opened, kept, read_clinic_settings
from cutis.serve.record.erasure import apply_retention, erase_case
from cutis.serve.settings import ClinicSettings
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import written_aside
from cutis.web.database import open_database


@contextmanager
def standing(settings: Path | None = None, **flags: Any) -> Iterator[Opened]:
    """Lend what a clinic keeps that is there; none is begun by looking.

    Raises:
        UserError, SafetyRefusal: there is none, or see `kept`.
    """
    with kept(_where_a_clinic_is(settings, **flags)) as found:
        yield found


def audited(
    settings: Path | None = None, *, anchors: Path | None = None, key: Path | None = None, **flags: Any
) -> Verdict:
    """Say whether the journal still says what was written.

    Args:
        settings: a TOML file; flags and environment come before it.
        anchors: a copy of the anchors that lies elsewhere; those beside the database, if not given.
        key: the public key of the anchors, for who has no master key.
        flags: settings by name; None is not given.

    Raises:
        UserError, SafetyRefusal: there is no clinic, or the anchors cannot be read.
    """
    read = _where_a_clinic_is(settings, **flags)
    folder = read.journal_folder
    if anchors is not None and not anchors.is_file():
        raise UserError("there is no such file", where=str(anchors), mend="check --anchors")
    known = read_anchors(folder) if anchors is None else read_anchors(anchors.parent, name=anchors.name)
    if key is None:
        with kept(read) as found, found.database.reading() as connection:
            return verify(connection, known, found.vault.public)
    database = open_database(read.database_url)
    try:
        with database.reading() as connection:
            return verify(connection, known, read_anchor_key(key))
    finally:
        database.close()


def export_journal(into: Path, settings: Path | None = None, *, decrypt: bool = False, **flags: Any) -> int:
    """Write the journal as lines of JSON, and return how many entries; what is opened is written down first.

    Raises:
        UserError, SafetyRefusal: there is no clinic, or a part of it was changed.
    """
    with standing(settings, **flags) as found:
        if decrypt:
            told = Entry(kind=Kind.ACCESS, by=SERVER, open={"what": "journal", "is_opened": True})
            with found.database.writing() as connection:
                write(connection, found.vault, told, now=time.time())
        with found.database.reading() as connection, written_aside(into) as aside:
            aside.touch(mode=0o600)
            with aside.open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in exported(connection, found.vault if decrypt else None))
            return head_of(connection)[0]


def backup(into: Path, settings: Path | None = None, **flags: Any) -> Backup:
    """Write a back-up; see `back_up`."""
    with standing(settings, **flags) as found:
        return back_up(found.database, found.vault, found.settings.journal_folder, into, now=time.time())


def restore(source: Path, settings: Path | None = None, **flags: Any) -> Restored:
    """Bring a back-up into an empty place; see `cutis.serve.backup.restore`."""
    return brought_back(read_clinic_settings(settings, **flags), source, now=time.time())


def erase(case_id: str, settings: Path | None = None, **flags: Any) -> None:
    """Erase a case.

    Raises:
        UserError: there is none, or it was erased before.
    """
    with standing(settings, **flags) as found:
        folder = found.settings.journal_folder
        if not erase_case(found.database, found.vault, folder, case_id, by=SERVER, reason="asked", now=time.time()):
            mend = "give the id that stands in the address of the case's page"
            raise UserError("there is no such case, or it was erased before", where=case_id[:40], mend=mend)
        forget_erased(found.database, found.settings.folder)


def retain(settings: Path | None = None, **flags: Any) -> int:
    """Erase every case that is older than the site keeps it; return how many.

    Raises:
        UserError: the site does not say how long that is.
    """
    with standing(settings, **flags) as found:
        days = found.settings.retention_days
        if days is None:
            mend = "give --days, or retention_days in the settings"
            raise UserError("nobody said how long cases are kept", where=str(found.settings.folder), mend=mend)
        folder = found.settings.journal_folder
        count = apply_retention(found.database, found.vault, folder, days=days, now=time.time())
        forget_erased(found.database, found.settings.folder)
        return count


def _where_a_clinic_is(settings: Path | None, **flags: Any) -> ClinicSettings:
    read = read_clinic_settings(settings, **flags)
    if is_empty(read.database_url):
        raise UserError(
            "there is no clinic here", where=str(read.folder), mend="check --folder, --database, --settings"
        )
    return read
