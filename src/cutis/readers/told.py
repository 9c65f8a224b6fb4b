"""What a person reads when a study was planned, or scored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cutis.readers.planning import Material as DrawnFrom
from cutis.readers.planning import Plan, how_drawn, warnings_of
from cutis.readers.protocol import Protocol
from cutis.readers.scoring.material import Material
from cutis.readers.scoring.scored import Scores
from cutis.readers.scoring.tested import Tested
from cutis.readers.scoring.votes import CONDITIONAL, Scored
from cutis.workspace import Finished


def tell_plan(protocol: Protocol, plan: Plan, material: DrawnFrom, *, wrote: Path) -> Finished:
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
        *_told_of_elsewhere(material),
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
        **how_drawn(plan, material),
    }
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command="cutis readers booth")


def tell_scores(material: Material, scores: Scores, *, wrote: Path) -> Finished:
    """Sum up a score in a few lines; the facts hold the primary endpoint, or every one where none was named."""
    tested = [*scores.aided, *(each for arm in scores.arms.values() for each in arm.tested)]
    primary = [each for each in tested if each.primary]
    facts = {
        "readers": len(scores.first.table.readers),
        "cases": len(scores.first.table.cases),
        "answers": {name: int(arm.table.read.sum()) for name, arm in scores.arms.items()},
        "dropped": material.dropped,
        "tested": [each.content() for each in primary or tested],
        "pooled": {name: arm.pooled.content() for name, arm in scores.arms.items()},
    }
    lines = tuple(_lines(material, scores, primary or tested))
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command="cutis report")


def tell_votes(scored: Scored, *, wrote: Path) -> Finished:
    """Sum up a score of votes."""
    lines = [f"the network is {scored.network}; votes are {CONDITIONAL}"]
    for group in scored.groups:
        said = f"{group.votes:,} votes on {group.images:,} images, in the middle {group.median_votes:g} an image"
        lines.append(f"{group.name}: {said}")
        for what in ("accuracy", "balanced_accuracy"):
            lines += [f"  {who} {what:<18} {group.estimates[f'{who}/{what}']}" for who in ("readers", "network")]
            lines.append(f"  network − readers          {group.estimates[f'network − readers/{what}']}")
    for pair, estimates in scored.between.items():
        lines.append(f"{pair}: {estimates['balanced_accuracy']} in balanced accuracy")
    return Finished(wrote=wrote, lines=tuple(lines), facts=scored.content(), next_command="cutis report")


def _told_of_elsewhere(material: DrawnFrom) -> Iterator[str]:
    other, independence = material.cases.other, material.independence
    if other is None or independence is None:
        return
    common, theirs = ", ".join(material.cases.codes), ", ".join(other.manifest.taxonomy.codes)
    yield f"from {other.called}; diagnoses that both know: {common}; it has {theirs}"
    yield independence.said
    if independence.in_home_test:
        yield f"{independence.in_home_test} of its pictures are in the test of the network's own dataset, too"


def _lines(material: Material, scores: Scores, tested: list[Tested]) -> Iterator[str]:
    first = scores.first
    crossed = "everybody read everything" if first.table.is_crossed else "not everybody read everything"
    yield f"{len(first.table.readers)} readers, {len(first.table.cases):,} cases; {crossed}"
    dropped = {why: count for why, count in material.dropped.items() if count}
    if dropped:
        yield f"not counted: {', '.join(f'{count:,} ({why})' for why, count in dropped.items())}"
    for name, arm in scores.arms.items():
        for what in ("accuracy", "balanced_accuracy"):
            yield f"{f'{name}, mean reader, {what}':<44}{arm.pooled.readers[what]}"
        if arm.within:
            yield f"{f'{name}, with themselves, Cohen kappa':<44}{arm.within.estimates['cohen_kappa']}"
        yield f"{f'{name}, with one another, Fleiss kappa':<44}{arm.between.estimates['fleiss_kappa']}"
    if scores.network:
        yield f"{'network, accuracy':<44}{scores.network['accuracy']}"
    for each in tested:
        if each.refused:
            yield f"{each.name}: not tested, {each.refused}"
        elif each.outcome is not None:
            p = "no p" if each.outcome.p is None else f"p {each.outcome.p:.4f}"
            yield f"{f'{each.compared[0]} − {each.compared[1]}, {each.name}':<44}{each.outcome.difference}, {p}"
            if each.primary:
                yield f"primary endpoint: {each.outcome.verdict.words}"
