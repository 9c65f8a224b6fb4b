"""A trained network with everything that is needed to use it and to account for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cutis.imaging.prepare import Preparation, preparation_from
from cutis.runtime.neighbours import NEIGHBOURS, Likeness, likeness_from
from cutis.runtime.trust import Acceptance, TrustReference, acceptance_from, reference_from
from cutis.stats.conformal import SetThresholds, set_thresholds_from
from cutis.stats.recalibration import Recalibration, recalibration_from
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_sums, read_json, stamp, write_json, write_sums
from cutis.vocabulary.taxonomy import Taxonomy, taxonomy_from

DESCRIPTION = "bundle.json"
WEIGHTS = "weights.safetensors"
TRUST = "trust.safetensors"
HISTORY = "history.jsonl"
CONFIG = "config.toml"
OUT_OF_FOLD = "out_of_fold.parquet"  # what each case of train and tune was answered by a member that never saw it
WITHOUT = frozenset({NEIGHBOURS, OUT_OF_FOLD})  # what a bundle can do without
AS_SAID = Recalibration(kind="identity")
BALANCED = "Its probabilities are those of a clinic in which rare diagnoses are more frequent than in the archive."
UNWATCHED = "It answers every picture, however unlike those that it learned from."


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """One-vs-rest operating points on calibrated probabilities, in taxonomy order."""

    rule: str
    chosen_on: str
    values: tuple[float, ...]
    malignant: float | None = None  # on the summed probability of the malignant diagnoses; None where nothing else is


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What training leaves. All that was fitted was fitted on tune, or on calibrate, never on test."""

    name: str
    architecture: str
    pretrained: str  # "none", "imagenet", or the sha256 of the file the weights came from
    taxonomy: Taxonomy
    preparation: Preparation
    temperatures: tuple[float, ...]  # one per auxiliary classifier, shallow to deep, and the final one's last
    speaking: int = 1  # how many of the last classifiers answer, by the mean of their calibrated probabilities
    temperature_of_mean: float = 1.0  # of that mean
    recalibration: Recalibration = AS_SAID  # of what the speakers say together
    views: int = 1  # how many turned and mirrored views of a picture an answer is averaged over
    balanced: float = 0.0  # how far it was taught that all diagnoses are equally frequent: 0 not at all, 1 wholly
    mix: tuple[float, ...] = ()  # prevalences (K,) that its probabilities are those of; none where it does not say
    members: int = 1  # networks that answer together; several after cross-validation
    thresholds: Thresholds
    sets: tuple[SetThresholds, ...] = ()  # of prediction sets, the one that answers first; none without calibrate cases
    reference: TrustReference | None = field(default=None, compare=False)  # what a picture's features are held against
    acceptance: Acceptance | None = field(default=None, compare=False)  # how unusual it may be; None: all are answered
    likeness: Likeness | None = field(default=None, compare=False)  # to its training cases; None: it carries none
    best_epochs: tuple[int, ...]  # of each member
    parameters: int  # of all members together
    dataset_sha256: str
    dataset_counts: dict[str, int]  # settled cases by split
    cluster_kind: str
    source: str
    licence: str
    invented: bool
    weights_sha256: str
    folder: Path

    @property
    def temperature(self) -> float:
        """The temperature of the final classifier."""
        return self.temperatures[-1]

    @property
    def best_epoch(self) -> int:
        """The chosen epoch of the first member."""
        return self.best_epochs[0]

    @property
    def auxiliary(self) -> int:
        """How many auxiliary classifiers there are."""
        return len(self.temperatures) - 1

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.folder / WEIGHTS

    @property
    def neighbours(self) -> Path:
        """The file with the training cases that a picture can be compared with; not every bundle has it."""
        return self.folder / NEIGHBOURS

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must stand beside every answer of this bundle."""
        unheard = ", ".join(self.taxonomy.cannot_say)
        return (
            *(
                ("This network learned from invented pictures: its answers mean nothing for a patient.",)
                * self.invented
            ),
            *((BALANCED,) * bool(self.balanced)),
            *filter(None, (self.acceptance.warning if self.acceptance else UNWATCHED,)),
            *((f"It cannot say: {unheard}. A benign answer does not exclude them.",) if unheard else ()),
            "For research. Not a medical device.",
        )


def write_description(folder: Path, bundle: Bundle, *, made_from: dict[str, str]) -> None:
    """Write bundle.json, what trust is measured by, and last the sums, into a folder that holds the weights already."""
    if bundle.reference and bundle.acceptance:
        _write_trust(folder / TRUST, bundle.reference, bundle.acceptance)
    write_json(folder / DESCRIPTION, "bundle", description_of(bundle), made_from=made_from)
    write_sums(folder)


def description_of(bundle: Bundle) -> dict[str, Any]:
    """Return what bundle.json says, as plain data."""
    return {
        "name": bundle.name,
        "architecture": bundle.architecture,
        "pretrained": bundle.pretrained,
        "taxonomy": bundle.taxonomy.to_dict(),
        "preparation": bundle.preparation.to_dict(),
        "temperatures": list(bundle.temperatures),
        "thresholds": {
            "rule": bundle.thresholds.rule,
            "chosen_on": bundle.thresholds.chosen_on,
            "values": list(bundle.thresholds.values),
            "malignant": bundle.thresholds.malignant,
        },
        "speaking": bundle.speaking,
        "temperature_of_mean": bundle.temperature_of_mean,
        "recalibration": bundle.recalibration.to_dict(),
        "sets": [thresholds.to_dict() for thresholds in bundle.sets],
        "acceptance": bundle.acceptance.to_dict() if bundle.acceptance else None,
        "likeness": bundle.likeness.to_dict() if bundle.likeness else None,
        "views": bundle.views,
        "balanced": bundle.balanced,
        "mix": list(bundle.mix),
        "members": bundle.members,
        "best_epochs": list(bundle.best_epochs),
        "parameters": bundle.parameters,
        "dataset_sha256": bundle.dataset_sha256,
        "dataset_counts": bundle.dataset_counts,
        "cluster_kind": bundle.cluster_kind,
        "source": bundle.source,
        "licence": bundle.licence,
        "invented": bundle.invented,
        "weights_sha256": bundle.weights_sha256,
    }


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle after checking every byte of it; its training cases may have been taken out.

    Raises:
        UserError: there is no bundle, a file is missing, added or changed, or the format is newer.
    """
    check_sums(
        folder, "bundle", mend="run cutis train, restore it from where it was made, or check --name", may_lack=WITHOUT
    )
    said = read_json(folder / DESCRIPTION, "bundle")
    return bundle_from(said, folder, where=folder / DESCRIPTION, trust=(folder / TRUST).read_bytes)


def bundle_from(said: dict[str, Any], folder: Path, *, where: Path, trust: Callable[[], bytes]) -> Bundle:
    """Return the bundle that this plain data describes.

    Args:
        said: by `description_of`, with the stamp of a bundle.
        folder: where its other files lie.
        where: it is said.
        trust: gives the bytes of what it measures trust by; not asked where it measures none.

    Raises:
        UserError: something is missing or impossible.
    """
    said = _of_today(said)
    try:
        thresholds = said["thresholds"]
        fixed: dict[str, Any] = {
            "taxonomy": taxonomy_from(said["taxonomy"], where=where),
            "preparation": preparation_from(said["preparation"], where=where),
            "temperatures": tuple(said["temperatures"]),
            "mix": tuple(said["mix"]),
            "best_epochs": tuple(said["best_epochs"]),
            "thresholds": Thresholds(**thresholds | {"values": tuple(thresholds["values"])}),
            "recalibration": recalibration_from(said["recalibration"]),
            "sets": tuple(map(set_thresholds_from, said["sets"])),
            "likeness": likeness_from(said["likeness"]) if said["likeness"] else None,
            "folder": folder,
        } | _trust_from(trust, said["acceptance"])
        plain = {key: said[key] for key in Bundle.__dataclass_fields__ if key not in fixed}
        return Bundle(**fixed, **plain)
    except (KeyError, TypeError, ValueError) as error:
        mend = "train it again with this version of cutis"
        raise UserError(f"this bundle lacks something: {error}", where=str(where), mend=mend) from error


def _write_trust(path: Path, reference: TrustReference, acceptance: Acceptance) -> None:
    from safetensors.numpy import save_file

    save_file(reference.tensors() | acceptance.tensors(), path, metadata={"stamp": json.dumps(stamp("trust"))})


def _trust_from(content: Callable[[], bytes], said: dict[str, Any] | None) -> dict[str, Any]:
    if said is None:
        return {"reference": None, "acceptance": None}
    from safetensors.numpy import load

    tensors = load(content())
    return {"reference": reference_from(tensors), "acceptance": acceptance_from(said, tensors)}


def _of_today(said: dict[str, Any]) -> dict[str, Any]:
    """Return what a bundle of an earlier format says in the words of this one.

    The first had one network, one view, one speaker; the second no map after its temperatures, no sets, no abstention;
    the third no training cases, and some of it do not say of which prevalences their probabilities are.
    """
    if said["format"] == 1:
        alone = {"speaking": 1, "temperature_of_mean": 1.0, "views": 1, "balanced": 0.0, "members": 1}
        said |= alone | {"best_epochs": [said["best_epoch"]]}
    if said["format"] <= 2:  # noqa: PLR2004  the second
        said |= {"recalibration": AS_SAID.to_dict(), "sets": [], "acceptance": None}
    return {"mix": [], "likeness": None} | said
