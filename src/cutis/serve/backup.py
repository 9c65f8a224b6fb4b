"""What a clinic keeps goes into a sealed folder while the server runs, and out of it into an empty place.

    clinic-2026-11-26/
    ├── backup.json       when it was made, how far the journal went, the sum of every file; signed by the site
    ├── clinic.sqlite     or tables/NAME.copy of PostgreSQL: one state of the database
    ├── journal/          anchors and erased cases
    └── SHA256SUMS

The master key is not in it: whoever finds a back-up reads nothing, and who loses the key has lost the record.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select
from sqlalchemy.engine import make_url

from cutis.serve import copies
from cutis.serve.journal.anchors import ANCHORS, KIND, anchor, head_of, read_anchors, signed
from cutis.serve.journal.entry import SERVER, Entry, Kind, canonical
from cutis.serve.journal.files import add_line, read_lines
from cutis.serve.journal.verifying import verify
from cutis.serve.journal.writing import write
from cutis.serve.opening import MIGRATIONS
from cutis.serve.record.erasure import ERASED, erase_remembered
from cutis.serve.settings import JOURNAL, ClinicSettings
from cutis.serve.unlocking import unlock
from cutis.serve.vault import Vault, is_signed, read_vault
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import SUMS, check_sums, read_json, sha256_of, write_json, write_sums
from cutis.web.database import Database, open_database
from cutis.web.migrate import migrate
from cutis.web.tables import ACCOUNTS, SESSIONS, TOKENS

ABOUT = "backup.json"
SIGNED = ("made_at", "database", "heads", "entries", "master_key", "tables", "files")
FROM_ELSEWHERE = "give a folder that `cutis clinic backup` wrote"


@dataclass(frozen=True)
class Backup:
    """What a back-up holds."""

    folder: Path
    made_at: float
    kind: str  # of database
    heads: tuple[str, ...]  # form of the tables
    entries: int  # of the journal
    master_key: str  # fingerprint


@dataclass(frozen=True)
class Restored:
    """What came back."""

    entries: int
    erased: int  # cases that were erased after the back-up was made, and now again
    lost: int  # entries that an anchor in this place knew of, and the back-up does not
    accounts: int  # that can sign in, also those that were taken away since
    tokens: int  # that count, also those that were withdrawn since


def back_up(database: Database, vault: Vault, folder: Path, into: Path, *, now: float) -> Backup:
    """Write one state of everything into a new folder; the server may run meanwhile.

    Args:
        database: of the clinic.
        vault: signs how far the journal goes in it.
        folder: of the journal's anchors.
        into: is made.
        now: the time.

    Raises:
        UserError: `into` is there already.
    """
    if into.exists():
        raise UserError("there is something already", where=str(into), mend="name a folder that is not there")
    into.parent.mkdir(parents=True, exist_ok=True)
    aside = into.with_name(f".{into.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / JOURNAL).mkdir(parents=True, mode=0o700)
    aside.chmod(0o700)
    try:
        _copy_lines(folder, aside / JOURNAL, ANCHORS)  # before the database: what they name is then in the copy
        copied = copies.copy_out(database, aside)
        _copy_lines(folder, aside / JOURNAL, ERASED)  # after it: what was erased in the copy is in the list
        if copied.entries:
            head = signed(vault, copied.entries, copied.head, now=now)
            add_line(aside / JOURNAL / ANCHORS, KIND, head._asdict())
        made = Backup(into, now, copied.kind, copied.heads, copied.entries, vault.fingerprint)
        told = {"made_at": now, "time": datetime.fromtimestamp(now, UTC).isoformat(), "database": made.kind}
        told |= {"heads": list(made.heads), "entries": made.entries, "master_key": made.master_key}
        told |= {"tables": copied.tables, "files": _sums_of(aside)}
        write_json(aside / ABOUT, "backup", told | {"signature": vault.sign(_message(told))})
        write_sums(aside)
        aside.rename(into)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return made


def read_backup(folder: Path) -> Backup:
    """Return what a back-up says of itself, once every byte of it was checked.

    Raises:
        UserError: it is none, or was changed.
    """
    check_sums(folder, "back-up", mend=FROM_ELSEWHERE)
    told = read_json(folder / ABOUT, "backup")
    heads = tuple(told["heads"])
    return Backup(folder, told["made_at"], told["database"], heads, told["entries"], told["master_key"])


def restore(settings: ClinicSettings, source: Path, *, now: float) -> Restored:
    """Bring a back-up into the empty place that the settings name; what was erased since is erased again.

    Raises:
        UserError: it is no back-up, was changed, is of the other kind of database, or the place is not empty.
        SafetyRefusal: its master key is not in its place or did not sign it, or its journal is broken.

    Whatever goes wrong before the copy was found whole, such as a full disk, leaves the place empty.
    """
    found = read_backup(source)
    _require_place(settings, found)
    _require_signed(found, read_vault(settings.master_key_file), where=str(settings.master_key_file))
    with ExitStack() as undoing:
        undoing.callback(copies.empty, settings.database_url, places=[MIGRATIONS])
        copies.copy_in(settings.database_url, source, heads=found.heads, places=[MIGRATIONS])
        database = open_database(settings.database_url)
        undoing.callback(database.close)
        migrate(database, [MIGRATIONS])
        vault = unlock(database, settings.master_key_file)
        _require_whole(database, vault, source / JOURNAL)
        undoing.pop_all()
    try:
        return _settle(database, vault, settings.journal_folder, found, now=now)
    finally:
        database.close()


def _settle(database: Database, vault: Vault, folder: Path, found: Backup, *, now: float) -> Restored:
    """Let the journal go on from here: sessions end, anchors of what is lost are laid aside, erasures come first."""
    known = max((each.number for each in read_anchors(folder)), default=0)
    _take_over(found.folder / JOURNAL, folder, now=now)
    erased = erase_remembered(database, vault, folder, now=now)
    lost = max(0, known - found.entries)
    with database.writing() as connection:
        connection.execute(delete(SESSIONS))
        told: dict[str, Any] = {"made_at": found.made_at, "entries": found.entries, "lost": lost}
        write(connection, vault, Entry(kind=Kind.RESTORED, by=SERVER, open=told), now=now)
        accounts = _count(connection, ACCOUNTS, ACCOUNTS.c.password.is_not(None))
        tokens = _count(connection, TOKENS, or_(TOKENS.c.ends_at.is_(None), TOKENS.c.ends_at > now))
    anchor(database, vault, folder, now=now)
    return Restored(found.entries, erased, lost, accounts, tokens)


def _count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()


def _require_place(settings: ClinicSettings, found: Backup) -> None:
    url = settings.database_url
    kind = make_url(url).get_backend_name()
    if kind != found.kind:
        mend = f"name a database of this kind, such as by --database {found.kind}:…"
        raise UserError(f"this is a back-up of {found.kind}", where=str(found.folder), mend=mend)
    if not copies.is_empty(url):
        where = make_url(url).render_as_string(hide_password=True)
        raise UserError("there is a database already", where=where, mend="name an empty place, or take it away first")
    if not settings.master_key_file.is_file():
        mend = f"lay the key of the site there that has the fingerprint {found.master_key[:16]}…"
        raise SafetyRefusal("the master key is missing", where=str(settings.master_key_file), mend=mend)


def _require_signed(found: Backup, vault: Vault, *, where: str) -> None:
    """Refuse what somebody else put together: sums alone can be made by anybody."""
    if found.master_key != vault.fingerprint:
        what = "this master key does not open what is in the back-up"
        raise SafetyRefusal(what, where=where, mend="bring back the key and the back-up of the same site")
    told = read_json(found.folder / ABOUT, "backup")
    fits = told.get("files") == _sums_of(found.folder)
    if not fits or not is_signed(vault.public, _message(told), str(told.get("signature"))):
        what = "this back-up is not as the site made it: its signature does not fit"
        raise SafetyRefusal(what, where=str(found.folder), mend="take another back-up, and ask who can write to them")


def _message(told: Mapping[str, Any]) -> bytes:
    """Return what is signed: everything that a back-up says of itself, with the sum of every file in it."""
    return b"cutis back-up: " + canonical({name: told.get(name) for name in SIGNED}).encode()


def _sums_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in {ABOUT, SUMS})
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def _require_whole(database: Database, vault: Vault, folder: Path) -> None:
    anchors = read_anchors(folder)
    with database.reading() as connection:
        verdict = verify(connection, anchors, vault.public)
        count, _ = head_of(connection)
    if verdict.broken:
        what = (
            f"the journal of this back-up is broken at entry {verdict.broken.number} of {count}: {verdict.broken.why}"
        )
        raise SafetyRefusal(what, where=str(folder), mend="take another back-up")


def _take_over(source: Path, folder: Path, *, now: float) -> None:
    """Lay the back-up's anchors here, beside those that were here; the list of erased cases only grows."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ANCHORS).exists():
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        (folder / ANCHORS).rename(folder / f"anchors-until-{moment}.jsonl")
    _copy_lines(source, folder, ANCHORS)
    here = {line["case_id"] for line in read_lines(folder / ERASED, "erased")}
    for line in read_lines(source / ERASED, "erased"):
        if line["case_id"] not in here:
            add_line(folder / ERASED, "erased", {"case_id": line["case_id"], "at": line["at"]})


def _copy_lines(source: Path, target: Path, name: str) -> None:
    if (source / name).is_file():
        shutil.copyfile(source / name, target / name)
        (target / name).chmod(0o600)
