"""How often the test split was looked at: one line per opening, in a ledger that survives every `--again`.

Each look at the test invites a choice by it. The count says how much faith the figures deserve.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, stamp

LEDGER = "test_openings.jsonl"


@dataclass(frozen=True, kw_only=True)
class Openings:
    """How often the test split was opened so far, by any bundle and by this one.

    A split is frozen: a dataset that is curated again keeps its test patients, so the count goes on.
    """

    of_workspace: int
    of_bundle: int


def record_opening(folder: Path, *, bundle: str, weights_sha256: str, dataset_sha256: str) -> Openings:
    """Write down that the test split is opened now, and return the counts with this opening among them.

    Raises:
        UserError: the ledger is damaged or of a newer format.
    """
    ledger = folder / LEDGER
    earlier = _read(ledger)
    opening = {"bundle": bundle, "weights_sha256": weights_sha256, "dataset_sha256": dataset_sha256}
    line = stamp("openings") | {"time": datetime.now(UTC).isoformat(timespec="seconds")} | opening
    with ledger.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    openings = [*earlier, line]
    return Openings(
        of_workspace=len(openings),
        of_bundle=sum(each["weights_sha256"] == weights_sha256 for each in openings),
    )


def count_openings(folder: Path) -> int:
    """Return how often the test split was opened so far, by any bundle.

    Raises:
        UserError: the ledger is damaged or of a newer format.
    """
    return len(_read(folder / LEDGER))


def _read(ledger: Path) -> list[dict[str, str]]:
    lines = ledger.read_text(encoding="utf-8", errors="replace").splitlines() if ledger.exists() else []
    openings = []
    for number, line in enumerate(lines, start=1):
        try:
            opening = json.loads(line)
            check_stamp(opening, "openings", where=ledger)
            openings.append({key: opening[key] for key in ("weights_sha256", "dataset_sha256")})
        except (json.JSONDecodeError, KeyError, AttributeError) as error:
            mend = "restore this file from a backup; it is the record of who saw the test when"
            raise UserError(
                "the ledger of test openings is damaged", where=f"{ledger}, line {number}", mend=mend
            ) from error
    return openings
