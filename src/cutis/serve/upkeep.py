"""What a server does for what it keeps, beside answering: when it starts, and every day."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from cutis.serve.changing import note_release
from cutis.serve.clinic import Clinic
from cutis.serve.journal.anchors import read_anchors
from cutis.serve.labels.collecting import forget_erased
from cutis.serve.record.erasure import apply_retention, blank, erase_remembered
from cutis.serve.tables import JOURNAL
from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.database import Database
from cutis.web.ground import Ground


def begin(clinic: Clinic, ground: Ground) -> None:
    """Erase again what a restored back-up brought back, keep up the rest, and write down which release answers.

    Raises:
        SafetyRefusal: see `require_anchored`.
    """
    folder = clinic.settings.journal_folder
    require_anchored(ground.database, folder)
    if count := erase_remembered(ground.database, clinic.vault, folder, now=ground.now()):
        ground.log.warning("cases erased again", count=count)
    keep_up(clinic, ground)
    note_release(clinic, ground)


def require_anchored(database: Database, folder: Path) -> None:
    """Refuse to go on writing a journal that lost what was anchored, as by a database that was put back by hand.

    Only the last anchor is looked at; `cutis journal verify` looks at every entry.

    Raises:
        SafetyRefusal: the entry is not there, or another one.
    """
    anchors = read_anchors(folder)
    if not anchors:
        return
    last = anchors[-1]
    query = select(JOURNAL.c.hash).where(JOURNAL.c.number == last.number)
    with database.reading() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found != last.hash:
        what = f"entry {last.number:,} of the journal was anchored, and is not in the database as it was"
        mend = (
            "see cutis journal verify; a back-up is brought back by cutis clinic restore, which keeps account of this"
        )
        raise SafetyRefusal(what, where=str(folder), mend=mend)


def keep_up(clinic: Clinic, ground: Ground) -> None:
    """Erase what is older than the site keeps it, and blank what was erased before and is not blanked yet."""
    folder, days = clinic.settings.journal_folder, clinic.settings.retention_days
    if count := apply_retention(ground.database, clinic.vault, folder, days=days, now=ground.now()):
        ground.log.info("cases erased", count=count)
    if count := forget_erased(ground.database, clinic.settings.folder):
        ground.log.info("pictures of erased cases removed from labels", count=count)
    if not blank(ground.database):
        ground.log.warning("erased keys not blanked yet", why="somebody has been reading for long")
