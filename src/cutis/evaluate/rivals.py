"""Several bundles on the same cases: whose evaluation still holds, and how far each lies from the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cutis.evaluate.evidence import chance_of_rounds
from cutis.evaluate.material import Material
from cutis.stats.comparisons import Compared, compare_metrics
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions

FOREST = {"macro_auc": "macro AUC", "argmax/balanced_accuracy": "balanced accuracy, arg-max"}  # what is drawn
HEADLINES = (
    *FOREST,
    "argmax/accuracy",
    "one_vs_rest/macro_sensitivity",
    "one_vs_rest/macro_specificity",
    "log_loss",
)  # beside the AUC of each diagnosis


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A bundle with its evaluation."""

    name: str  # under which the bundle lies in the workspace
    material: Material
    predictions: Predictions  # of the settled cases
    predictions_sha256: str
    estimates: dict[str, Estimate]  # of every figure that is compared


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Bundles, the reference first, and how far each of the others lies from it."""

    rivals: tuple[Rival, ...]
    differences: dict[str, dict[str, Compared]]  # by the rival's name and the figure's
    openings: int  # of the test split, so far

    @property
    def reference(self) -> Rival:
        """The bundle that the others are compared with."""
        return self.rivals[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The bundles' names, the reference first."""
        return tuple(rival.name for rival in self.rivals)

    @property
    def of_what(self) -> str:
        """On what they are compared, in words."""
        macro = self.reference.estimates["macro_auc"]
        invented = ", all invented" * self.reference.material.bundle.invented
        return (
            f"{len(self.reference.predictions):,} test pictures of {macro.clusters:,} {macro.cluster_kind}s{invented}"
        )

    @property
    def made_from(self) -> dict[str, str]:
        """The sha256 of the dataset's manifest, and of each bundle and what it answered."""
        made_from = {"manifest": self.reference.material.dataset_sha256}
        for rival in self.rivals:
            made_from[f"bundle {rival.name}"] = rival.material.made_from["bundle"]
            made_from[f"predictions of {rival.name}"] = rival.predictions_sha256
        return made_from

    def content(self) -> dict[str, Any]:
        """Return every figure and difference, and what one must know to read them, as plain data."""
        bundle, macro = self.reference.material.bundle, self.reference.estimates["macro_auc"]
        return {
            "reference": self.reference.name,
            "bundles": list(self.names),
            "source": bundle.source,
            "licence": bundle.licence,
            "invented": bundle.invented,
            "warnings": list(bundle.warnings),
            "split": "test",
            "cases": len(self.reference.predictions),
            "clusters": macro.clusters,
            "cluster_kind": macro.cluster_kind,
            "openings": self.openings,
            "diagnoses": {disease.code: disease.name for disease in bundle.taxonomy.diseases},
            "estimates": {
                rival.name: {name: estimate.to_dict() for name, estimate in rival.estimates.items()}
                for rival in self.rivals
            },
            "differences": {
                rival: {
                    name: each._asdict() | {"difference": each.difference.to_dict()} for name, each in found.items()
                }
                for rival, found in self.differences.items()
            },
        }


def require_several(names: Sequence[str]) -> None:
    """Refuse to compare a bundle with nothing, or with itself.

    Raises:
        UserError: one name, or a name that comes twice.
    """
    if len(set(names)) < len(names) or len(names) < 2:  # noqa: PLR2004  a pair
        mend = "name each bundle once, the reference first"
        raise UserError("a comparison needs different bundles", where=" ".join(names), mend=mend)


def is_up_to_date(evaluation: Path, material: Material) -> bool:
    """Return whether an evaluation is whole, and was made from this very bundle and dataset.

    Raises:
        UserError: it is of a newer format.
    """
    try:
        check_sums(evaluation, "evaluation", mend="")
    except UserError:
        return False
    return bool(read_json(evaluation / "estimates.json", "estimates")["made_from"] == material.made_from)


def read_rival(name: str, evaluation: Path, *, material: Material) -> Rival:
    """Read what the evaluation of this bundle left."""
    path = evaluation / "predictions.parquet"
    said = read_json(evaluation / "estimates.json", "estimates")["estimates"]
    return Rival(
        name=name,
        material=material,
        predictions=read_predictions(path),
        predictions_sha256=sha256_of(path),
        estimates={figure: Estimate(**said[figure]) for figure in _figures_of(material)},
    )


def compared(rivals: Sequence[Rival], *, openings: int) -> Comparison:
    """Compare each rival with the first, by the rounds that their own intervals were drawn by."""
    reference, *others = rivals
    differences = {}
    for other in others:
        found = compare_metrics(
            reference.predictions,
            other.predictions,
            reference_thresholds=np.array(reference.material.bundle.thresholds.values),
            other_thresholds=np.array(other.material.bundle.thresholds.values),
            generator=chance_of_rounds(reference.material.dataset_sha256),
        )
        differences[other.name] = {name: found[name] for name in _figures_of(reference.material)}
    return Comparison(rivals=tuple(rivals), differences=differences, openings=openings)


def _figures_of(material: Material) -> tuple[str, ...]:
    return (*HEADLINES, *(f"auc/{code}" for code in material.bundle.taxonomy.codes))
