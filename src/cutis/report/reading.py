"""Reads what the stages left, and checks every byte of it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from cutis.report.material import (
    Comparison,
    Dataset,
    Evaluation,
    Explanation,
    Material,
    Outdated,
    ReaderStudy,
    Released,
    Trained,
)
from cutis.runtime.bundle import CONFIG, DESCRIPTION, HISTORY, read_bundle
from cutis.runtime.release import REFERENCE, Release, read_release
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import FORMATS, SUMS, check_stamp, check_sums, read_json, read_table, sha256_of
from cutis.workspace import Workspace

PARITY = "parity.json"
ELSEWHERE = "@"  # between the names of a bundle and of another dataset
NEEDED_OF_A_COMPARISON = {"tests", "protocol"}  # an earlier version, of the same format, had neither


def read_material(workspace: Workspace) -> Material:
    """Read what is there; a stage that has not run is None.

    Raises:
        UserError: nothing is there, or a file is damaged, changed or of a newer format.
    """
    dataset = _read_dataset(workspace.dataset.resolve()) if workspace.dataset.exists() else None
    names = workspace.bundle_names()
    if dataset is None and not names:
        mend = "cutis curate CLINIC_DIR"
        raise UserError("there is nothing to report yet", where=str(workspace.root), mend=mend)
    others = _elsewhere(workspace)
    return Material(
        readers={path.name: _read_scores(path.resolve()) for path in _scores(workspace)},
        dataset=dataset,
        trained=tuple(_read_trained(workspace, name, others.get(name, {})) for name in names),
        comparison=_read_comparison(workspace.comparison.resolve()) if workspace.comparison.exists() else None,
        ownerless=tuple(
            f"{name}{ELSEWHERE}{other}" for name, on in others.items() if name not in names for other in on
        ),
    )


def _elsewhere(workspace: Workspace) -> dict[str, dict[str, Path]]:
    """Return the folders of evaluations on other datasets, by the bundle's name and the dataset's."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(workspace.comparison.parent.glob(f"*{ELSEWHERE}*")):
        name, _, other = path.name.partition(ELSEWHERE)
        if name and path.is_dir() and not name.startswith("."):
            found.setdefault(name, {})[other] = path.resolve()
    return found


def _read_dataset(folder: Path) -> Dataset:
    path = folder / "manifest.parquet"
    return Dataset(
        manifest=read_manifest(path),
        manifest_sha256=sha256_of(path),
        made_from=read_table(path, "manifest")[1].get("made_from", {}),
        card=read_json(folder / "card.json", "card"),
        splits=read_json(folder / "splits.json", "splits"),
    )


def _read_trained(workspace: Workspace, name: str, elsewhere: dict[str, Path]) -> Trained:
    bundle = read_bundle(workspace.bundle(name).resolve())
    evaluation, explanation = workspace.evaluation(name), workspace.explanation(name)
    again = f"cutis evaluate {name} --again"
    description_sha256 = sha256_of(bundle.folder / DESCRIPTION)
    return Trained(
        name=name,
        bundle=bundle,
        seal=_seal(bundle.folder),
        recipe=tomllib.loads((bundle.folder / CONFIG).read_text(encoding="utf-8")),
        history=_read_history(bundle.folder / HISTORY),
        description=read_json(bundle.folder / DESCRIPTION, "bundle"),
        description_sha256=description_sha256,
        evaluated=_read_evaluation(evaluation.resolve(), mend=again) if evaluation.exists() else None,
        elsewhere={
            other: _read_evaluation(folder, mend=f"cutis evaluate {name} --on {other} --again")
            for other, folder in elsewhere.items()
        },
        explanation=_read_explanation(explanation.resolve()) if explanation.exists() else None,
        released=_read_released(workspace.release(name), bundle_sha256=description_sha256),
    )


def _read_history(path: Path) -> tuple[dict[str, Any], ...]:
    head, *records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    check_stamp(head, "history", where=path)
    return tuple(records)


def _read_evaluation(folder: Path, *, mend: str) -> Evaluation | Outdated:
    check_sums(folder, "evaluation", mend=mend)
    content = read_json(folder / "estimates.json", "estimates")
    files = {"predictions": folder / "predictions.parquet", "outputs": folder / "outputs.safetensors"}
    sums = {kind: sha256_of(path) for kind, path in files.items() if path.exists()}
    if content["format"] < FORMATS["estimates"]:
        return Outdated(folder=folder, seal=_seal(folder), mend=mend, sums=sums)
    robustness, similar = folder / "robustness.json", folder / "similar.json"
    return Evaluation(
        folder=folder,
        seal=_seal(folder),
        content=content,
        subgroups=read_json(folder / "subgroups.json", "subgroups"),
        robustness=read_json(robustness, "robustness") if robustness.exists() else None,
        similar=read_json(similar, "similar") if similar.exists() else None,
        sums=sums,
    )


def _read_comparison(folder: Path) -> Comparison | Outdated:
    check_sums(folder, "comparison", mend="cutis evaluate NAME NAME, with the names of the bundles")
    content = read_json(folder / "comparison.json", "comparison")
    if not content.keys() >= NEEDED_OF_A_COMPARISON:
        return Outdated(folder=folder, seal=_seal(folder), mend=f"cutis evaluate {' '.join(content['bundles'])}")
    return Comparison(folder=folder, seal=_seal(folder), content=content)


def _scores(workspace: Workspace) -> list[Path]:
    found = (workspace.readers / "scores").glob("*")
    return sorted(path for path in found if path.is_dir() and not path.name.startswith("."))


def _read_scores(folder: Path) -> ReaderStudy:
    check_sums(folder, "score of readers", mend="cutis readers score --again, as it was made")
    return ReaderStudy(folder=folder, seal=_seal(folder), content=read_json(folder / "scores.json", "scores"))


def _read_explanation(folder: Path) -> Explanation:
    check_sums(folder, "explanation", mend="cutis explain --again")
    sanity = folder / "sanity.json"
    return Explanation(
        folder=folder,
        seal=_seal(folder),
        saliency=read_json(folder / "saliency.json", "saliency"),
        atlas=read_table(folder / "atlas.parquet", "atlas")[1],
        sanity=read_json(sanity, "sanity") if sanity.exists() else None,
    )


def _read_released(folder: Path, *, bundle_sha256: str) -> Released | None:
    if not folder.exists():
        return None
    made = read_release(folder.resolve())
    return Released(
        made=made,
        parity=_of_release(made, PARITY, "parity"),
        reference=_of_release(made, REFERENCE, "reference") if REFERENCE in made.sealed.entries else None,
        is_of_bundle=made.bundle_sha256 == bundle_sha256,
    )


def _of_release(made: Release, name: str, kind: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(made.read(name))
    check_stamp(said, kind, where=made.sealed.folder / name)
    return said


def _seal(folder: Path) -> str:
    return sha256_of(folder / SUMS)
