"""The administrator's and the auditor's part of the site, and the frame that the curator's pages share."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter

from cutis.serve.staff import journal_routes, release_routes, routes
from cutis.web.accounts import Role
from cutis.web.application import Room
from cutis.web.ground import Home


def room() -> Room:
    """Return it."""
    router = APIRouter()
    router.routes.extend([*routes.router.routes, *release_routes.router.routes, *journal_routes.router.routes])
    return Room(
        name="staff",
        router=router,
        folder=Path(str(files("cutis.serve.staff"))),
        homes={Role.ADMINISTRATOR: Home("/staff", "staff.title")},
    )
