"""What each section of the page shows, in the order of the page."""

from __future__ import annotations

from typing import Any

from cutis.report.abstention import abstention_section
from cutis.report.chain import chain_of
from cutis.report.comparison import comparison_section
from cutis.report.dataset import dataset_section
from cutis.report.decisions import decisions_section
from cutis.report.elsewhere import elsewhere_sections
from cutis.report.evidence import evidence_section
from cutis.report.explanation import explanation_section
from cutis.report.head import head_section
from cutis.report.material import Comparison, Evaluation, Material, Trained
from cutis.report.network import network_section
from cutis.report.notes import with_numbered_notes
from cutis.report.probabilities import calibration_section, sets_section
from cutis.report.protocol import protocol_section
from cutis.report.provenance import provenance_section
from cutis.report.readers import readers_sections
from cutis.report.release import release_section
from cutis.report.reviewers import reviewers_section
from cutis.report.robustness import robustness_section
from cutis.report.similar import similar_section
from cutis.report.subgroups import subgroups_section


def all_sections(material: Material) -> dict[str, Any]:
    """Return the whole page's content; the notes under its tables are told once in each of its parts."""
    links, comparison = chain_of(material), material.comparison
    return {
        "head": head_section(material, links),
        "dataset": with_numbered_notes(dataset_section(material.dataset)) if material.dataset else None,
        "bundles": [with_numbered_notes(bundle_sections(trained)) for trained in material.trained],
        "comparison": with_numbered_notes(comparison_section(comparison))
        if isinstance(comparison, Comparison)
        else None,
        "readers": with_numbered_notes(readers_sections(material.readers)),
        "reviewers": reviewers_section(material),
        "provenance": with_numbered_notes(provenance_section(material, links)),
    }


def bundle_sections(trained: Trained) -> dict[str, Any]:
    """Return all that is known of a bundle."""
    bundle = trained.bundle
    return {
        "name": trained.name,
        "bundle": bundle,
        "outdated": [each.mend for each in trained.outdated],
        "network": network_section(trained),
        **(measured_sections(trained, trained.evaluation) if trained.evaluation else {"evidence": None}),
        "elsewhere": elsewhere_sections(trained),
        "explanation": explanation_section(trained.explanation, bundle.taxonomy) if trained.explanation else None,
        "release": release_section(trained),
    }


def measured_sections(trained: Trained, evaluation: Evaluation) -> dict[str, Any]:
    """Return what was measured on the test split."""
    content, kind = evaluation.content, evaluation.content["cluster_kind"]
    names = {disease.code: disease.name for disease in trained.bundle.taxonomy.diseases}
    return {
        "protocol": protocol_section(content["protocol"], names),
        "evidence": evidence_section(evaluation, trained.bundle),
        "calibration": calibration_section(content, names),
        "sets": sets_section(content, names),
        "abstention": abstention_section(content, names),
        "decisions": decisions_section(content),
        "subgroups": subgroups_section(evaluation.subgroups, kind=kind),
        "robustness": robustness_section(evaluation.robustness) if evaluation.robustness else None,
        "similar": similar_section(evaluation.similar, names) if evaluation.similar else None,
    }
