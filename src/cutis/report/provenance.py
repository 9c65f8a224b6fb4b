"""The chain of sha256, and under which circumstances each result was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.chain import Link, seals_of
from cutis.report.material import Comparison, Material
from cutis.report.tables import Table
from cutis.vocabulary.circumstances import circumstances


def provenance_section(material: Material, links: tuple[Link, ...]) -> dict[str, Any]:
    """Return the chain, the seals and the circumstances of every result."""
    return {
        "links": links,
        "seals": seals_of(material),
        "pictures": material.dataset.made_from if material.dataset else {},
        "circumstances": _circumstances(_made_with(material)),
    }


def _made_with(material: Material) -> dict[str, Mapping[str, Any]]:
    made_with: dict[str, Mapping[str, Any]] = {}
    if material.dataset:
        made_with["dataset"] = material.dataset.card["made_with"]
    for trained in material.trained:
        name = trained.name
        made_with[f"bundle {name}"] = trained.description["made_with"]
        if trained.evaluation:
            made_with[f"evaluation of {name}"] = trained.evaluation.content["made_with"]
        for other, evaluation in trained.evaluations_elsewhere.items():
            made_with[f"evaluation of {name} on {other}"] = evaluation.content["made_with"]
        if trained.explanation:
            made_with[f"explanation of {name}"] = trained.explanation.saliency["made_with"]
    made_with |= {f"readers {name}": study.content["made_with"] for name, study in material.readers.items()}
    if isinstance(material.comparison, Comparison):
        made_with["comparison"] = material.comparison.content["made_with"]
    return made_with | {"this page": circumstances()}


def _circumstances(made_with: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            name,
            str(said["cutis"]),
            str(said["python"]),
            ", ".join(f"{library} {version}" for library, version in said["libraries"].items()),
            int(said["threads"]),
            f"{said['processor']}, {said['system']}",
        )
        for name, said in made_with.items()
    )
    columns = ("result", "cutis", "Python", "libraries", "threads", "processor and system")
    return Table("Under which circumstances each result was made", columns, rows)
