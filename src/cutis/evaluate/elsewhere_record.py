"""What an evaluation on another dataset leaves on disk, and what a person reads of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.drawings import figures_of
from cutis.evaluate.elsewhere_material import Elsewhere
from cutis.evaluate.evidence import Evidence, chance_of_rounds
from cutis.evaluate.figures import save_figure
from cutis.evaluate.findings import Findings, Measured
from cutis.evaluate.openings import Openings
from cutis.evaluate.protocol import UnderProtocol
from cutis.evaluate.readings import ForeignDiagnosis
from cutis.evaluate.record import content_of
from cutis.evaluate.told import HEADLINES
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.files import write_json
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions, write_predictions
from cutis.vocabulary.registration import Registration
from cutis.workspace import Finished

READINGS = {
    "estimates": "probabilities as they are: an answer that the other dataset does not know is wrong",
    "restricted": "probabilities of the common diagnoses alone, summing to one: optimistic; the thresholds were chosen "
    "for all of them",
}


class FindingsElsewhere(NamedTuple):
    """All that was found elsewhere."""

    known: Predictions  # as they are
    outputs: Outputs[NDArray[np.float32]]  # of the same cases
    measured: Measured
    restricted: Evidence | None  # None where a single diagnosis is common
    foreign: Predictions | None
    foreign_estimates: dict[str, Estimate]
    foreign_diagnoses: tuple[ForeignDiagnosis, ...]
    registration: Registration  # of the openings of this dataset

    @property
    def evidence(self) -> Evidence:
        """The figures of the cases whose diagnosis is known, as they are."""
        return self.measured.evidence

    @property
    def openings(self) -> int:
        """How often this dataset was opened so far."""
        return self.registration.openings


def write_elsewhere(folder: Path, elsewhere: Elsewhere, there: FindingsElsewhere) -> None:
    """Write predictions, estimates and figures into an empty folder."""
    made_from = elsewhere.material.made_from
    write_predictions(folder / "predictions.parquet", there.known, made_from=made_from)
    if there.foreign is not None:
        write_predictions(folder / "foreign.parquet", there.foreign, made_from=made_from)
    write_json(folder / "estimates.json", "estimates", content_elsewhere(elsewhere, there), made_from=made_from)
    subgroups = there.measured.subgroups.content()
    write_json(folder / "subgroups.json", "subgroups", subgroups, made_from=made_from)
    _write_figures(folder / "figures", elsewhere, there)


def content_elsewhere(elsewhere: Elsewhere, there: FindingsElsewhere) -> dict[str, Any]:
    """Return what estimates.json says: as at home, but of this dataset, and what is only asked elsewhere."""
    material, cases = elsewhere.material, elsewhere.material.settled
    bundle = material.bundle
    findings = Findings(
        settled=there.known,
        indeterminate=None,
        outputs=there.outputs,
        measured=there.measured,
        beside={},
        openings=Openings(of_workspace=there.openings, of_bundle=there.openings),
        protocol=UnderProtocol(None, there.registration),
    )
    return content_of(material, findings) | {
        "source": cases.source,
        "licence": cases.licence,
        "invented": bundle.invented or cases.invented,
        "split": elsewhere.split,
        "cluster_kind": cases.cluster_kind,
        "openings": {"of_this_dataset": there.openings},
        "elsewhere": {
            "dataset": elsewhere.called,
            "dataset_sha256": material.dataset_sha256,
            "learned_from": bundle.source,
            "independence": asdict(elsewhere.independence),
            "readings": READINGS,
            "common": _common(elsewhere),
            "restricted": None if there.restricted is None else _restricted(there.restricted),
            "foreign": {
                "cases": len(elsewhere.foreign),
                "clusters": len(set(elsewhere.foreign.column("cluster_id"))),
                "estimates": plain(there.foreign_estimates),
                "diagnoses": [each.content() for each in there.foreign_diagnoses],
            },
        },
    }


def tell_elsewhere(elsewhere: Elsewhere, there: FindingsElsewhere, *, wrote: Path) -> Finished:
    """Sum up an evaluation on another dataset in a few lines."""
    material, evidence = elsewhere.material, there.evidence
    found = {name: evidence.estimates[name] for name in HEADLINES.values() if name in evidence.estimates}
    facts = {
        "name": material.bundle.name,
        "on": elsewhere.called,
        "cases": len(there.known),
        "clusters": evidence.clusters,
        "cluster_kind": there.known.cluster_kind,
        "foreign": len(elsewhere.foreign),
        "openings": there.openings,
        "independence": asdict(elsewhere.independence),
        "estimates": plain(found),
        "warnings": list(material.bundle.warnings),
    }
    lines = tuple(_lines(elsewhere, there, found))
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command="cutis report")


def _lines(elsewhere: Elsewhere, there: FindingsElsewhere, found: dict[str, Estimate]) -> Iterator[str]:
    bundle, known, openings = elsewhere.material.bundle, there.known, there.openings
    used = "test split" if elsewhere.only_test else "all splits"
    clusters = f"{there.evidence.clusters:,} {known.cluster_kind}s"
    times = "once" if openings == 1 else f"{openings} times"
    yield f"{elsewhere.called}, {used}: {len(known):,} pictures of {clusters}, opened {times} so far"
    yield f"common diagnoses: {', '.join(elsewhere.codes)} of {', '.join(bundle.taxonomy.codes)}"
    yield from (f"{label:<31}{found[name]}" for label, name in HEADLINES.items() if name in found)
    if there.restricted is not None:
        for name in ("argmax/accuracy", "argmax/balanced_accuracy"):
            label = f"if only these were asked, {name.removeprefix('argmax/').replace('_', ' ')}"
            yield f"{label}: {there.restricted.estimates[name]}"
    if there.foreign is not None:
        yield f"foreign to it: {len(there.foreign):,} pictures of other diagnoses; no answer can be right"
        yield from (f"  {name.replace('_', ' ')}: {each}" for name, each in there.foreign_estimates.items())
    yield elsewhere.independence.said
    note = found["macro_auc"].note
    if note:
        yield f"note: {note}"
    yield from bundle.warnings


def _common(elsewhere: Elsewhere) -> list[dict[str, Any]]:
    ours, theirs = elsewhere.material.bundle.taxonomy, elsewhere.theirs
    return [
        {
            whose: {"code": disease.code, "name": disease.name, "malignant": disease.malignant}
            for whose, disease in (("theirs", theirs[code]), ("ours", ours[own]))
        }
        for code, own in elsewhere.common.items()
    ]


def _restricted(evidence: Evidence) -> dict[str, Any]:
    return {"support": evidence.support, "estimates": plain(evidence.estimates)}


def _write_figures(folder: Path, elsewhere: Elsewhere, there: FindingsElsewhere) -> None:
    bundle, known = elsewhere.material.bundle, there.known
    invented = ", all invented" * (bundle.invented or elsewhere.material.settled.invented)
    clusters = f"{there.evidence.clusters:,} {known.cluster_kind}s"
    of_what = f"{bundle.name} on {elsewhere.called}: {len(known):,} pictures of {clusters}{invented}."
    chance = chance_of_rounds(elsewhere.material.dataset_sha256)
    folder.mkdir()
    figures = figures_of(known, there.measured, bundle.taxonomy, of_what=of_what, generator=chance)
    for name, figure in figures.items():
        save_figure(folder / f"{name}.svg", figure)
