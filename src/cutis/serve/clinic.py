"""The parts of a running clinic, handed to its routes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from starlette.requests import Request

from cutis.serve.held import Held, room_to_hold

if TYPE_CHECKING:
    from cutis.serve.answering.answerer import Answerer
    from cutis.serve.settings import ClinicSettings
    from cutis.serve.vault import Vault


@dataclass(frozen=True)
class Clinic:
    """What every route of the clinic stands on, beside the ground of the site."""

    settings: ClinicSettings
    vault: Vault  # opens and seals what tells of a patient
    answerer: Answerer  # the release that answers, and the queue before it

    @cached_property
    def held(self) -> Held:
        """What the pictures of all who ask are counted by, from their first byte to their answer."""
        return room_to_hold(self.settings)


def clinic_of(request: Request) -> Clinic:
    """Return the clinic under a request."""
    found: Clinic = request.app.state.clinic
    return found
