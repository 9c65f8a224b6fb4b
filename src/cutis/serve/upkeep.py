"""What a server does for what it keeps, beside answering: when it starts, and every day."""

from __future__ import annotations

from pathlib import Path

from cutis.serve.changing import note_release
from cutis.serve.clinic import Clinic
from cutis.serve.journal.anchors import read_anchors, require_as_anchored
from cutis.serve.labels.collecting import forget_erased
from cutis.serve.record.erasure import apply_retention, blank, erase_remembered
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
    with database.reading() as connection:
        require_as_anchored(connection, anchors[-1], where=str(folder))


def keep_up(clinic: Clinic, ground: Ground) -> None:
    """Erase what is older than the site keeps it, and blank what was erased before and is not blanked yet."""
    folder, days = clinic.settings.journal_folder, clinic.settings.retention_days
    if count := apply_retention(ground.database, clinic.vault, folder, days=days, now=ground.now()):
        ground.log.info("cases erased", count=count)
    if count := forget_erased(ground.database, clinic.settings.folder):
        ground.log.info("pictures of erased cases removed from labels", count=count)
    if not blank(ground.database):
        ground.log.warning("erased keys not blanked yet", why="somebody has been reading for long")
