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

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)
