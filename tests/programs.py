"""Programs that knock at a clinic with a token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from clinics import KnockedClinic, a_jpeg
from cutis.serve.tokens import give_token
from cutis.web.tokens import Made

JPEG = {"content-type": "image/jpeg"}


@dataclass
class Programs:
    """A clinic, and whoever may ask it."""

    clinic: KnockedClinic

    def token(self, *scopes: str, name: str | None = None, days: float = 30) -> Made:
        """Make a token."""
        with self.clinic.site.database.writing() as connection:
            name = name or f"program {secrets.token_hex(4)}"
            vault, now = self.clinic.clinic.vault, self.clinic.site.time.now
            return give_token(connection, vault, name, scopes=scopes, by="a test", now=now, days=days)

    def program(self, *scopes: str, **headers: str) -> TestClient:
        """Return a program with a token for these scopes; without any it has none."""
        known = {"authorization": f"Bearer {self.token(*scopes).secret}"} if scopes else {}
        browser = self.clinic.site.browser(accept="application/json", **known, **headers)
        del browser.headers["origin"]
        return browser


def ask(program: TestClient, picture: bytes | None = None, **headers: str) -> Any:
    """Send one picture as the body itself."""
    return program.post("/v1/diagnoses", content=picture or a_jpeg(), headers=JPEG | headers)


def send(program: TestClient, *pictures: bytes, headers: dict[str, str] | None = None, **fields: str) -> Any:
    """Send pictures as a form with fields beside them."""
    files = [("picture", ("lesion.jpg", picture, "image/jpeg")) for picture in pictures]
    return program.post("/v1/diagnoses", files=files, data=fields, headers=headers)


def figures(programs: Programs) -> dict[Any, float]:
    """What a watcher reads: values by name and labels."""
    text = programs.program("metrics").get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
