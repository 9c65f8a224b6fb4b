"""What stands first: what this is about, how it went in short, and every warning."""

from __future__ import annotations

from typing import Any, NamedTuple

from cutis.report.chain import Link
from cutis.report.material import Material, Outdated, Trained
from cutis.report.tables import clauses, estimates_of
from cutis.vocabulary.estimate import Estimate

HEADLINES = {
    "macro_auc": "macro AUC",
    "argmax/balanced_accuracy": "balanced accuracy",
    "argmax/malignant_sensitivity": "malignant called malignant",
    "argmax/malignant_specificity": "benign called benign",
}


class InShort(NamedTuple):
    """The headline figures of a bundle."""

    name: str
    figures: tuple[tuple[str, Estimate], ...]  # by what they are called
    notes: tuple[str, ...]


def head_section(material: Material, links: tuple[Link, ...]) -> dict[str, Any]:
    """Return name, purpose, warnings and the headline figures of each bundle."""
    dataset, bundles = material.dataset, [trained.bundle for trained in material.trained]
    taxonomies = [dataset.manifest.taxonomy] if dataset else [bundle.taxonomy for bundle in bundles]
    return {
        "name": name_of(material),
        "invented": any(bundle.invented for bundle in bundles) or bool(dataset and dataset.manifest.invented),
        "cannot_say": list(dict.fromkeys(word for taxonomy in taxonomies for word in taxonomy.cannot_say)),
        "broken": [link for link in links if not link.holds],
        "outdated": [each.mend for each in outdated_in(material)],
        "ownerless": material.ownerless,
        "cluster_kind": (dataset.manifest if dataset else bundles[0]).cluster_kind,
        "headlines": [in_short(trained) for trained in material.trained if trained.evaluation],
    }


def name_of(material: Material) -> str:
    """Return what the report is about."""
    if material.dataset:
        return str(material.dataset.card["name"])
    return ", ".join(trained.name for trained in material.trained)


def outdated_in(material: Material) -> tuple[Outdated, ...]:
    """Return all that an earlier version wrote, so that it is not shown."""
    of_bundles = tuple(each for trained in material.trained for each in trained.outdated)
    return (*of_bundles, *([material.comparison] if isinstance(material.comparison, Outdated) else []))


def in_short(trained: Trained) -> InShort:
    """Return the headline figures of an evaluated bundle, and what qualifies them."""
    said = trained.evaluation.content["estimates"] if trained.evaluation else {}
    estimates = estimates_of({name: said[name] for name in HEADLINES if name in said})
    notes = dict.fromkeys(clause for each in estimates.values() for clause in clauses(each.note))
    return InShort(trained.name, tuple((HEADLINES[name], each) for name, each in estimates.items()), tuple(notes))
