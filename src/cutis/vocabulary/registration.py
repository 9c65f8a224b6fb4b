"""Whether what was asked of the test was written down before the test was opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Before = Literal["yes", "no", "no protocol"]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What the ledger of openings says of a protocol: it is what a report prints beside the verdict."""

    protocol_sha256: str | None
    before: Before  # was it written, as it is now, before the test was first opened?
    openings: int  # of the test split so far
    under_it: int  # of them, with this protocol at hand, unchanged
    why: str

    def __str__(self) -> str:
        times = "once" if self.openings == 1 else f"{self.openings} times"
        return f"written before the test was opened: {self.before} ({self.why}); opened {times} so far"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; `Registration(**data)` reads it back."""
        return asdict(self)
