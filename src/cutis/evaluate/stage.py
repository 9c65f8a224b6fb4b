"""BUNDLES + TEST SET → EVIDENCE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cutis.evaluate.evidence import chance_of_rounds, evidence_beside, evidence_of, predictions_of
from cutis.evaluate.material import Material, open_material, read_material
from cutis.evaluate.openings import count_openings, record_opening
from cutis.evaluate.record import Findings, write_comparison, write_findings
from cutis.evaluate.rivals import compared, is_up_to_date, read_rival, require_several
from cutis.evaluate.told import tell, tell_comparison
from cutis.progress import say
from cutis.runtime.engines import Engine, open_engine
from cutis.runtime.predict import outputs_of, probabilities
from cutis.vocabulary.files import write_sums
from cutis.workspace import Finished, Workspace

BYTES_PER_CASE = (
    2**15
)  # features and logits of the widest network, for each in a bundle; room is asked for before the test is opened


def evaluate(workspace: Workspace, name: str, *, again: bool = False) -> Finished:
    """Open the test split, let a bundle answer, and measure the answers; the opening is recorded.

    Args:
        workspace: holds the bundle and the dataset that it learned from.
        name: of the bundle.
        again: make a new version where this evaluation exists.

    Raises:
        UserError: see `open_material`; the evaluation exists, no space left, or a damaged ledger of openings.
    """
    target = workspace.evaluation(name)
    workspace.refuse_to_overwrite(target, again=again)
    material = open_material(workspace, name)
    engine = open_engine(material.bundle)
    with workspace.new_version(
        target, again=again, needs=BYTES_PER_CASE * material.bundle.members * len(material.settled)
    ) as folder:
        findings = examine(material, engine, ledger=workspace.private)
        write_findings(folder, material, findings)
        write_sums(folder)
    return tell(material, findings, wrote=target)


def compare(workspace: Workspace, names: Sequence[str], *, again: bool = False) -> Finished:
    """Set bundles beside the first of them, in pairs, on the same cases of the test split.

    A bundle without an evaluation, or whose evaluation is not of what lies in the workspace now, is evaluated first.
    The comparison is derived from the evaluations alone, so that it follows the one before without being asked.

    Args:
        workspace: holds the bundles and the dataset that they learned from.
        names: of the bundles, the reference first.
        again: evaluate every one of them anew.

    Raises:
        UserError: one name, or the same twice; else see `evaluate`. No test is opened before all bundles were read.
    """
    require_several(names)
    materials = {name: read_material(workspace, name) for name in names}
    stale = [
        name
        for name, material in materials.items()
        if again or not is_up_to_date(workspace.evaluation(name).resolve(), material)
    ]
    for name in stale:
        say(f"evaluating {name}")
        evaluate(workspace, name, again=True)
    rivals = [
        read_rival(name, workspace.evaluation(name).resolve(), material=material)
        for name, material in materials.items()
    ]
    comparison = compared(rivals, openings=count_openings(workspace.private))
    with workspace.new_version(workspace.comparison, again=True) as folder:
        write_comparison(folder, comparison)
        write_sums(folder)
    return tell_comparison(comparison, evaluated=tuple(stale), wrote=workspace.comparison)


def examine(material: Material, engine: Engine, *, ledger: Path) -> Findings:
    """Record the opening in the ledger's folder, predict both strata of the test split, and measure."""
    bundle = material.bundle
    openings = record_opening(
        ledger,
        bundle=bundle.name,
        weights_sha256=bundle.weights_sha256,
        dataset_sha256=material.dataset_sha256,
    )
    pictures = material.pictures(material.settled)
    outputs = outputs_of(engine, bundle, pictures, what="predicting the test split")
    settled = predictions_of(material.settled, probabilities(bundle, outputs), rater=bundle.name)
    indeterminate = None
    if len(material.indeterminate):
        pictures = material.pictures(material.indeterminate)
        unsettled = outputs_of(engine, bundle, pictures, what="predicting its indeterminate cases")
        indeterminate = predictions_of(material.indeterminate, probabilities(bundle, unsettled), rater=bundle.name)
    generator = chance_of_rounds(material.dataset_sha256)
    return Findings(
        settled=settled,
        indeterminate=indeterminate,
        outputs=outputs,
        evidence=evidence_of(settled, thresholds=np.array(bundle.thresholds.values), generator=generator),
        beside=evidence_beside(settled, material.indeterminate, indeterminate, generator=generator),
        openings=openings,
    )
