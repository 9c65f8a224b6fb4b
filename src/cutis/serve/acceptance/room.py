"""The acceptance test as a part of the site."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from cutis.serve.acceptance import routes
from cutis.web.application import Room


def room() -> Room:
    """Return it."""
    return Room(
        name="acceptance",
        router=routes.router,
        folder=Path(str(files("cutis.serve.acceptance"))),
    )
