"""Figures beside the limits that were set for them: what holds, and whether all of it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutis.serve.acceptance.limits import AT_LEAST, Limit, Plan
from cutis.vocabulary.estimate import Estimate


@dataclass(frozen=True)
class Judged:
    """One limit, what was reached, and whether the side that was asked for lies where it must."""

    limit: Limit
    estimate: Estimate
    clears: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return self.limit.model_dump() | {"estimate": self.estimate.to_dict(), "clears": self.clears}


def judged(plan: Plan, estimates: Mapping[str, Estimate]) -> tuple[Judged, ...]:
    """Hold each figure against its limit; what cannot be computed, or has no such end, does not clear it."""
    return tuple(Judged(limit, found := _of(limit, estimates), _clears(limit, found)) for limit in plan.limits)


def passed(verdict: tuple[Judged, ...]) -> bool:
    """Say whether every limit is cleared."""
    return bool(verdict) and all(each.clears for each in verdict)


def _of(limit: Limit, estimates: Mapping[str, Estimate]) -> Estimate:
    nothing = Estimate(
        value=None, low=None, high=None, method="none", clusters=0, cluster_kind="lesion", note="no case tells"
    )
    return estimates.get(limit.figure, nothing)


def _clears(limit: Limit, estimate: Estimate) -> bool:
    reached: float | None = getattr(estimate, limit.side)
    if reached is None:
        return False
    return reached >= limit.limit if limit.direction == AT_LEAST else reached <= limit.limit
