"""How often the test split was looked at: one line per opening, in a ledger that survives every `--again`.

Each look at the test invites a choice by it. The count says how much faith the figures deserve. A line keeps the sha256
of the protocol that lay there, so that the ledger says whether what was asked was written down first.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, stamp
from cutis.vocabulary.registration import Before, Registration

LEDGER = "test_openings.jsonl"


@dataclass(frozen=True, kw_only=True)
class Openings:
    """How often the test split was opened so far, by any bundle and by this one.

    A split is frozen: a dataset that is curated again keeps its test patients, so the count goes on.
    """

    of_workspace: int
    of_bundle: int


def record_opening(
    folder: Path, *, bundle: str, weights_sha256: str, dataset_sha256: str, protocol_sha256: str | None = None
) -> Openings:
    """Write down that the test split is opened now, and return the counts with this opening among them.

    Args:
        folder: of the ledger.
        bundle: that is to answer.
        weights_sha256: of its weights.
        dataset_sha256: of the dataset's manifest.
        protocol_sha256: of the protocol that says what is asked; None where there is none.

    Raises:
        UserError: the ledger is damaged or of a newer format.
    """
    ledger = folder / LEDGER
    earlier = _read(ledger)
    opening = {"bundle": bundle, "weights_sha256": weights_sha256, "dataset_sha256": dataset_sha256}
    opening |= {} if protocol_sha256 is None else {"protocol_sha256": protocol_sha256}
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


def registration_of(folder: Path, *, protocol_sha256: str | None, dataset_sha256: str | None = None) -> Registration:
    """Return whether a protocol came before the first opening of the test split, and has not been changed since.

    Openings without a protocol after the first one are no change of it; they are told by their number.

    Args:
        folder: of the ledger.
        protocol_sha256: of the protocol as it is now; None where there is none.
        dataset_sha256: count the openings of this dataset alone. If not given, all count, since a dataset that is
            curated again keeps its test patients.

    Raises:
        UserError: the ledger is damaged or of a newer format.
    """
    openings = [
        opening["protocol_sha256"]
        for opening in _read(folder / LEDGER)
        if dataset_sha256 in {None, opening["dataset_sha256"]}
    ]
    before, why = _came_before(protocol_sha256, openings)
    return Registration(
        protocol_sha256=protocol_sha256,
        before=before,
        openings=len(openings),
        under_it=0 if protocol_sha256 is None else openings.count(protocol_sha256),
        why=why,
    )


def _came_before(protocol: str | None, openings: list[str | None]) -> tuple[Before, str]:
    if protocol is None:
        return "no protocol", "none was given"
    if not openings:
        return "yes", "the test has not been opened yet"
    if openings[0] is None:
        return "no", "the test was first opened without a protocol"
    if openings[0] != protocol:
        return "no", "another protocol, or another wording of this one, lay there when the test was first opened"
    if not set(openings) <= {protocol, None}:
        return "no", "it was changed in between, and changed back"
    without = openings.count(None)
    return "yes", f"unchanged since; openings without it: {without}" if without else "unchanged since"


def _read(ledger: Path) -> list[dict[str, str | None]]:
    lines = ledger.read_text(encoding="utf-8", errors="replace").splitlines() if ledger.exists() else []
    openings = []
    for number, line in enumerate(lines, start=1):
        try:
            opening = json.loads(line)
            check_stamp(opening, "openings", where=ledger)
            needed = {key: opening[key] for key in ("weights_sha256", "dataset_sha256")}
            openings.append(needed | {"protocol_sha256": opening.get("protocol_sha256")})
        except (json.JSONDecodeError, KeyError, AttributeError) as error:
            mend = "restore this file from a backup; it is the record of who saw the test when"
            raise UserError(
                "the ledger of test openings is damaged", where=f"{ledger}, line {number}", mend=mend
            ) from error
    return openings
