"""The answer that a clinician reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One diagnosis with its calibrated probability."""

    code: str
    name: str
    malignant: bool
    probability: float


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Findings for one picture, most probable first, with everything that qualifies them."""

    image: str
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    bundle: str
    abstained: bool = False  # the findings are then no answer
    reasons: tuple[str, ...] = ()  # why, the weightiest first
    prediction_set: tuple[str, ...] = ()  # codes, most probable first; empty where the bundle promises none
    coverage: float | None = None  # how often such a set contains the truth, at this clinic's case mix

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)
