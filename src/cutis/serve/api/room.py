"""The programs' side of a clinic, as a room of its site."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter

from cutis.serve.api import diagnoses, service
from cutis.serve.api.document import PATH, document_of
from cutis.serve.api.meters import Meters
from cutis.serve.api.parts import Parts
from cutis.serve.api.uploads import limits_of
from cutis.serve.settings import ClinicSettings
from cutis.web.application import Room
from cutis.web.entry import signs

ROOM = Path(str(files("cutis.serve.api")))


def room(settings: ClinicSettings) -> Room:
    """Return the room; its figures begin with the next answer."""
    routes = APIRouter()
    routes.routes.extend([*diagnoses.router.routes, *service.router.routes])
    limits = limits_of(settings)
    meters = Meters(since=time.time())
    parts = Parts(limits, meters, document_of([*routes.routes, *signs.routes], limits))
    return Room(
        name="api",
        router=routes,
        folder=ROOM,
        bodies={PATH: limits.body},
        state={"api": parts},
        layer=meters.layer,
    )
