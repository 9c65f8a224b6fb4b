"""What a person reads when the page was made."""

from __future__ import annotations

from cutis.report.chain import chain_of
from cutis.report.head import outdated_in
from cutis.report.material import Material
from cutis.workspace import Finished, Workspace

CARD = "report.json"


def tell(workspace: Workspace, material: Material) -> Finished:
    """Sum up a report in a few lines: what is on it, what is missing, and whether the chain holds."""
    links = chain_of(material)
    broken = [link for link in links if not link.holds]
    names = [trained.name for trained in material.trained]
    missing, stale = missing_in(material), [each.mend for each in outdated_in(material)]
    return Finished(
        wrote=workspace.report,
        lines=(
            f"dataset: {'yes' if material.dataset else 'not yet'}; bundles: {', '.join(names) or 'none yet'}",
            *(f"not yet there: {command}" for command in missing),
            *(f"made by an earlier version, not shown: {command}" for command in stale),
            f"THE CHAIN IS BROKEN in {len(broken)} of {len(links)} links; the page says where"
            if broken
            else f"the chain of sha256 holds in all {len(links)} links",
            f"beside it, for machines: {CARD}",
        ),
        facts={
            "bundles": names,
            "missing": missing,
            "outdated": stale,
            "links": len(links),
            "broken": [link._asdict() for link in broken],
            "card": str(workspace.report.with_name(CARD)),
        },
        next_command=next(iter([*stale, *missing]), "cutis diagnose IMAGE"),
    )


def missing_in(material: Material) -> list[str]:
    """Return the command for each stage that has not run."""
    commands = [] if material.dataset else ["cutis curate CLINIC_DIR"]
    commands += [] if material.trained else ["cutis train"]
    for trained in material.trained:
        commands += [] if trained.evaluated else [f"cutis evaluate {trained.name}"]
        commands += [] if trained.explanation else [f"cutis explain --name {trained.name}"]
    return commands
