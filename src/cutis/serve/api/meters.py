"""Figures of operation for Prometheus: of requests as they pass, of answers as the journal has them.

They are kept in a registry of their own. None tells of a person: labels are routes, states and names of releases.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from sqlalchemy import func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cutis.serve.alarms import Alarms, last_alarms
from cutis.serve.clinic import Clinic
from cutis.serve.journal import Kind, entries
from cutis.serve.tables import JOURNAL
from cutis.web.database import Database

KIND = "text/plain; version=1.0.0; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
RECEIVING, ANSWERING, KEEPING, SHOWING = "receiving", "answering", "keeping", "showing"


class Meters:
    """Counts while a server lasts; what was before its start is not in it, as with every counter of Prometheus."""

    def __init__(self, *, since: float) -> None:
        """Begin to count, answers from those on that the journal has since this time (seconds since 1970)."""
        self.registry = own = CollectorRegistry()
        route = ("method", "route")
        self._requests = Counter("cutis_requests", "Requests that were answered.", (*route, "status"), registry=own)
        self._seconds = Histogram(
            "cutis_request_seconds", "Until the answer was sent.", route, buckets=SECONDS, registry=own
        )
        answers = "Answers; unsure, foreign and unusable are abstentions; silent ones are told by nothing else."
        self._answers = Counter("cutis_answers", answers, ("state", "release"), registry=own)
        self._parts = Histogram(
            "cutis_answer_seconds", "What an answer takes, by part.", ("part",), buckets=SECONDS, registry=own
        )
        self._waiting = Gauge("cutis_waiting", "Examinations that wait or are at work.", registry=own)
        self._room = Gauge("cutis_waiting_limit", "How many may; the next one must come back.", registry=own)
        self._ready = Gauge("cutis_ready", "1 where a release answers that passed its self-test.", registry=own)
        named = ("name", "sha256", "answers_by")
        self._release = Gauge("cutis_release", "The release that answers.", named, registry=own)
        self._journal = Gauge("cutis_journal_number", "Number of the journal's last entry.", registry=own)
        alarm = "1 for each thing whose drift was an alarm at the monitor's last look."
        self._alarm = Gauge("cutis_monitor_alarm", alarm, ("of",), registry=own)
        looked = "When the monitor looked last, seconds since 1970; it does every day."
        self._looked = Gauge("cutis_monitor_looked_timestamp_seconds", looked, registry=own)
        ProcessCollector(registry=self.registry)
        self._since, self._read_until, self._reading = since, 0, Lock()

    def layer(self, app: ASGIApp) -> ASGIApp:
        """Return an application around which every request is counted."""

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            started, status = time.perf_counter(), 500  # what a failure becomes

            async def seen(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, seen)
            finally:
                method = scope["method"] if scope["method"] in METHODS else "other"
                path = getattr(scope.get("route"), "path", None) or "-"
                self._requests.labels(method, path, str(status)).inc()
                self._seconds.labels(method, path).observe(time.perf_counter() - started)

        return outer

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Measure how long a part of an answer takes that ends well."""
        started = time.perf_counter()
        yield
        self.took(part, time.perf_counter() - started)

    def took(self, part: str, seconds: float) -> None:
        """Write down how long a part of an answer took."""
        self._parts.labels(part).observe(seconds)

    def page(self, clinic: Clinic, database: Database) -> bytes:
        """Return all figures as Prometheus reads them; the journal is read from where it was read until."""
        with self._reading:
            self._read_journal(database)
            with database.reading() as connection:
                last = last_alarms(connection)
            self._tell_standing(clinic, last)
            return generate_latest(self.registry)

    def _tell_standing(self, clinic: Clinic, last: Alarms | None) -> None:
        answerer = clinic.answerer
        self._waiting.set(answerer.waiting)
        self._room.set(clinic.settings.waiting)
        self._ready.set(answerer.is_ready)
        self._looked.set(last.at if last else 0)
        self._release.clear()
        self._alarm.clear()
        if answerer.is_ready:
            now = answerer.release
            self._release.labels(now.name, now.sha256, now.answers_by).set(1)
            for each in last.standing(now.sha256) if last else ():
                self._alarm.labels(each).set(1)

    def _read_journal(self, database: Database) -> None:
        with database.reading() as connection:
            last = connection.execute(select(func.coalesce(func.max(JOURNAL.c.number), 0))).scalar_one()
            new = (JOURNAL.c.number <= last, JOURNAL.c.at >= self._since)
            for entry in entries(connection, *new, kinds=[Kind.ANSWER], after=self._read_until):
                said = entry.content
                # With its state, who asks and watches at once would read what is hidden from them.
                self._answers.labels("silent" if said["silent"] else said["state"], said["release"]).inc()
                self.took(ANSWERING, said["seconds"])
                self._read_until = entry.number  # with each: a read that fails midway counts none of them again
        self._read_until = last
        self._journal.set(last)
