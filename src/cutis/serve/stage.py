"""RELEASE → DIAGNOSES IN THE CLINIC: a server from its start to its end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cutis.doctor import Check
from cutis.progress import say
from cutis.serve.answering.answerer import Answerer
from cutis.serve.arrivals import first_links
from cutis.serve.changing import change_at_hang_up, release_now
from cutis.serve.check import look_at
from cutis.serve.clinic import Clinic
from cutis.serve.journal.anchors import anchored
from cutis.serve.monitor.look import look_for_alarms
from cutis.serve.opening import kept, read_clinic_settings
from cutis.serve.running import every_day, on_hang_up, until_told
from cutis.serve.safe import alone, require_free_address, require_invented, require_release
from cutis.serve.settings import ClinicSettings
from cutis.serve.site import create_clinic
from cutis.serve.upkeep import begin, keep_up
from cutis.web.application import Site
from cutis.web.ground import Ground
from cutis.web.server import require_safe
from cutis.web.server import serve as serve_site
from cutis.workspace import Finished

SOON = 3.0  # seconds, until those who waited for a start are answered
ENGINES = "engines"  # in the folder: which engine is the fastest here


def serve(settings: Path | None = None, *, new_link: bool = False, **flags: Any) -> Finished:
    """Open the clinic's server, and serve it until it is told to stop; requests in hand are finished.

    Args:
        settings: a TOML file; flags and environment come before it.
        new_link: make a link for the administrator, also where one has a password.
        flags: settings by name; None is not given.

    Raises:
        UserError: a setting does not fit, something cannot be opened, or another server is at work in the folder.
        SafetyRefusal: see `kept`, `require_safe`, `ready_release` and `require_invented`.
    """
    read = read_clinic_settings(settings, **flags)
    require_release(read)
    require_free_address(read)
    with until_told(), alone(read.folder), kept(read) as found:
        require_safe(read, found.database)
        trusted = release_now(read, found.database)
        with Answerer(trusted, read, memory=read.folder / ENGINES) as answerer:
            require_invented(read, answerer.release.bundle, where=str(trusted.folder))
            clinic = Clinic(read, found.vault, answerer)
            site = create_clinic(clinic, found.database)
            _open_to_people(clinic, site, reread=partial(read_clinic_settings, settings, **flags), new_link=new_link)
    opened_by = f"--settings {settings}" if settings else f"--folder {read.folder}"
    facts = {"folder": str(read.folder), "origin": read.origin}
    verify = f"cutis journal verify {opened_by}"
    return Finished(wrote=read.folder, lines=("stopped",), facts=facts, next_command=verify)


def check(settings: Path | None = None, **flags: Any) -> tuple[Check, ...]:
    """Say line by line what a start would find right and wrong; nothing is opened to the world, nothing is changed.

    Raises:
        UserError: a setting does not fit.
        SafetyRefusal: an example's placeholder stands where the site's own word belongs.
    """
    return look_at(read_clinic_settings(settings, **flags))


def _open_to_people(clinic: Clinic, site: Site, *, reread: Callable[[], ClinicSettings], new_link: bool) -> None:
    """Serve, with everything at work that a server does beside answering; `reread` gives the settings as they are."""
    ground: Ground = site.bare.state.ground
    settings = clinic.settings
    begin(clinic, ground)
    say(f"clinic:        {settings.origin}  (Ctrl-C ends it; every answer is in the journal)")
    for line in first_links(clinic, ground, wanted=new_link):
        say(line)
    with (
        anchored(ground.database, clinic.vault, settings.journal_folder, tell=ground.log.error),
        every_day(partial(keep_up, clinic, ground), tell=ground.log.error),
        every_day(partial(look_for_alarms, clinic, ground), tell=ground.log.error, first=SOON),
        on_hang_up(partial(change_at_hang_up, clinic, ground, reread)),
    ):
        serve_site(site, settings)
