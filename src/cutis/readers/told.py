"""What a person reads when a study was planned, or scored."""

from __future__ import annotations

from pathlib import Path

from cutis.readers.planning import Plan, how_drawn, warnings_of
from cutis.readers.protocol import Protocol
from cutis.workspace import Finished


def tell_plan(protocol: Protocol, plan: Plan, *, wrote: Path) -> Finished:
    """Sum up a study: what is read, by whom, and what it is to show."""
    measured, readers = protocol.measured, len(protocol.slots)
    how = "everybody reads everything"
    if protocol.reads_per_case:
        sizes = sorted({len(slot.cases or ()) for slot in protocol.slots})
        how = f"{'–'.join(map(str, sizes))} cases each, so that every case is read {protocol.reads_per_case} times"
    endpoint = protocol.endpoint
    margin = f", margin {endpoint.margin:g}" if endpoint.margin else ""
    compared = f"{protocol.network} − readers" if protocol.design == "unaided" else "aided − unaided"
    practice = len(protocol.cases) - len(measured)
    lines = (
        f"{protocol.title}, version {protocol.version}: {len(measured)} cases of {len(protocol.diagnoses)} diagnoses",
        f"one of each patient and lesion; {practice} more for practice",
        f"{readers} readers, {how}; {sum(case.repeated for case in measured)} cases are read twice",
        f"design    {protocol.design}" + f", {protocol.washout_days} days apart" * bool(protocol.washout_days),
        f"endpoint  {endpoint.hypothesis} of {endpoint.measure}, {compared}{margin}",
        f"pictures  {protocol.frame[0]} × {protocol.frame[1]} pixels and {protocol.bytes_per_picture:,} bytes each",
        f"frozen    {protocol.sha256}",
        *(f"note: {warning}" for warning in warnings_of(plan)),
    )
    facts = {
        "protocol_sha256": protocol.sha256,
        "version": protocol.version,
        "cases": len(measured),
        "practice": practice,
        "readers": readers,
        **how_drawn(plan),
    }
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command="cutis readers booth")
