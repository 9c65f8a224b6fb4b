"""What an evaluation, and a comparison of several, leave on disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.evidence import Evidence, reasons
from cutis.evaluate.figures import (
    comparison_figure,
    confusion_figure,
    reliability_figure,
    roc_figure,
    save_figure,
)
from cutis.evaluate.material import Material
from cutis.evaluate.openings import Openings
from cutis.evaluate.rivals import FOREST, Comparison
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import stamp, write_json, written_aside
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions, write_predictions

CONVENTIONS = {
    "argmax": "the most probable diagnosis is the answer",
    "one_vs_rest": "each diagnosis is a question of its own: yes at or above its threshold",
    "macro": "the mean over the diagnoses that the test contains, each counting the same",
}


class Findings(NamedTuple):
    """All that an evaluation found."""

    settled: Predictions
    indeterminate: Predictions | None
    outputs: Outputs[NDArray[np.float32]]  # of the settled cases
    evidence: Evidence
    beside: dict[str, Estimate]  # of the indeterminate stratum
    openings: Openings


def write_findings(folder: Path, material: Material, findings: Findings) -> None:
    """Write predictions, outputs, estimates and figures into an empty folder."""
    made_from = material.made_from
    write_predictions(folder / "predictions.parquet", findings.settled, made_from=made_from)
    if findings.indeterminate is not None:
        write_predictions(folder / "indeterminate.parquet", findings.indeterminate, made_from=made_from)
    _write_outputs(folder / "outputs.safetensors", material, findings.outputs)
    write_json(folder / "estimates.json", "estimates", content_of(material, findings), made_from=made_from)
    _write_figures(folder / "figures", material, findings)


def content_of(material: Material, findings: Findings) -> dict[str, Any]:
    """Return what estimates.json says: every figure with its interval, and what one must know to read it."""
    bundle, evidence = material.bundle, findings.evidence
    thresholds = dict(zip(bundle.taxonomy.codes, bundle.thresholds.values, strict=True))
    return {
        "bundle": bundle.name,
        "source": bundle.source,
        "licence": bundle.licence,
        "invented": bundle.invented,
        "warnings": list(bundle.warnings),
        "split": "test",
        "cases": len(findings.settled),
        "clusters": evidence.clusters,
        "cluster_kind": bundle.cluster_kind,
        "support": evidence.support,
        "openings": asdict(findings.openings),
        "conventions": CONVENTIONS,
        "thresholds": {"rule": bundle.thresholds.rule, "chosen_on": bundle.thresholds.chosen_on, "values": thresholds},
        "temperature": bundle.temperature,
        "answering": {
            "classifiers": bundle.speaking,
            "temperature_of_mean": bundle.temperature_of_mean,
            "views": bundle.views,
            "networks": bundle.members,
        },
        "estimates": _plain(evidence.estimates),
        "confusion": {"codes": list(bundle.taxonomy.codes), "truth_by_answer": evidence.confusion.tolist()},
        "reliability": [each._asdict() | {"right": each.right.to_dict()} for each in evidence.reliability],
        "indeterminate": {
            "cases": len(material.indeterminate),
            "reasons": reasons(material.indeterminate),
            "estimates": _plain(findings.beside),
        },
    }


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write every figure and difference, and the figure, into an empty folder."""
    content = comparison.content() | {"conventions": CONVENTIONS}
    write_json(folder / "comparison.json", "comparison", content, made_from=comparison.made_from)
    differences = {
        name: {what: compared[what].difference for what in FOREST} for name, compared in comparison.differences.items()
    }
    figure = comparison_figure(
        differences, FOREST, reference=comparison.reference.name, of_what=comparison.of_what + "."
    )
    (folder / "figures").mkdir()
    save_figure(folder / "figures" / "comparison.svg", figure)


def _plain(estimates: dict[str, Estimate]) -> dict[str, dict[str, Any]]:
    return {name: estimate.to_dict() for name, estimate in estimates.items()}


def _write_outputs(path: Path, material: Material, outputs: Outputs[NDArray[np.float32]]) -> None:
    """Write logits of every depth and features as safetensors, a row per case."""
    from safetensors.numpy import save_file

    bundle = material.bundle
    about = {"made_from": material.made_from, "source": bundle.source, "licence": bundle.licence}
    said = json.dumps(stamp("outputs") | about | {"invented": bundle.invented})
    tensors = {"logits": outputs.logits, "features": outputs.features}
    tensors |= {f"auxiliary_logits.{depth}": logits for depth, logits in enumerate(outputs.auxiliary_logits)}
    plain = {key: np.ascontiguousarray(tensor, dtype=np.float32) for key, tensor in tensors.items()}
    with written_aside(path) as aside:
        save_file(plain, aside, metadata={"stamp": said})


def _write_figures(folder: Path, material: Material, findings: Findings) -> None:
    bundle, settled, evidence = material.bundle, findings.settled, findings.evidence
    clusters = f"{evidence.clusters:,} {bundle.cluster_kind}s"
    of_what = f"{bundle.name} on {len(settled):,} test pictures of {clusters}{', all invented' * bundle.invented}."
    confidence = settled.probabilities.max(axis=1)
    figures = {
        "confusion": confusion_figure(evidence.confusion, bundle.taxonomy, of_what=of_what),
        "roc": roc_figure(settled, evidence.estimates, bundle.taxonomy, of_what=of_what),
        "reliability": reliability_figure(evidence.reliability, confidence, evidence.estimates, of_what=of_what),
    }
    folder.mkdir()
    for name, figure in figures.items():
        save_figure(folder / f"{name}.svg", figure)
