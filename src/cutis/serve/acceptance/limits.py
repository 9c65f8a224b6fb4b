"""What must hold before a site shows its answers: a plan, set beforehand and never changed, only withdrawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cutis.vocabulary.errors import UserError

AT_LEAST, AT_MOST = "at_least", "at_most"
SIDES = {AT_LEAST: ("low", "value"), AT_MOST: ("high", "value")}  # what may have to clear a limit, strictest first
FEWEST_CASES = 10  # with fewer, no interval says anything
MOST_CASES = 100_000
# Every figure that can be limited, and on which side; a sensitivity is asked for by the diagnosis, after a slash.
FIGURES: Mapping[str, str] = {
    "malignant_sensitivity": AT_LEAST,
    "malignant_specificity": AT_LEAST,
    "sensitivity": AT_LEAST,
    "accuracy": AT_LEAST,
    "top_3_accuracy": AT_LEAST,
    "balanced_accuracy": AT_LEAST,
    "coverage": AT_LEAST,
    "unanswered": AT_MOST,
    "expected_calibration_error": AT_MOST,
}


class Limit(BaseModel):
    """One figure, where it must lie, and which side of its interval must lie there."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    figure: Annotated[str, Field(max_length=120)]
    limit: Annotated[float, Field(ge=0, le=1)]
    side: Literal["low", "value", "high"]

    @property
    def direction(self) -> str:
        """Whether more is better."""
        return FIGURES[self.figure.partition("/")[0]]

    @model_validator(mode="after")
    def _known(self) -> Limit:
        name, _, diagnosis = self.figure.partition("/")
        if name not in FIGURES or bool(diagnosis) != (name == "sensitivity"):
            known = ", ".join(each if each != "sensitivity" else "sensitivity/CODE" for each in FIGURES)
            raise ValueError(f"{self.figure!r} is none of {known}")
        if self.side not in SIDES[self.direction]:
            raise ValueError(f"the side of {self.figure} is one of {', '.join(SIDES[self.direction])}")
        return self


class Plan(BaseModel):
    """What is tested, on how many cases, against which truth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cases: int = Field(ge=FEWEST_CASES, le=MOST_CASES)  # with truth, before anything is computed
    malignant: int = Field(default=0, ge=0, le=MOST_CASES)  # of them at least so many whose truth is malignant
    histology_only: bool = False  # else a majority of blind raters is truth as well
    raters: int = Field(default=2, ge=1, le=20)  # who must have said something blind, for their majority to count
    limits: tuple[Limit, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _once_each(self) -> Plan:
        figures = [limit.figure for limit in self.limits]
        if len(set(figures)) < len(figures):
            raise ValueError("a figure stands twice")
        if self.malignant > self.cases:
            raise ValueError("more malignant cases than cases are asked for")
        return self

    @property
    def sha256(self) -> str:
        """Return the hash of everything that was set."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


class Frozen(NamedTuple):
    """A plan that can no longer be changed, and for which release."""

    plan: Plan
    release_sha256: str
    at: float
    number: int  # of its entry in the journal
    since: float  # examinations before it could be looked at; 0: none could


def plan_from(content: Mapping[str, Any], *, where: str, figures: Sequence[str]) -> Plan:
    """Read a plan, as from a form or a file.

    Args:
        content: plain data.
        where: it comes from.
        figures: those that the release can be tested by.

    Raises:
        UserError: a field is missing, unknown, or does not fit, or the release has no such figure.
    """
    try:
        plan = Plan.model_validate(dict(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "plan"
        mend = f"set {', '.join(Plan.model_fields)}"
        raise UserError(f"{key}: {first['msg']}", where=where, mend=mend) from error
    if unknown := [limit.figure for limit in plan.limits if limit.figure not in figures]:
        mend = f"use one of: {', '.join(figures)}"
        raise UserError(f"this release cannot be tested by {unknown[0]!r}", where=where, mend=mend)
    return plan
