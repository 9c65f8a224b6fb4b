"""Another release in the place of the one that answers, while people ask."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import Connection, select

from cutis.runtime.ready import Trusted
from cutis.serve.answering.opened import OpenRelease
from cutis.serve.clinic import Clinic
from cutis.serve.journal.entry import SERVER, Entry, Kind
from cutis.serve.journal.writing import write
from cutis.serve.safe import require_invented, trusted_release
from cutis.serve.settings import ClinicSettings
from cutis.serve.staff.releases import in_force
from cutis.serve.tables import JOURNAL
from cutis.vocabulary.errors import UserError
from cutis.web.database import Database
from cutis.web.ground import Ground


def change_release(clinic: Clinic, ground: Ground, *, by: str, trusted: Trusted | None = None) -> None:
    """Open a release beside the one that answers, test it, change over, and write it down; who waits loses nothing.

    Args:
        clinic: whose release is changed.
        ground: of the site.
        by: account that wants it.
        trusted: the release; see `release_now`, if not given: what lies there may be another one by now.

    Raises:
        UserError, SafetyRefusal: it cannot be opened, or must not answer here; the one before goes on.
    """
    wanted = trusted or release_now(clinic.settings, ground.database)

    def may_answer(opened: OpenRelease) -> None:
        require_invented(clinic.settings, opened.bundle, where=str(wanted.folder))

    clinic.answerer.swap(wanted, require=may_answer)
    note_release(clinic, ground, by=by)


def release_now(settings: ClinicSettings, database: Database) -> Trusted:
    """Return the release that the administrator's page changed over to last, or else the one that the settings name.

    Raises:
        UserError: there is neither.
    """
    with database.reading() as connection:
        chosen = in_force(connection, settings)
    return Trusted(chosen, settings.key, settings.signed) if chosen else trusted_release(settings)


def note_release(clinic: Clinic, ground: Ground, *, by: str = SERVER) -> None:
    """Write into the journal which release answers from now on, unless it says so already."""
    now = clinic.answerer.release
    with ground.database.writing() as connection:
        before = _noted(connection)
        if before == now.sha256:
            return
        told = {"from": before, "to": now.sha256, "name": now.name, "answers_by": now.answers_by}
        write(connection, clinic.vault, Entry(kind=Kind.RELEASE, by=by, open=told), now=ground.now())
    ground.log.info("release changed", name=now.name, sha256=now.sha256)


def change_at_hang_up(clinic: Clinic, ground: Ground, reread: Callable[[], ClinicSettings]) -> None:
    """Change over to the release of the settings as they are now; what is refused is written down, and all goes on.

    Only the release is taken over; the other settings hold until a restart.
    """
    try:
        change_release(clinic, ground, by=SERVER, trusted=release_now(reread(), ground.database))
    except UserError as error:
        told = {"what": error.what, "where": error.where, "mend": error.mend}
        ground.log.error("release refused", **told)  # noqa: TRY400  it is no error of ours
    except Exception:
        ground.log.exception("release refused")  # the server goes on with what it has


def _noted(connection: Connection) -> str | None:
    query = select(JOURNAL.c.open).where(JOURNAL.c.kind == Kind.RELEASE.value)
    found = connection.execute(query.order_by(JOURNAL.c.number.desc()).limit(1)).scalar_one_or_none()
    return json.loads(found)["to"] if found else None
