"""The report in a form for machines: headline figures, counts, hashes, protocols, warnings and the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.chain import chain_of, seals_of
from cutis.report.evidence import HEADLINES
from cutis.report.head import name_of, outdated_in
from cutis.report.material import Comparison, Dataset, Evaluation, Material, Trained

COUNTED = ("images", "clusters", "cluster_kind", "patients", "lesions", "rows", "rejected", "indeterminate", "missing")


def card_of(material: Material, *, page_sha256: str) -> dict[str, Any]:
    """Return the content of report.json: what stands on the page, but for tables and pictures.

    Args:
        material: what the page was made of.
        page_sha256: of the page beside it.
    """
    comparison = material.comparison if isinstance(material.comparison, Comparison) else None
    links = chain_of(material)
    return {
        "name": name_of(material),
        "page": {"file": "report.html", "sha256": page_sha256},
        "dataset": _dataset(material.dataset) if material.dataset else None,
        "bundles": [_bundle(trained) for trained in material.trained],
        "comparison": _comparison(comparison.content) if comparison else None,
        "readers": {name: _readers(study.content) for name, study in material.readers.items()},
        "outdated": [each.mend for each in outdated_in(material)],
        "chain": {
            "holds": all(link.holds for link in links),
            "links": [link._asdict() | {"holds": link.holds} for link in links],
            "seals": {seal.result: seal.sha256 for seal in seals_of(material)},
        },
    }


def made_from(material: Material) -> dict[str, str]:
    """Return the sha256 of all that a report is made from."""
    sums = {"manifest": material.dataset.manifest_sha256} if material.dataset else {}
    return sums | {seal.result: seal.sha256 for seal in seals_of(material)}


def _dataset(dataset: Dataset) -> dict[str, Any]:
    card, splits = dataset.card, dataset.splits
    return {name: card[name] for name in ("name", "source", "licence", "invented", *COUNTED)} | {
        "manifest_sha256": dataset.manifest_sha256,
        "pictures_sha256": dataset.made_from.get("pictures"),
        "splits": {name: {what: of[what] for what in ("images", "clusters")} for name, of in splits["splits"].items()},
        "proof": splits["proof"],
    }


def _bundle(trained: Trained) -> dict[str, Any]:
    bundle = trained.bundle
    return {
        "name": trained.name,
        "architecture": bundle.architecture,
        "weights_sha256": bundle.weights_sha256,
        "bundle_sha256": trained.description_sha256,
        "licence": bundle.licence,
        "warnings": list(bundle.warnings),
        "thresholds": {"rule": bundle.thresholds.rule, "chosen_on": bundle.thresholds.chosen_on},
        "evaluation": _evaluation(trained.evaluation) if trained.evaluation else None,
        "elsewhere": {other: _evaluation(each) for other, each in trained.evaluations_elsewhere.items()},
    }


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    content, subgroups = evaluation.content, evaluation.subgroups
    counts = ("split", "cases", "clusters", "cluster_kind", "support", "openings")
    return {name: content[name] for name in counts} | {
        "estimates": {name: content["estimates"][name] for name in HEADLINES if name in content["estimates"]},
        "sets": [
            {"method": each["method"], "promised": each["promised"], "coverage": each["estimates"]["coverage"]}
            for each in content["sets"]
        ],
        "answered": content["abstention"]["estimates"]["answered"] if content["abstention"] else None,
        "subgroups": {name: subgroups[name] for name in ("gaps_examined", "gaps_apart", "unrecorded")},
        "protocol": content["protocol"],
    }


def _comparison(content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "reference": content["reference"],
        "bundles": content["bundles"],
        "differences": {
            name: {figure: found[figure] for figure in HEADLINES if figure in found}
            for name, found in content["differences"].items()
        },
        "protocol": content["protocol"],
    }


def _readers(content: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: content[name] for name in ("what", "source", "invented", "saw")}
    if content["what"] == "votes":
        return told | {"groups": content["groups"], "between": content["between"]}
    return told | {
        "protocol": content["protocol"],
        "aided_against_unaided": content["aided_against_unaided"],
        "network_against_readers": {name: arm["tested"] for name, arm in content["arms"].items()},
    }
