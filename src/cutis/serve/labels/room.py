"""The curator's part of the site."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from cutis.serve.labels import routes
from cutis.web.accounts import Role
from cutis.web.application import Room
from cutis.web.ground import Home


def room() -> Room:
    """Return it."""
    return Room(
        name="labels",
        router=routes.router,
        folder=Path(str(files("cutis.serve.labels"))),
        homes={Role.CURATOR: Home("/labels", "labels.title")},
    )
