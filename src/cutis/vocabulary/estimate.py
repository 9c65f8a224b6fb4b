"""A number with its uncertainty. No number is reported bare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its interval, how the interval was made, and from how many independent clusters.

    `value`, `low` and `high` are None where the figure cannot be computed; `note` then says why.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float = 0.95
    method: str
    clusters: int
    cluster_kind: str
    note: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"not available ({self.note})"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (no interval: {self.note})"
        return f"{self.value:.3f} ({self.level:.0%} CI {self.low:.3f}–{self.high:.3f})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; `Estimate(**data)` reads it back."""
        return asdict(self)


def plain(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    """Return estimates by name as plain data."""
    return {name: estimate.to_dict() for name, estimate in estimates.items()}
