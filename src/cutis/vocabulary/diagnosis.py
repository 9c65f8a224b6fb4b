"""The answer that a clinician reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cutis.vocabulary.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One diagnosis with its calibrated probability."""

    code: str
    name: str
    malignant: bool
    probability: float


@dataclass(frozen=True, kw_only=True)
class SimilarCase:
    """A training case that the picture is like, with its diagnosis and what settled it."""

    case_id: str
    code: str
    name: str
    malignant: bool
    confirmed_by: str | None  # "histology", "majority", …; None where nobody said
    similarity: float  # the cosine, at most 1
    shared: Estimate | None  # how often neighbours so near had the picture's diagnosis; None where too few can tell
    perhaps_the_same_picture: bool


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
    similar: tuple[SimilarCase, ...] | None = None  # the most alike first; None where they were not asked for

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)
