"""What a score leaves on disk: every figure with its interval, the drawings, and the readings for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cutis.readers.drawing import save_figure
from cutis.readers.figures import figures_of
from cutis.readers.protocol import Protocol
from cutis.readers.scoring.material import Material
from cutis.readers.scoring.scored import Scores
from cutis.readers.scoring.votes import Scored
from cutis.readers.votes_figures import groups_figure
from cutis.runtime.bundle import Bundle
from cutis.vocabulary.files import write_json

SCORES = "scores.json"
METHODS = {
    "each reader": "shares with Wilson's interval, one case per cluster, else by the design effect",
    "mean reader": "mean over readers, each counting the same; two-way bootstrap of cases and readers",
    "network against readers": "Obuchowski–Rockette, single treatment, Hillis' degrees of freedom; one-shot "
    "U-statistics where not everybody read everything",
    "aided against unaided": "Obuchowski–Rockette, two treatments; one-shot U-statistics where designs have gaps",
    "at the mean reader's specificity": "description: the place on the curve is chosen anew in every round",
    "votes of k readers": "plurality of committees drawn at random; bootstrap of cases, conditional on these readers",
    "between readers": "Fleiss' kappa, Krippendorff's alpha and Gwet's AC1; jackknife over readers and cases",
    "within readers": "Cohen's kappa of the two occasions, mean over readers; jackknife over readers and cases",
}


def write_scores(folder: Path, name: str, material: Material, scores: Scores) -> None:
    """Write scores and figures of readings into an empty folder."""
    protocol, network = material.protocol, material.network
    content = {
        "name": name,
        "what": "readings",
        "source": material.source,
        "on": material.on or None,
        "invented": material.invented,
        "diagnoses": dict(material.names),
        "protocol": None if protocol is None else protocol_content(protocol),
        "dropped": material.dropped,
        "saw": None if network is None else seen_by(network.bundle, material.pictures),
        "methods": METHODS,
        **scores.content(),
    }
    write_json(folder / SCORES, "scores", content, made_from=material.made_from)
    first = scores.first
    crossed = "everybody read everything" if first.table.is_crossed else "not everybody read everything"
    of_what = (
        f"{len(first.table.readers)} readers, {len(first.table.cases):,} cases, "
        f"{int(first.table.read.sum()):,} answers; {crossed}{'; all invented' * material.invented}."
    )
    _write_figures(folder, figures_of(scores, material.names, of_what=of_what))


def write_scored_votes(
    folder: Path,
    name: str,
    scored: Scored,
    *,
    bundle: Bundle,
    pictures: str,
    made_from: Mapping[str, str],
    source: str,
    split: str,
) -> None:
    """Write scores and the figure of votes into an empty folder."""
    taxonomy = bundle.taxonomy
    content = {
        "name": name,
        "what": "votes",
        "protocol": None,
        "source": source,
        "invented": bundle.invented,
        "split": split,
        "diagnoses": {disease.code: disease.name for disease in taxonomy.diseases},
        "saw": seen_by(bundle, pictures),
        **scored.content(),
    }
    write_json(folder / SCORES, "scores", content, made_from=dict(made_from))
    largest = max(scored.groups, key=lambda group: group.images)
    of_what = f"{largest.images:,} images of {largest.clusters:,} {largest.estimates['readers/accuracy'].cluster_kind}s"
    of_what += f", {split}; the network saw {seen_by(bundle, pictures)}."
    names = {disease.code: disease.name for disease in taxonomy.diseases}
    _write_figures(folder, {"groups": groups_figure(scored, names, of_what=of_what)})


def protocol_content(protocol: Protocol) -> dict[str, Any]:
    """Return what of a protocol belongs beside its results; no case is named."""
    endpoint = protocol.endpoint
    return {
        "sha256": protocol.sha256,
        "title": protocol.title,
        "version": protocol.version,
        "design": protocol.design,
        "washout_days": protocol.washout_days,
        "shown": list(protocol.shown),
        "none_of_these": protocol.none_of_these,
        "network_sees": protocol.network_sees,
        "places": len(protocol.slots),
        "reads_per_case": protocol.reads_per_case,
        "endpoint": {
            "measure": endpoint.measure,
            "hypothesis": endpoint.hypothesis,
            "margin": endpoint.margin,
            "level": endpoint.level,
        },
    }


def seen_by(bundle: Bundle, pictures: str) -> str:
    """Return what the network was given, in words: how large the dataset's pictures are, and how large it saw them."""
    size = f"{bundle.preparation.size} × {bundle.preparation.size} pixels"
    return f"pictures of {pictures} at {size}" if pictures else f"each picture at {size}"


def _write_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    (folder / "figures").mkdir()
    for name, figure in figures.items():
        save_figure(folder / "figures" / f"{name}.svg", figure)
