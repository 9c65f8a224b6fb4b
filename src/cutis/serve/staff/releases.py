"""Which releases the page may change over to: those that lie in one folder of the site's choice, and nothing else."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from cutis.runtime.sealed import MANIFEST
from cutis.serve.facts import fact, state_fact
from cutis.serve.settings import ClinicSettings

IN_FORCE = "release"


def offered(settings: ClinicSettings) -> tuple[str, ...]:
    """Return the names of the releases in the site's folder of releases; none where it has no such folder."""
    if settings.releases is None or not settings.releases.is_dir():
        return ()
    inside = settings.releases.resolve()
    return tuple(
        sorted(
            path.name
            for path in settings.releases.iterdir()
            if (path / MANIFEST).is_file() and path.resolve().parent == inside
        )
    )


def folder_of(settings: ClinicSettings, name: str) -> Path | None:
    """Return the folder of a release by its name; None where it is none of those that are offered."""
    if settings.releases is None or name not in offered(settings):
        return None
    return settings.releases / name


def remember(connection: Connection, name: str) -> None:
    """Keep which release was changed over to, so that a restart goes on with it."""
    state_fact(connection, IN_FORCE, name)


def in_force(connection: Connection, settings: ClinicSettings) -> Path | None:
    """Return the release that was last changed over to by the page; None where none was, or it is gone."""
    name = fact(connection, IN_FORCE)
    return None if name is None else folder_of(settings, str(name))
