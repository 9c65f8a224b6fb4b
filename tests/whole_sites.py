"""The whole site of a clinic, as `cutis serve` puts it together, to knock at."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from starlette.testclient import TestClient

from cutis.serve.answering.answerer import Answerer
from cutis.serve.clinic import Clinic
from cutis.serve.opening import kept, read_clinic_settings
from cutis.serve.safe import trusted_release
from cutis.serve.site import create_clinic
from cutis.web.accounts import Role
from cutis.web.passwords import Passwords
from cutis.web.tokens import make_token
from servers import Signed
from sites import QUICK, Knocked, Time


@contextmanager
def a_whole_site(folder: Path, release: Signed, **settings: Any) -> Iterator[Knocked]:
    """Lend the site; it shows its answers, unless `demonstration` is False."""
    plain: dict[str, Any] = {"engine": "onnxruntime-fp32", "demonstration": True}
    named = {"folder": folder, "release": release.folder, "key": release.key}
    read = read_clinic_settings(**plain | named | settings)
    memory = folder.parent / "cache"
    with kept(read) as found, Answerer(trusted_release(read), read, memory=memory) as answerer:
        clinic, time, log = Clinic(read, found.vault, answerer), Time(), io.StringIO()
        passwords = Passwords(at_once=2, waiting=8, hasher=QUICK)
        site = create_clinic(clinic, found.database, now=time, passwords=passwords, log=log)
        yield Knocked(site, found.database, time, log, read)


class Door(NamedTuple):
    """One way into the site."""

    method: str
    path: str  # with the names of its parts in braces


def doors_of(site: Knocked) -> set[Door]:
    """Return every way in that the site has, whatever kind of route it is."""
    routes = site.site.bare.routes
    return {Door(method, route.path) for route in routes for method in (getattr(route, "methods", None) or {"ANY"})}


def of_each_role(site: Knocked) -> dict[Role, TestClient]:
    """Return a browser for somebody of each role."""
    return {role: site.joined(site.account(role)) for role in Role}


def bearer(site: Knocked, *scopes: str) -> dict[str, str]:
    """Return the header of a program with these scopes."""
    with site.database.writing() as connection:
        made = make_token(connection, "-".join(scopes), scopes=scopes, now=site.time.now, days=1)
    return {"authorization": f"Bearer {made.secret}"}
