"""What an evaluation, and a comparison of several, leave on disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.drawings import figures_of
from cutis.evaluate.evidence import chance_of_rounds, reasons
from cutis.evaluate.figures import save_figure
from cutis.evaluate.findings import Findings, Measured
from cutis.evaluate.forests import comparison_figure
from cutis.evaluate.lesions import RULE
from cutis.evaluate.lines import robustness_figure
from cutis.evaluate.material import Material
from cutis.evaluate.rivals import FOREST, Comparison
from cutis.runtime.bundle import Bundle
from cutis.vocabulary.estimate import plain
from cutis.vocabulary.files import stamp, write_json, written_aside
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import write_predictions

CONVENTIONS = {
    "argmax": "the most probable diagnosis is the answer",
    "one_vs_rest": "each diagnosis is a question of its own: yes at or above its threshold",
    "macro": "the mean over the diagnoses that the test contains, each counting the same",
    "weighted": "their mean by how many cases have each",
    "pooled": "all questions, each case with each diagnosis, taken as one",
}


def write_findings(folder: Path, material: Material, findings: Findings) -> None:
    """Write predictions, outputs, estimates and figures into an empty folder."""
    made_from = material.made_from
    write_predictions(folder / "predictions.parquet", findings.settled, made_from=made_from)
    if findings.indeterminate is not None:
        write_predictions(folder / "indeterminate.parquet", findings.indeterminate, made_from=made_from)
    _write_outputs(folder / "outputs.safetensors", material, findings.outputs)
    write_json(folder / "estimates.json", "estimates", content_of(material, findings), made_from=made_from)
    subgroups, robustness = findings.measured.subgroups, findings.robustness
    write_json(folder / "subgroups.json", "subgroups", subgroups.content(), made_from=made_from)
    if robustness is not None:
        write_json(folder / "robustness.json", "robustness", robustness.content(), made_from=made_from)
    if findings.similar is not None:
        write_json(folder / "similar.json", "similar", findings.similar.content(), made_from=made_from)
    _write_figures(folder / "figures", material, findings)


def content_of(material: Material, findings: Findings) -> dict[str, Any]:
    """Return what estimates.json says: every figure with its interval, and what one must know to read it."""
    bundle, evidence = material.bundle, findings.evidence
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
        "protocol": findings.protocol.content(),
        "conventions": CONVENTIONS,
        **_how_it_answers(bundle),
        "estimates": plain(evidence.estimates),
        "confusion": {"codes": list(bundle.taxonomy.codes), "truth_by_answer": evidence.confusion.tolist()},
        **measured_content(findings.measured, bundle),
        "indeterminate": {
            "cases": len(material.indeterminate),
            "reasons": reasons(material.indeterminate),
            "estimates": plain(findings.beside),
        },
    }


def measured_content(measured: Measured, bundle: Bundle) -> dict[str, Any]:
    """Return calibration, sets, abstention, decisions and lesions as plain data; None for what there is not."""
    lesions = measured.by_lesion
    return {
        "calibration": measured.calibration.content(),
        "sets": [each.content(bundle.taxonomy.codes) for each in measured.sets],
        "abstention": measured.abstention.content() if measured.abstention else None,
        "decisions": measured.decisions.content() if measured.decisions else None,
        "by_lesion": {"rule": RULE, "support": lesions.support, "estimates": plain(lesions.estimates)}
        if lesions
        else None,
    }


def _how_it_answers(bundle: Bundle) -> dict[str, Any]:
    values = dict(zip(bundle.taxonomy.codes, bundle.thresholds.values, strict=True))
    return {
        "thresholds": asdict(bundle.thresholds) | {"values": values},
        "temperature": bundle.temperature,
        "answering": {
            "classifiers": bundle.speaking,
            "temperature_of_mean": bundle.temperature_of_mean,
            "recalibration": bundle.recalibration.kind,
            "views": bundle.views,
            "networks": bundle.members,
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
    bundle, settled = material.bundle, findings.settled
    clusters = f"{findings.evidence.clusters:,} {bundle.cluster_kind}s"
    of_what = f"{bundle.name} on {len(settled):,} test pictures of {clusters}{', all invented' * bundle.invented}."
    chance = chance_of_rounds(material.dataset_sha256)
    figures = figures_of(settled, findings.measured, bundle.taxonomy, of_what=of_what, generator=chance)
    if findings.robustness is not None:
        figures["robustness"] = robustness_figure(findings.robustness, of_what=of_what)
    folder.mkdir()
    for name, figure in figures.items():
        save_figure(folder / f"{name}.svg", figure)
