"""The monitor as a part of the site."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from cutis.serve.monitor import routes
from cutis.web.accounts import Role
from cutis.web.application import Room
from cutis.web.ground import Home


def room() -> Room:
    """Return it."""
    return Room(
        name="monitor",
        router=routes.router,
        folder=Path(str(files("cutis.serve.monitor"))),
        homes={Role.AUDITOR: Home("/monitor", "monitor.title")},
    )
