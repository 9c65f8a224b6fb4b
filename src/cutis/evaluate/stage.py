"""BUNDLES + TEST SET → EVIDENCE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.decisions import PREVALENCES, checked_prevalences
from cutis.evaluate.evidence import chance_of_rounds, evidence_beside, predictions_of
from cutis.evaluate.findings import Findings, measured_of, names_of_figures
from cutis.evaluate.material import Material, open_material, read_material
from cutis.evaluate.openings import record_opening, registration_of
from cutis.evaluate.protocol import Protocol, find_protocol, held_against, require_known
from cutis.evaluate.record import write_comparison, write_findings
from cutis.evaluate.rivals import compared, is_up_to_date, read_rival, require_several
from cutis.evaluate.robustness import robustness_of
from cutis.evaluate.similar import Similar, similar_of
from cutis.evaluate.told import tell, tell_comparison
from cutis.progress import say
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import Engine, open_engine
from cutis.runtime.neighbours import Index, read_index
from cutis.runtime.predict import answers_of, outputs_of, probabilities
from cutis.vocabulary.files import write_sums
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions
from cutis.workspace import Finished, Workspace

# Features and logits of the widest network, for each in a bundle; room is asked for before the test is opened.
BYTES_PER_CASE = 2**15


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of the test beyond the figures that every evaluation has."""

    protocol: Protocol | None = None
    prevalences: tuple[float, ...] = PREVALENCES  # of malignancy, where the answers are to be used
    robustness: bool = False  # under disturbances, which takes as long as some dozens of evaluations of 500 pictures


def evaluate(
    workspace: Workspace,
    name: str,
    *,
    again: bool = False,
    protocol: Path | None = None,
    prevalences: Sequence[float] = (),
    robustness: bool = False,
) -> Finished:
    """Open the test split, let a bundle answer, and measure the answers; the opening is recorded.

    Args:
        workspace: holds the bundle and the dataset that it learned from.
        name: of the bundle.
        again: make a new version where this evaluation exists.
        protocol: what is asked of the test; ``protocol.toml`` of the workspace, if not given and there.
        prevalences: of malignancy where the answers are to be used; some usual ones, if not given.
        robustness: whether to ask also what is left under disturbances of the pictures.

    Raises:
        UserError: see `open_material` and `read_protocol`; the evaluation exists, a prevalence that is none, no space
            left, or a damaged ledger of openings.
    """
    target = workspace.evaluation(name)
    workspace.refuse_to_overwrite(target, again=again)
    material = open_material(workspace, name)
    asked = Asked(
        protocol=_known_protocol(workspace, protocol),
        prevalences=checked_prevalences(prevalences) or PREVALENCES,
        robustness=robustness,
    )
    engine = open_engine(material.bundle)
    with workspace.new_version(
        target, again=again, needs=BYTES_PER_CASE * material.bundle.members * len(material.settled)
    ) as folder:
        findings = examine(material, engine, asked, ledger=workspace.private)
        write_findings(folder, material, findings)
        write_sums(folder)
    return tell(material, findings, wrote=target)


def compare(
    workspace: Workspace,
    names: Sequence[str],
    *,
    again: bool = False,
    protocol: Path | None = None,
    prevalences: Sequence[float] = (),
    robustness: bool = False,
) -> Finished:
    """Set bundles beside the first of them, in pairs, on the same cases of the test split.

    A bundle without an evaluation, or whose evaluation is not of what lies in the workspace now or lacks what is asked,
    is evaluated first.
    The comparison is derived from the evaluations alone, so that it follows the one before without being asked.

    Args:
        workspace: holds the bundles and the dataset that they learned from.
        names: of the bundles, the reference first.
        again: evaluate every one of them anew.
        protocol: as `evaluate` takes it; what it asks of two of these bundles is judged here.
        prevalences: as `evaluate` takes them.
        robustness: the same.

    Raises:
        UserError: one name, or the same twice; else see `evaluate`. No test is opened before all bundles were read.
    """
    require_several(names)
    asked = checked_prevalences(prevalences)
    materials = {name: read_material(workspace, name) for name in names}
    written = _known_protocol(workspace, protocol)
    stale = [
        name
        for name, material in materials.items()
        if again
        or not is_up_to_date(workspace.evaluation(name).resolve(), material, prevalences=asked, robustness=robustness)
    ]
    for name in stale:
        say(f"evaluating {name}")
        evaluate(workspace, name, again=True, protocol=protocol, prevalences=prevalences, robustness=robustness)
    rivals = [
        read_rival(name, workspace.evaluation(name).resolve(), material=material)
        for name, material in materials.items()
    ]
    registration = registration_of(workspace.private, protocol_sha256=written.sha256 if written else None)
    comparison = compared(rivals, registration=registration, protocol=written)
    with workspace.new_version(workspace.comparison, again=True) as folder:
        write_comparison(folder, comparison)
        write_sums(folder)
    return tell_comparison(comparison, evaluated=tuple(stale), wrote=workspace.comparison)


def _known_protocol(workspace: Workspace, given: Path | None) -> Protocol | None:
    """Read the protocol and refuse what cannot be asked of its network, before the test is opened."""
    protocol = find_protocol(workspace.root, given)
    if protocol is not None:
        network, bundles = protocol.says.network, workspace.bundle_names()
        figures = names_of_figures(read_bundle(workspace.bundle(network).resolve())) if network in bundles else ()
        require_known(protocol, measures=figures, bundles=bundles)
    return protocol


def examine(material: Material, engine: Engine, asked: Asked, *, ledger: Path) -> Findings:
    """Record the opening in the ledger's folder, predict both strata of the test split, and measure."""
    bundle, protocol = material.bundle, asked.protocol
    known = _training_cases(bundle)
    openings = record_opening(
        ledger,
        bundle=bundle.name,
        weights_sha256=bundle.weights_sha256,
        dataset_sha256=material.dataset_sha256,
        protocol_sha256=protocol.sha256 if protocol else None,
    )
    outputs = outputs_of(engine, bundle, material.pictures(material.settled), what="predicting the test split")
    answers = answers_of(bundle, outputs)
    settled = predictions_of(material.settled, answers.probabilities, rater=bundle.name)
    indeterminate = None
    if len(material.indeterminate):
        pictures = material.pictures(material.indeterminate)
        unsettled = outputs_of(engine, bundle, pictures, what="predicting its indeterminate cases")
        indeterminate = predictions_of(material.indeterminate, probabilities(bundle, unsettled), rater=bundle.name)
    say("measuring what it said")
    measured = measured_of(
        bundle,
        material.settled,
        settled,
        answers=answers,
        dataset_sha256=material.dataset_sha256,
        prevalences=asked.prevalences,
    )
    registration = registration_of(ledger, protocol_sha256=protocol.sha256 if protocol else None)
    generator = chance_of_rounds(material.dataset_sha256)
    return Findings(
        settled=settled,
        indeterminate=indeterminate,
        outputs=outputs,
        measured=measured,
        beside=evidence_beside(settled, material.indeterminate, indeterminate, generator=generator),
        openings=openings,
        protocol=held_against(protocol, registration, bundle, estimates=measured.evidence.estimates),
        robustness=robustness_of(material, engine) if asked.robustness else None,
        similar=None if known is None else _similar(material, settled, outputs, known=known),
    )


def _training_cases(bundle: Bundle) -> Index | None:
    """Return the training cases that a bundle carries; None where it has none, or they were taken out."""
    return read_index(bundle.neighbours) if bundle.likeness and bundle.neighbours.exists() else None


def _similar(
    material: Material, settled: Predictions, outputs: Outputs[NDArray[np.float32]], *, known: Index
) -> Similar | None:
    likeness = material.bundle.likeness
    if likeness is None:
        return None
    generator = chance_of_rounds(material.dataset_sha256)
    features, cases = outputs.features, material.settled
    return similar_of(settled, cases, features, index=known, likeness=likeness, generator=generator)
