"""What a release is made from: a bundle, and what else is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.workspace import Workspace

ATLAS = "atlas.safetensors"


@dataclass(frozen=True, kw_only=True)
class Material:
    """A bundle with its evidence and its atlas, where they were made."""

    bundle: Bundle
    evaluation: dict[str, Any] | None  # estimates.json of the same weights
    atlas: Path | None  # of the same weights
    made_from: dict[str, str]


def read_material(workspace: Workspace, name: str) -> Material:
    """Read a bundle, and of its evaluation and explanation what belongs to the same weights.

    Raises:
        UserError: there is no bundle, or something was changed.
    """
    bundle = read_bundle(workspace.bundle(name).resolve())
    made_from = {"bundle": sha256_of(bundle.folder / DESCRIPTION), "weights": bundle.weights_sha256}
    evaluation = _evaluation(workspace, name, made_from)
    atlas = _atlas(workspace, name, made_from)
    if evaluation:
        made_from["evaluation"] = sha256_of(workspace.evaluation(name).resolve() / "estimates.json")
    if atlas:
        made_from["atlas"] = sha256_of(atlas)
    return Material(bundle=bundle, evaluation=evaluation, atlas=atlas, made_from=made_from)


def _evaluation(workspace: Workspace, name: str, sums: dict[str, str]) -> dict[str, Any] | None:
    folder = workspace.evaluation(name)
    if not folder.exists():
        return None
    check_sums(folder.resolve(), "evaluation", mend=f"cutis evaluate {name} --again")
    content = read_json(folder.resolve() / "estimates.json", "estimates")
    return content if _is_of(content, sums) else None


def _atlas(workspace: Workspace, name: str, sums: dict[str, str]) -> Path | None:
    folder = workspace.explanation(name)
    if not (folder / ATLAS).exists():
        return None
    check_sums(folder.resolve(), "explanation", mend=f"cutis explain --name {name} --again")
    content = read_json(folder.resolve() / "saliency.json", "saliency")
    return folder.resolve() / ATLAS if _is_of(content, sums) else None


def _is_of(content: dict[str, Any], sums: dict[str, str]) -> bool:
    return all(content["made_from"].get(kind) == sum_ for kind, sum_ in sums.items())
