"""BUNDLE + TEST SET → EVIDENCE."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cutis.evaluate.evidence import evidence_beside, evidence_of, predictions_of, reasons
from cutis.evaluate.material import Material, open_material
from cutis.evaluate.openings import record_opening
from cutis.evaluate.record import Findings, write_findings
from cutis.runtime.engines import Engine, open_engine
from cutis.runtime.predict import outputs_of, probabilities
from cutis.vocabulary.chance import chance
from cutis.vocabulary.files import write_sums
from cutis.workspace import Finished, Workspace

SEED = 0  # with the dataset's sha256 it names the rounds: the same for every bundle, so that bundles compare in pairs
BYTES_PER_CASE = 2**14  # features and logits of the widest network; room is asked for before the test is opened
HEADLINES = {
    "macro AUC": "macro_auc",
    "arg-max accuracy": "argmax/accuracy",
    "arg-max balanced accuracy": "argmax/balanced_accuracy",
    "arg-max macro sensitivity": "argmax/macro_sensitivity",
    "arg-max macro specificity": "argmax/macro_specificity",
    "one-vs-rest macro accuracy": "one_vs_rest/macro_accuracy",
    "one-vs-rest macro sensitivity": "one_vs_rest/macro_sensitivity",
    "one-vs-rest macro specificity": "one_vs_rest/macro_specificity",
}


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
    with workspace.new_version(target, again=again, needs=BYTES_PER_CASE * len(material.settled)) as folder:
        findings = examine(material, engine, ledger=workspace.private)
        write_findings(folder, material, findings)
        write_sums(folder)
    return _finished(material, findings, wrote=target)


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
    generator = chance(SEED, "bootstrap", material.dataset_sha256)
    return Findings(
        settled=settled,
        indeterminate=indeterminate,
        outputs=outputs,
        evidence=evidence_of(settled, thresholds=np.array(bundle.thresholds.values), generator=generator),
        beside=evidence_beside(settled, material.indeterminate, indeterminate, generator=generator),
        openings=openings,
    )


def _finished(material: Material, findings: Findings, *, wrote: Path) -> Finished:
    bundle, evidence, openings = material.bundle, findings.evidence, findings.openings
    found = {name: evidence.estimates[name] for name in HEADLINES.values()}
    clusters = f"{evidence.clusters:,} {bundle.cluster_kind}s"
    opened = "once" if openings.of_workspace == 1 else f"{openings.of_workspace} times"
    unsettled = ", ".join(f"{count} for {reason}" for reason, count in reasons(material.indeterminate).items())
    note = found["macro_auc"].note
    lines = (
        f"test split: {len(findings.settled):,} pictures of {clusters}, opened {opened} so far",
        *(f"{label:<31}{found[name]}" for label, name in HEADLINES.items()),
        f"one-vs-rest: each diagnosis at its threshold by {bundle.thresholds.rule} on {bundle.thresholds.chosen_on}",
        *([f"note: {note}"] if note else []),
        *([f"beside them, indeterminate: {unsettled}"] if unsettled else []),
        *bundle.warnings,
    )
    facts = {
        "name": bundle.name,
        "cases": len(findings.settled),
        "clusters": evidence.clusters,
        "cluster_kind": bundle.cluster_kind,
        "indeterminate": len(material.indeterminate),
        "openings": openings.of_workspace,
        "estimates": {name: estimate.to_dict() for name, estimate in found.items()},
        "warnings": list(bundle.warnings),
    }
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command=f"cutis explain --name {bundle.name}")
