"""The clinician's pages as a room of the site."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter

from cutis.serve.api.uploads import limits_of
from cutis.serve.pages import diagnosing, examining, history, lesion, looking
from cutis.serve.pages.searches import Searches
from cutis.serve.settings import ClinicSettings
from cutis.serve.signs import Signs
from cutis.serve.vault import Erased
from cutis.web.accounts import Role
from cutis.web.application import Room
from cutis.web.ground import Home

ROOM = Path(str(files("cutis.serve.pages")))


def room(settings: ClinicSettings, signs: Signs | None = None) -> Room:
    """Return the clinician's pages; `signs` are what the site looks for, by diagnosis."""
    routes = APIRouter()
    for part in (diagnosing, examining, looking, lesion, history):
        routes.routes.extend(part.router.routes)
    return Room(
        name="pages",
        router=routes,
        folder=ROOM,
        homes={Role.CLINICIAN: Home("/diagnose", "clinic.title")},
        bodies={"/diagnose": limits_of(settings).body},
        state={"signs": signs or Signs(), "searches": Searches()},
        refusals={Erased: 410},  # a case may go between two looks of one route
    )
