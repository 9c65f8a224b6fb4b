"""When the monitor raises an alarm: rules in words, kept with who set them and when."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from cutis.serve.facts import fact, state_fact
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.reference import FEWEST
from cutis.serve.vault import Vault
from cutis.vocabulary.errors import UserError

KEPT = "monitor rules"
MOST_WINDOWS = 6


class Rules(BaseModel):
    """What must be so, in each of several windows of days in a row, for an alarm."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    days: int = Field(default=28, ge=1, le=366)  # of a window
    windows: int = Field(default=2, ge=1, le=MOST_WINDOWS)  # in a row, the newest the last
    lesions: int = Field(default=FEWEST, ge=FEWEST, le=100_000)  # in a window, that something is said at all
    index: float = Field(default=0.25, gt=0, le=10)  # population stability index; 0.25 is the custom of its users
    distance: float = Field(default=0.2, gt=0, le=1)  # of Kolmogorov and Smirnov
    share: float = Field(default=0.1, gt=0, le=1)  # difference of shares, up or down


def rules_of(connection: Connection) -> tuple[Rules, dict[str, Any]]:
    """Return the rules in force, and by whom and when they were set, nobody and never where they are the first ones."""
    kept = fact(connection, KEPT)
    if kept is None:
        return Rules(), {"by": None, "at": None}
    return Rules.model_validate(kept["rules"]), {"by": kept["by"], "at": kept["at"]}


def set_rules(connection: Connection, vault: Vault, rules: Rules, *, by: str, now: float) -> None:
    """Put rules into force, and write down which and by whom."""
    told = {"rules": rules.model_dump()}
    write(connection, vault, Entry(kind=Kind.MONITOR, by=by, open=told), now=now)
    state_fact(connection, KEPT, told | {"by": by, "at": now})


def rules_from(content: dict[str, Any]) -> Rules:
    """Read rules from a form.

    Raises:
        UserError: names the field that does not fit.
    """
    try:
        return Rules.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        mend = f"set {', '.join(Rules.model_fields)}"
        raise UserError(f"{key}: {first['msg']}", where="the rules of the monitor", mend=mend) from error
