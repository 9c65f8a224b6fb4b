"""The parts of the programs' side of a clinic, handed to its routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from cutis.serve.api.meters import Meters
from cutis.serve.api.uploads import Limits


@dataclass(frozen=True)
class Parts:
    """What the routes for programs stand on, beside the clinic."""

    limits: Limits
    meters: Meters
    document: Mapping[str, Any] = field(repr=False)  # OpenAPI


def parts_of(request: Request) -> Parts:
    """Return the parts under a request."""
    found: Parts = request.app.state.api
    return found
