"""What a clinic's server would find if it started now; nothing is opened to the world, and nothing is changed."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from cutis.doctor import Check
from cutis.runtime.ready import AUTO, Trusted
from cutis.runtime.release import Release, read_release
from cutis.runtime.self_test import self_test
from cutis.serve.journal.anchors import read_anchors
from cutis.serve.journal.verifying import verify
from cutis.serve.opening import MIGRATIONS
from cutis.serve.safe import require_free_address, require_invented, trusted_release
from cutis.serve.settings import ClinicSettings
from cutis.serve.site import languages_of, signs_of
from cutis.serve.staff.releases import in_force
from cutis.serve.unlocking import key_of
from cutis.serve.vault import read_vault
from cutis.serve.visibility import shows
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.web.accounts import Role, can_sign_in
from cutis.web.database import Database, open_database
from cutis.web.migrate import standing_of
from cutis.web.server import require_safe_address
from cutis.web.tables import ACCOUNTS
from cutis.workspace import alone_in

GIB = 2**30
LITTLE_DISK, NO_DISK = 5 * GIB, 1 * GIB


class Found(NamedTuple):
    """What a look found; `state` is "ok", or "warn" where it works but should be known."""

    said: str
    state: str = "ok"
    mend: str = ""


Look = Callable[[ClinicSettings], Found]


def look_at(settings: ClinicSettings) -> tuple[Check, ...]:
    """Look at everything a start needs, one thing after the other.

    Returns:
        A check for each; "fail" where a start would end with an error, "refused" where it would be refused for safety.
    """
    return tuple(_looked(name, look, settings) for name, look in LOOKS.items())


def _looked(name: str, look: Look, settings: ClinicSettings) -> Check:
    try:
        found = look(settings)
    except SafetyRefusal as error:
        return Check(name=name, state="refused", found=f"{error.what} ({error.where})", mend=error.mend)
    except UserError as error:
        return Check(name=name, state="fail", found=f"{error.what} ({error.where})", mend=error.mend)
    except OSError as error:
        mend = "change the permissions, or name another place in the settings"
        return Check(name=name, state="fail", found=f"{error.strerror} ({error.filename})", mend=mend)
    return Check(name=name, state=found.state, found=found.said, mend=found.mend)


def _release(settings: ClinicSettings) -> Found:
    release = _read(settings)
    require_invented(settings, release.bundle, where=str(release.sealed.folder))
    sealed = release.sealed
    said = f"{release.bundle.name} {sealed.manifest_sha256[:16]}, each of its {len(sealed.entries)} files as sealed"
    if sealed.signed_by:
        return Found(f"{said}; signed by {sealed.signed_by[:16]} ({settings.key})")
    mend = "name the public key of whoever signs it, and leave signed as it is"
    return Found(f"{said}; NOBODY VOUCHES FOR IT", "warn", mend)


def _self_test(settings: ClinicSettings) -> Found:
    """Let each engine that could be used answer the release's own picture."""
    release = _read(settings)
    offers = [each for each in release.offers if settings.engine in (AUTO, each.name)]
    if not offers:
        mend = f"use one of: {', '.join((AUTO, *(each.name for each in release.offers)))}"
        raise UserError(f"this release does not offer {settings.engine}", where="engine", mend=mend)
    told, passed = [], 0
    for offer in offers:
        try:
            engine = release.engine(offer)
        except UserError as error:
            told.append(f"{offer.name}: not here: {error.what}")
            continue
        result = self_test(release, engine, offer)
        told.append(f"{offer.name}: off by {result.off_by:.1g}, of {result.tolerance:.1g}")
        passed += 1
    if not passed:
        raise UserError("; ".join(told), where="this machine", mend="pip install 'cutis[serve]'")
    if passed < len(offers):
        return Found("; ".join(told), "warn", "install what the release offers: pip install 'cutis[serve]'")
    return Found("; ".join(told))


def _folder(settings: ClinicSettings) -> Found:
    folder = settings.folder
    if not folder.exists():
        return Found(f"{folder} is not there yet; the first start makes it")
    if not os.access(folder, os.W_OK):
        raise UserError("no permission to write", where=str(folder), mend="give it to the server's own user")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Found(f"{folder} is open to others ({mode:04o})", "warn", f"chmod 700 {folder}")
    return Found(f"{folder} ({mode:04o})")


def _disk(settings: ClinicSettings) -> Found:
    place = next(path for path in (settings.folder.absolute(), *settings.folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    said = f"{free / GIB:.1f} GiB at {place}"
    if free < NO_DISK:
        raise UserError(said, where=str(place), mend="free some space, or name another folder")
    return Found(said, *(("warn", "free some space soon") if free < LITTLE_DISK else ()))


def _master_key(settings: ClinicSettings) -> Found:
    path = settings.master_key_file
    with _tables(settings) as connection:
        key = key_of(connection, path)
    if key.vault is None:
        return Found(f"{path} is not there yet; the first start makes it", "warn", "keep a copy of it elsewhere")
    fits = "it is the one that the database knows" if key.known else "the database knows of none yet"
    return Found(f"{path} ({stat.S_IMODE(path.stat().st_mode):04o}); {fits}")


def _stands(settings: ClinicSettings) -> Found:
    where = make_url(settings.database_url).render_as_string(hide_password=True)
    with _database(settings) as database:
        if database is None:
            return Found(f"{where} is not there yet; the first start makes it")
        standing = standing_of(database, [MIGRATIONS])
    if standing.now == standing.newest:
        return Found(f"{where} answers; it stands at {', '.join(sorted(standing.now))}")
    now, newest = (", ".join(sorted(each)) or "nothing" for each in standing)
    return Found(f"{where} answers; the start brings it from {now} to {newest}")


def _accounts(settings: ClinicSettings) -> Found:
    counted = select(ACCOUNTS.c.role, func.count()).group_by(ACCOUNTS.c.role).order_by(ACCOUNTS.c.role)
    with _tables(settings) as connection:
        if connection is None:
            return Found("none yet", "warn", "cutis clinic administrator, or follow the link of the first start")
        told = ", ".join(f"{count} {role}" for role, count in connection.execute(counted)) or "none"
        if can_sign_in(connection, Role.ADMINISTRATOR):
            return Found(told)
    return Found(f"{told}; no administrator has a password", "warn", "cutis clinic administrator")


def _address(settings: ClinicSettings) -> Found:
    with _tables(settings) as connection:
        is_owned = connection is not None and can_sign_in(connection, Role.ADMINISTRATOR)
    require_safe_address(settings, is_owned=is_owned)
    said = f"{settings.origin}, listening at {settings.host}:{settings.port}"
    if settings.is_encrypted and not settings.proxies:
        mend = "name it in proxies, such as 127.0.0.1, and let it set X-Forwarded-For itself"
        return Found(f"{said}; a proxy stands before it that is not known: all callers look like one", "warn", mend)
    return Found(said)


def _listening(settings: ClinicSettings) -> Found:
    if settings.folder.exists():
        try:
            with alone_in(settings.folder):
                pass
        except UserError:
            return Found("a server is at work in this folder")
    require_free_address(settings)
    return Found("none is at work here, and the address is free")


def _languages(settings: ClinicSettings) -> Found:
    return Found(", ".join(f"{each.language} ({each.title})" for each in languages_of(settings).values()))


def _signs(settings: ClinicSettings) -> Found:
    signs = signs_of(settings, _read(settings).bundle.taxonomy) if settings.signs else None
    if signs is None:
        mend = "write one after recipes/signs/zhu14.toml, and name it in signs"
        return Found("no file of the site's own", "warn", mend)
    said = f"{settings.signs}: {signs.count} diagnoses"
    if signs.checked_by:
        return Found(f"{said}, checked by {signs.checked_by}")
    mend = "let a dermatologist read it, and name them in checked_by"
    return Found(f"{said}; NOBODY OF THIS SITE HAS CHECKED THEM", "warn", mend)


def _retention(settings: ClinicSettings) -> Found:
    days = settings.retention_days
    return Found(f"cases are erased after {days:g} days" if days else "cases are never erased by themselves")


def _journal(settings: ClinicSettings) -> Found:
    """Recompute the whole chain; about a second for 100,000 entries."""
    anchors = read_anchors(settings.journal_folder)
    with _tables(settings) as connection:
        if connection is None or not settings.master_key_file.exists():
            return Found("nothing is written yet")
        verdict = verify(connection, anchors, read_vault(settings.master_key_file).public)
    if verdict.broken:
        what = f"it is broken at entry {verdict.broken.number:,}: {verdict.broken.why}"
        mend = "keep everything as it is, and hold it against a back-up"
        raise SafetyRefusal(what, where=str(settings.journal_folder), mend=mend)
    return Found(f"{verdict.entries:,} entries, whole; {verdict.entries - verdict.anchored:,} after the last anchor")


def _answers(settings: ClinicSettings) -> Found:
    if settings.demonstration:
        return Found("shown at once: a demonstration")
    sha256 = _read(settings).sealed.manifest_sha256
    with _tables(settings) as connection:
        if connection is not None and shows(connection, settings, sha256):
            return Found("shown: this release has passed the acceptance test of this site")
    return Found("kept and not shown: this release has not passed an acceptance test of this site")


LOOKS: Mapping[str, Look] = {
    "release": _release,
    "self-test": _self_test,
    "folder": _folder,
    "free disk": _disk,
    "master key": _master_key,
    "database": _stands,
    "accounts": _accounts,
    "address": _address,
    "server": _listening,
    "languages": _languages,
    "signs": _signs,
    "retention": _retention,
    "journal": _journal,
    "answers": _answers,
}


def _read(settings: ClinicSettings) -> Release:
    with _tables(settings) as connection:
        chosen = in_force(connection, settings) if connection else None
    trusted = Trusted(chosen, settings.key, settings.signed) if chosen else trusted_release(settings)
    return read_release(trusted.folder, key=trusted.key, required=trusted.required)


@contextmanager
def _database(settings: ClinicSettings) -> Iterator[Database | None]:
    """Lend the database; None where it is a file that nobody has made yet."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield None
        return
    database = open_database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _tables(settings: ClinicSettings) -> Iterator[Connection | None]:
    """Lend a connection to a database that has tables of ours; None where the first start is still to come."""
    with _database(settings) as database:
        if database is None or not standing_of(database, [MIGRATIONS]).now:
            yield None
            return
        with database.reading() as connection:
            yield connection
