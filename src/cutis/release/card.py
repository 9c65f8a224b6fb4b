"""What stands beside a network that leaves the house: a card for people, and a description for the Hugging Face hub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cutis.release.licence import HUB, identifier_of, restricts
from cutis.runtime.bundle import Bundle
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import stamp, written_aside

CARD = "card.md"
CONFIG = "config.json"
BEFORE = """Every file is named in `manifest.json`; where there is a `manifest.sig`, somebody vouches for it.
Get the public key from whoever signs, by another way than this folder, and check both:"""
HEADLINES = {
    "macro_auc": "macro AUC",
    "argmax/balanced_accuracy": "balanced accuracy",
    "argmax/malignant_sensitivity": "malignant called malignant",
    "argmax/malignant_specificity": "benign called benign",
}


def write_card(folder: Path, bundle: Bundle, *, offers: Sequence[str], evaluation: Mapping[str, Any]) -> None:
    """Write card.md and config.json."""
    with written_aside(folder / CARD) as aside:
        aside.write_text(card_text(bundle, offers=offers, evaluation=evaluation), encoding="utf-8")
    with written_aside(folder / CONFIG) as aside:
        aside.write_text(json.dumps(hub_config(bundle), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def hub_config(bundle: Bundle) -> dict[str, Any]:
    """Return config.json: what the hub and its tools look for, in their words."""
    taxonomy, preparation = bundle.taxonomy, bundle.preparation
    return {
        **stamp("hub"),
        "model_type": "cutis",
        "architecture": bundle.architecture,
        "num_classes": len(taxonomy),
        "id2label": {str(number): code for number, code in enumerate(taxonomy.codes)},
        "label2id": {code: number for number, code in enumerate(taxonomy.codes)},
        "image_size": preparation.size,
        "image_mean": list(preparation.mean),
        "image_std": list(preparation.std),
        "resize": preparation.resize,
        "data_licence": bundle.licence,
        "data_source": bundle.source,
    }


def card_text(bundle: Bundle, *, offers: Sequence[str], evaluation: Mapping[str, Any]) -> str:
    """Return the card as Markdown, with the head that the hub reads.

    Args:
        bundle: that is released.
        offers: how it can be run.
        evaluation: estimates.json of the same weights.
    """
    parts = (
        _head(bundle),
        f"# {_plain(bundle.name)}",
        "A network that names the most probable diagnoses of a dermoscopic picture, made with cutis.",
        *(f"**{_plain(warning)}**" for warning in bundle.warnings),
        "## What it can say",
        _diagnoses(bundle),
        "## How well",
        *_evidence(evaluation),
        "## What it learned from",
        _data(bundle),
        "## How it runs",
        _running(bundle, offers),
        "## Before it is used",
        BEFORE,
        "```sh\ncutis verify FOLDER --key release-public.pem\n```",
    )
    return "\n\n".join(parts) + "\n"


def _head(bundle: Bundle) -> str:
    """Return the YAML that the hub reads; a text in JSON is one in YAML, too."""
    name = identifier_of(bundle.licence)
    licence = {"license": name} if name in HUB else {"license": "other", "license_name": name or "not-stated"}
    tags = ["dermatology", "dermoscopy", "medical", "onnx", "openvino", "safetensors", "cutis"]
    said = licence | {"library_name": "cutis", "pipeline_tag": "image-classification", "tags": tags}
    return "\n".join(
        ["---", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in said.items()), "---"]
    )


def _diagnoses(bundle: Bundle) -> str:
    rows = (
        (each.code, each.name, "malignant" if each.malignant else "benign", f"{threshold:.3f}")
        for each, threshold in zip(bundle.taxonomy.diseases, bundle.thresholds.values, strict=True)
    )
    rule = (
        f"The thresholds follow the rule “{_plain(bundle.thresholds.rule)}” on {_plain(bundle.thresholds.chosen_on)}."
    )
    return _table(("code", "diagnosis", "kind", "threshold"), rows) + f"\n\n{rule}"


def _evidence(evaluation: Mapping[str, Any]) -> tuple[str, ...]:
    found = {name: Estimate(**said) for name, said in evaluation["estimates"].items() if name in HEADLINES}
    rows = ((HEADLINES[name], str(found[name])) for name in HEADLINES if name in found)
    counted = f"{evaluation['cases']} pictures of {evaluation['clusters']} {evaluation['cluster_kind']}s"
    opened = evaluation.get("openings", {}).get("of_workspace")
    looked = f" That split was opened {opened} times so far: each look invites a choice by it." if opened else ""
    return (
        f"Measured on the test split of its own dataset, {counted}; other clinics differ.{looked}",
        _table(("figure", "estimate"), rows),
    )


def _data(bundle: Bundle) -> str:
    counts = ", ".join(f"{count} {split}" for split, count in bundle.dataset_counts.items())
    who_may = " This restricts what you may do with the network." if restricts(bundle.licence) else ""
    lines = (
        f"source: {_plain(bundle.source) or 'not stated'}",
        f"licence of the data: **{_plain(bundle.licence)}**.{who_may}",
        f"pictures by split: {counts or 'not stated'}",
        f"its table: sha256 `{bundle.dataset_sha256}`",
    )
    return "\n".join(f"- {line}" for line in lines)


def _running(bundle: Bundle, offers: Sequence[str]) -> str:
    seen = bundle.preparation
    lines = (
        f"network: {_plain(bundle.architecture)}, {bundle.parameters:,} parameters",
        f"pictures: {seen.size} × {seen.size} pixels, {_plain(seen.resize)}",
        f"offered in {', '.join(offers)}: how far each is from the trained network stands in `parity.json`",
    )
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)


def _plain(text: str) -> str:
    """Return a text that no table, link or tag begins in, whoever wrote it."""
    one_line = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in "|<>[]`*" else letter for letter in one_line)
