"""The frame of all pages that are not a clinician's: what answers here, whether it is shown, and where else to go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse

from cutis.serve.alarms import last_alarms
from cutis.serve.clinic import clinic_of
from cutis.serve.visibility import shows
from cutis.web.accounts import Role
from cutis.web.ground import ground_of, page, visitor

# Where somebody of each role may go, and the text that names it.
PLACES: Mapping[Role, tuple[tuple[str, str], ...]] = {
    Role.ADMINISTRATOR: (
        ("/staff", "staff.title"),
        ("/releases", "staff_release.title"),
        ("/acceptance", "acceptance.title"),
        ("/monitor", "monitor.title"),
    ),
    Role.AUDITOR: (("/monitor", "monitor.title"), ("/journal", "staff_journal.title")),
    Role.CURATOR: (("/labels", "labels.title"),),
    Role.CLINICIAN: (("/diagnose", "staff.diagnose"), ("/history", "staff.history")),
    Role.READER: (),
}


class Place(NamedTuple):
    """Something in the frame that leads elsewhere."""

    path: str
    text: str


class SiteNow(NamedTuple):
    """What every page says of the site."""

    release: str
    is_invented: bool
    is_silent: bool
    is_demonstration: bool
    is_alarmed: bool  # the monitor, at its last look


def site_now(request: Request) -> SiteNow:
    """Return which release answers now, and whether its answers are shown."""
    clinic, ground = clinic_of(request), ground_of(request)
    release = clinic.answerer.release
    with ground.database.reading() as connection:
        shown = shows(connection, clinic.settings, release.sha256)
        last = last_alarms(connection)
    is_alarmed = last is not None and bool(last.standing(release.sha256))
    return SiteNow(release.name, release.bundle.invented, not shown, clinic.settings.demonstration, is_alarmed)


def office_page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Fill a template that stands in the frame of these pages."""
    places = tuple(Place(*each) for each in PLACES[visitor(request).account.role])
    return page(request, template, status=status, site=site_now(request), places=places, **values)
