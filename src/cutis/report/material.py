"""Everything that the stages so far left in a workspace, read and checked."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutis.runtime.bundle import CONFIG, DESCRIPTION, HISTORY, Bundle, read_bundle
from cutis.vocabulary.case import Manifest, read_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, check_sums, read_json, read_table, sha256_of
from cutis.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What curate left."""

    manifest: Manifest
    manifest_sha256: str
    card: dict[str, Any]
    splits: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What evaluate left of one bundle."""

    folder: Path
    content: dict[str, Any]  # estimates.json
    sums: dict[str, str]  # sha256 of the files that later stages are made from


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What explain left of one bundle."""

    folder: Path
    saliency: dict[str, Any]
    atlas: dict[str, Any]  # what the table says about itself


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What evaluate left of several bundles in pairs."""

    folder: Path
    content: dict[str, Any]  # comparison.json


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A bundle with all that came after it."""

    name: str  # under which it lies in the workspace
    bundle: Bundle
    recipe: dict[str, Any]
    history: tuple[dict[str, Any], ...]  # one record per epoch
    description: dict[str, Any]  # bundle.json
    description_sha256: str
    evaluation: Evaluation | None
    explanation: Explanation | None


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a report is made of."""

    dataset: Dataset | None
    trained: tuple[Trained, ...]
    comparison: Comparison | None


def read_material(workspace: Workspace) -> Material:
    """Read what is there; a stage that has not run is None.

    Raises:
        UserError: nothing is there, or a file is damaged, changed or of a newer format.
    """
    dataset = _read_dataset(workspace.dataset.resolve()) if workspace.dataset.exists() else None
    trained = tuple(_read_trained(workspace, name) for name in workspace.bundle_names())
    if dataset is None and not trained:
        mend = "cutis curate CLINIC_DIR"
        raise UserError("there is nothing to report yet", where=str(workspace.root), mend=mend)
    comparison = _read_comparison(workspace.comparison.resolve()) if workspace.comparison.exists() else None
    return Material(dataset=dataset, trained=trained, comparison=comparison)


def _read_dataset(folder: Path) -> Dataset:
    return Dataset(
        manifest=read_manifest(folder / "manifest.parquet"),
        manifest_sha256=sha256_of(folder / "manifest.parquet"),
        card=read_json(folder / "card.json", "card"),
        splits=read_json(folder / "splits.json", "splits"),
    )


def _read_trained(workspace: Workspace, name: str) -> Trained:
    bundle = read_bundle(workspace.bundle(name).resolve())
    evaluation, explanation = workspace.evaluation(name), workspace.explanation(name)
    return Trained(
        name=name,
        bundle=bundle,
        recipe=tomllib.loads((bundle.folder / CONFIG).read_text(encoding="utf-8")),
        history=_read_history(bundle.folder / HISTORY),
        description=read_json(bundle.folder / DESCRIPTION, "bundle"),
        description_sha256=sha256_of(bundle.folder / DESCRIPTION),
        evaluation=_read_evaluation(evaluation.resolve()) if evaluation.exists() else None,
        explanation=_read_explanation(explanation.resolve()) if explanation.exists() else None,
    )


def _read_history(path: Path) -> tuple[dict[str, Any], ...]:
    head, *records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    check_stamp(head, "history", where=path)
    return tuple(records)


def _read_evaluation(folder: Path) -> Evaluation:
    check_sums(folder, "evaluation", mend="cutis evaluate --again")
    return Evaluation(
        folder=folder,
        content=read_json(folder / "estimates.json", "estimates"),
        sums={
            "predictions": sha256_of(folder / "predictions.parquet"),
            "outputs": sha256_of(folder / "outputs.safetensors"),
        },
    )


def _read_comparison(folder: Path) -> Comparison:
    check_sums(folder, "comparison", mend="cutis evaluate NAME NAME, with the names of the bundles")
    return Comparison(folder=folder, content=read_json(folder / "comparison.json", "comparison"))


def _read_explanation(folder: Path) -> Explanation:
    check_sums(folder, "explanation", mend="cutis explain --again")
    return Explanation(
        folder=folder,
        saliency=read_json(folder / "saliency.json", "saliency"),
        atlas=read_table(folder / "atlas.parquet", "atlas")[1],
    )
