"""Runs a site until it is told to stop; refuses to start where that would not be safe."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.accounts import Role, can_sign_in
from cutis.web.application import Site
from cutis.web.database import Database
from cutis.web.ground import Ground
from cutis.web.logs import InLines
from cutis.web.settings import Settings

SECONDS_KEPT_ALIVE = 20
SECONDS_TO_FINISH = 10


def require_safe(settings: Settings, database: Database) -> None:
    """Refuse what would let strangers in, or let them listen.

    Raises:
        SafetyRefusal: others can reach it although nobody can sign in as administrator, or without encryption.
    """
    if settings.is_public:
        with database.reading() as connection:
            require_safe_address(settings, is_owned=can_sign_in(connection, Role.ADMINISTRATOR))


def require_safe_address(settings: Settings, *, is_owned: bool) -> None:
    """Do what `require_safe` does; `is_owned` says whether an administrator has a password.

    Raises:
        SafetyRefusal: as said.
    """
    if not settings.is_public:
        return
    if not settings.is_encrypted and not settings.plain_http:
        what = "others can reach this address, and what they send would travel in the clear"
        mend = "put a proxy with https before it and name its address, or set plain_http where you know the network"
        raise SafetyRefusal(what, where=settings.origin, mend=mend)
    if not is_owned:
        mend = "start it once on 127.0.0.1 without an address, follow the administrator's link, and set a password"
        what = "others can reach this address, and no administrator has a password yet"
        raise SafetyRefusal(what, where=settings.origin, mend=mend)


def serve(site: Site, settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM; requests in hand are finished."""
    ground: Ground = site.bare.state.ground
    handler = InLines(ground.log)
    logger = logging.getLogger("uvicorn")
    logger.addHandler(handler)
    try:
        uvicorn.Server(config_of(site.behind_border, settings)).run()
    finally:
        logger.removeHandler(handler)


def config_of(app: Any, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves an application: over HTTP alone, telling nothing of itself, with limits on time."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=_hurried(settings.header_seconds),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        timeout_keep_alive=SECONDS_KEPT_ALIVE,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )


def _hurried(seconds: float) -> type[H11Protocol]:
    """Return uvicorn's protocol with a limit on how long the head of a request may take to come."""

    class Hurried(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._deadline = self.loop.call_later(seconds, transport.abort)

        def data_received(self, data: bytes) -> None:
            if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
                self._deadline = self.loop.call_later(seconds, self.transport.abort)
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:  # a head has come
                self._enough()

        def connection_lost(self, exc: Exception | None) -> None:
            self._enough()
            super().connection_lost(exc)

        def _enough(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Hurried
