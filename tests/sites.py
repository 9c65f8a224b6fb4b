"""Sites to knock at: a browser without a screen, that keeps cookies and says where its forms come from."""

from __future__ import annotations

import io
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any

import uvicorn
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from cutis.web.accounts import Role, make_account, make_link, set_password
from cutis.web.application import Room, Site, create_site
from cutis.web.database import Database, open_database
from cutis.web.ground import Ground
from cutis.web.migrate import migrate
from cutis.web.passwords import Passwords
from cutis.web.server import config_of
from cutis.web.settings import Settings, read_settings

ADDRESS = "http://127.0.0.1:8471"
PASSWORD = "correct horse battery"  # noqa: S105  of an account that lives for a test
NOON = 1_800_000_000.0
# A hash of a thousandth of the usual work; what is promised of time has tests of its own.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Time:
    """A clock that a test moves."""

    now: float = NOON

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class Knocked:
    """A site with its clock, its log and its database."""

    site: Site
    database: Database
    time: Time
    log: io.StringIO
    settings: Settings

    @property
    def ground(self) -> Ground:
        """The parts of the site."""
        return self.site.bare.state.ground

    def browser(self, **headers: str) -> TestClient:
        """Return a browser that nobody signed in with."""
        usual = {"origin": self.settings.origin, "accept": "text/html"}
        host = self.settings.origin
        return TestClient(
            self.site.behind_border,
            base_url=host,
            headers=usual | headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def account(self, role: Role, *, name: str | None = None) -> str:
        """Make an account; a name comes with the password that all tests know."""
        with self.database.writing() as connection:
            account = make_account(connection, role, now=self.time.now)
            if name:
                set_password(connection, account.id, name=name, password=QUICK.hash(PASSWORD))
        return account.id

    def link(self, account_id: str, *, days: float = 1, once: bool = False) -> str:
        """Return a personal link's secret."""
        with self.database.writing() as connection:
            return make_link(connection, account_id, now=self.time.now, days=days, once=once)

    def joined(self, account_id: str) -> TestClient:
        """Return a browser in which somebody followed their link."""
        browser = self.browser()
        assert browser.post("/join", json={"token": self.link(account_id)}).status_code == 200
        return browser


@contextmanager
def served(knocked: Knocked) -> Iterator[str]:
    """Serve a site at its own address, in a thread of its own."""
    server = uvicorn.Server(config_of(knocked.site.behind_border, knocked.settings))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            sleep(0.02)
        yield knocked.settings.origin
    finally:
        server.should_exit = True
        thread.join(20)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def proof_in(browser: TestClient, path: str = "/account") -> str:
    """Return what the forms of a page carry."""
    return re.search(r'name="proof" content="(\w*)"', browser.get(path).text)[1]


@contextmanager
def a_site(
    database_url: str,
    *,
    rooms: Sequence[Room] = (),
    places: Sequence[Any] = (),
    read: Settings | None = None,
    **settings: Any,
) -> Iterator[Knocked]:
    """Lend a site on a database that is new; `read` are settings that were read before."""
    read = read or read_settings(Settings, database=database_url, **settings)
    database, time, log = open_database(database_url), Time(), io.StringIO()
    try:
        migrate(database, places)
        passwords = Passwords(at_once=read.hashes_at_once, waiting=read.hashes_waiting, hasher=QUICK)
        site = create_site(read, database, rooms=rooms, now=time, passwords=passwords, log=log)
        yield Knocked(site, database, time, log, read)
    finally:
        database.close()
