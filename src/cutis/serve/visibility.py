"""Whether answers are shown: a site is silent until its acceptance test was passed by the release that answers.

What is kept names the release, so that another one is silent by itself from its first answer on. The journal is
written first, whose pen holds everybody else back: two who change the same at once come one after the other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cutis.serve.facts import fact, state_fact
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.settings import ClinicSettings
from cutis.serve.vault import Vault

VISIBLE = "visible"


def shows(connection: Connection, settings: ClinicSettings, release_sha256: str) -> bool:
    """Say whether answers of this release may be shown now.

    Args:
        connection: to the clinic's database.
        settings: of the clinic; a demonstration shows everything.
        release_sha256: of the manifest of the release that answers.
    """
    if settings.demonstration:
        return True
    found = visible_by(connection)
    return found is not None and found["release_sha256"] == release_sha256


def visible_by(connection: Connection) -> dict[str, Any] | None:
    """Return which release is shown, since when, and by which test; None where the site is silent."""
    found: dict[str, Any] | None = fact(connection, VISIBLE)
    return found


def make_visible(connection: Connection, vault: Vault, *, release_sha256: str, test: int, by: str, now: float) -> None:
    """Show the answers of a release from now on, and write down by which test (its number in the journal)."""
    facts = {"release_sha256": release_sha256, "test": test}
    write(connection, vault, Entry(kind=Kind.VISIBLE, by=by, open=facts | {"is_visible": True}), now=now)
    state_fact(connection, VISIBLE, facts | {"at": now})


def make_silent(connection: Connection, vault: Vault, *, by: str, now: float) -> bool:
    """Keep answers and show none from now on; return whether anything changed."""
    before = visible_by(connection)
    if before is None:
        return False
    facts = {"release_sha256": before["release_sha256"], "is_visible": False}
    write(connection, vault, Entry(kind=Kind.VISIBLE, by=by, open=facts), now=now)
    state_fact(connection, VISIBLE, None)
    return True
