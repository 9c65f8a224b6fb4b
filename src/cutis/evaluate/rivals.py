"""Several bundles on the same cases: whose evaluation still holds, and how far each lies from the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cutis.evaluate.evidence import chance_of_rounds
from cutis.evaluate.findings import malignant_among
from cutis.evaluate.material import Material
from cutis.evaluate.protocol import Protocol, UnderProtocol, held_against, seen_from
from cutis.stats.comparisons import Compared, compare_figures, compare_shares, holm, require_the_same_cases
from cutis.stats.intervals import clusters_in, figures_of
from cutis.stats.mcnemar import McNemar
from cutis.stats.paired_areas import AreasCompared, compare_aucs
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import FORMATS, check_sums, read_json, sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions
from cutis.vocabulary.registration import Registration

FOREST = {"macro_auc": "macro AUC", "argmax/balanced_accuracy": "balanced accuracy, arg-max"}  # what is drawn
HEADLINES = (  # beside the AUC of each diagnosis
    *FOREST,
    "argmax/accuracy",
    "one_vs_rest/macro_sensitivity",
    "one_vs_rest/macro_specificity",
    "log_loss",
)
OF_MALIGNANT = ("malignant_auc", "argmax/malignant_sensitivity", "argmax/malignant_specificity")


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A bundle with its evaluation."""

    name: str  # under which the bundle lies in the workspace
    material: Material
    predictions: Predictions  # of the settled cases
    predictions_sha256: str
    estimates: dict[str, Estimate]  # of every figure


@dataclass(frozen=True, kw_only=True)
class Tested:
    """Tests of a rival against the reference that draw nothing: by the covariance of areas, and by discordant cases."""

    areas: dict[str, AreasCompared]  # DeLong's, by cluster, under names such as ``auc/MEL``
    shares: dict[str, McNemar]  # under names such as ``argmax/accuracy``

    def content(self) -> dict[str, Any]:
        """Return plain data, with the p-values of the diagnoses' areas adjusted for their number."""
        of_diagnoses = {name: each.p for name, each in self.areas.items() if name.startswith("auc/")}
        adjusted = holm(of_diagnoses)
        return {
            "areas": {
                name: asdict(each) | {"p_holm": adjusted[name]} if name in adjusted else asdict(each)
                for name, each in self.areas.items()
            },
            "shares": {name: asdict(each) for name, each in self.shares.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Bundles, the reference first, and how far each of the others lies from it."""

    rivals: tuple[Rival, ...]
    differences: dict[str, dict[str, Compared]]  # by the rival's name and the figure's
    tests: dict[str, Tested]  # by the rival's name
    protocol: UnderProtocol

    @property
    def openings(self) -> int:
        """How often the test split was opened so far."""
        return self.protocol.registration.openings

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of all figures that are compared."""
        (found, *_) = self.differences.values()
        return tuple(found)

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
                rival.name: {name: rival.estimates[name].to_dict() for name in self.figures} for rival in self.rivals
            },
            "tests": {name: tested.content() for name, tested in self.tests.items()},
            "protocol": self.protocol.content(),
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


def is_up_to_date(
    evaluation: Path, material: Material, *, prevalences: Sequence[float] = (), robustness: bool = False
) -> bool:
    """Return whether an evaluation is whole, of today's format, of this bundle and dataset, and says what is asked.

    Args:
        evaluation: its folder.
        material: the bundle and dataset as they are now.
        prevalences: at which decisions are to be weighed; any, if not given.
        robustness: whether it is to know of disturbed pictures.

    Raises:
        UserError: it is of a newer format.
    """
    try:
        check_sums(evaluation, "evaluation", mend="")
    except UserError:
        return False
    said = read_json(evaluation / "estimates.json", "estimates")
    if said["made_from"] != material.made_from or said["format"] != FORMATS["estimates"]:
        return False
    decisions = said["decisions"]  # None where nothing could be weighed at any prevalence
    is_weighed = not prevalences or decisions is None or decisions["prevalences"] == list(prevalences)
    return is_weighed and (not robustness or (evaluation / "robustness.json").exists())


def read_rival(name: str, evaluation: Path, *, material: Material) -> Rival:
    """Read what the evaluation of this bundle left."""
    path = evaluation / "predictions.parquet"
    said = read_json(evaluation / "estimates.json", "estimates")["estimates"]
    return Rival(
        name=name,
        material=material,
        predictions=read_predictions(path),
        predictions_sha256=sha256_of(path),
        estimates={figure: Estimate(**found) for figure, found in said.items()},
    )


def compared(rivals: Sequence[Rival], *, registration: Registration, protocol: Protocol | None = None) -> Comparison:
    """Compare each rival with the first, by the rounds that their own intervals were drawn by.

    Args:
        rivals: the reference first.
        registration: what the ledger of openings says of the protocol.
        protocol: what was asked beforehand; its endpoints that hold two of these bundles against each other are judged.
    """
    reference, *others = rivals
    wanted = _figures_of(reference.material, protocol)
    found = {other.name: _difference(reference, other) for other in others}
    common = [figure for figure in wanted if all(figure in each for each in found.values())]
    differences = {name: {figure: each[figure] for figure in common} for name, each in found.items()}
    return Comparison(
        rivals=tuple(rivals),
        differences=differences,
        tests={other.name: _tested(reference, other) for other in others},
        protocol=_judged(protocol, registration, rivals, differences),
    )


def _difference(reference: Rival, other: Rival) -> dict[str, Compared]:
    """Compare every figure that both have; a bundle of an early format has no threshold for *malignant or not*."""
    require_the_same_cases(reference.predictions, other.predictions)
    thresholds = [rival.material.bundle.thresholds for rival in (reference, other)]
    both_flag = all(each.malignant is not None for each in thresholds)
    figures = [
        figures_of(
            rival.predictions,
            thresholds=np.array(own.values),
            malignant=malignant_among(rival.material.bundle.taxonomy),
            malignant_threshold=own.malignant if both_flag else None,
        )
        for rival, own in zip((reference, other), thresholds, strict=True)
    ]
    return compare_figures(
        *figures,
        clusters=clusters_in(reference.predictions),
        codes=reference.predictions.codes,
        malignant=malignant_among(reference.material.bundle.taxonomy),
        generator=chance_of_rounds(reference.material.dataset_sha256),
    )


def _tested(reference: Rival, other: Rival) -> Tested:
    malignant = malignant_among(reference.material.bundle.taxonomy)
    return Tested(
        areas=compare_aucs(reference.predictions, other.predictions, malignant=malignant),
        shares=compare_shares(
            reference.predictions,
            other.predictions,
            reference_thresholds=np.array(reference.material.bundle.thresholds.values),
            other_thresholds=np.array(other.material.bundle.thresholds.values),
            malignant=malignant,
        ),
    )


def _judged(
    protocol: Protocol | None,
    registration: Registration,
    rivals: Sequence[Rival],
    differences: dict[str, dict[str, Compared]],
) -> UnderProtocol:
    """Hold the differences against what was asked beforehand, if it was asked of one of these bundles."""
    asked = next((rival for rival in rivals if protocol and rival.name == protocol.says.network), rivals[0])
    apart = {name: {figure: each.difference for figure, each in found.items()} for name, found in differences.items()}
    seen = seen_from(asked.name, reference=rivals[0].name, differences=apart)
    return held_against(protocol, registration, asked.material.bundle, estimates=asked.estimates, differences=seen)


def _figures_of(material: Material, protocol: Protocol | None = None) -> tuple[str, ...]:
    taxonomy = material.bundle.taxonomy
    malignant = OF_MALIGNANT if malignant_among(taxonomy) is not None else ()
    asked = [endpoint.measure for endpoint in protocol.endpoints] if protocol else []
    return tuple(dict.fromkeys((*HEADLINES, *malignant, *(f"auc/{code}" for code in taxonomy.codes), *asked)))
