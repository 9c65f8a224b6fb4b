"""What a release is made from: a bundle, the dataset it learned from, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.vocabulary.case import Manifest, read_manifest, unchanged_picture
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions
from cutis.workspace import Workspace

ATLAS = "atlas.safetensors"
ESTIMATES = "estimates.json"


@dataclass(frozen=True, kw_only=True)
class Material:
    """A bundle with its dataset, its evidence, and its atlas where one was made; all of the same weights."""

    bundle: Bundle
    dataset: Path
    manifest: Manifest
    predictions: Predictions  # of the settled cases of the test split
    evaluation: dict[str, Any]  # estimates.json
    atlas: Path | None
    made_from: dict[str, str]

    @property
    def tested(self) -> list[Path]:
        """Where the pictures of the test split lie, in the order of the predictions.

        Raises:
            UserError: one is missing, or not the one that was curated.
        """
        known = {case.case_id: case for case in self.manifest.cases}
        return [unchanged_picture(self.dataset, known[case_id]) for case_id in self.predictions.case_ids]


def read_material(workspace: Workspace, name: str) -> Material:
    """Read a bundle, and of its evaluation and explanation what belongs to the same weights.

    Raises:
        UserError: one is missing, was changed, or the evaluation is of another bundle or dataset.
    """
    bundle, dataset = read_bundle(workspace.bundle(name).resolve()), workspace.dataset.resolve()
    sums = {"bundle": sha256_of(bundle.folder / DESCRIPTION), "weights": bundle.weights_sha256}
    manifest = read_manifest(dataset / "manifest.parquet")
    folder, evaluation = workspace.evaluation(name).resolve(), workspace.evaluation(name)
    if not evaluation.exists():
        what = f"{name} was not evaluated yet: nobody knows how well it does"
        raise UserError(what, where=str(evaluation), mend=f"cutis evaluate {name}")
    again = f"cutis evaluate {name} --again"
    check_sums(folder, "evaluation", mend=again)
    estimates = read_json(folder / ESTIMATES, "estimates")
    if not _is_of(estimates, sums | {"manifest": sha256_of(dataset / "manifest.parquet")}):
        raise UserError("this evaluation was made from another bundle or dataset", where=str(folder), mend=again)
    atlas = _atlas(workspace, name, sums)
    carried = {"atlas": sha256_of(atlas)} if atlas else {}
    return Material(
        bundle=bundle,
        dataset=dataset,
        manifest=manifest,
        predictions=read_predictions(folder / "predictions.parquet"),
        evaluation=estimates,
        atlas=atlas,
        made_from=sums | {"evaluation": sha256_of(folder / ESTIMATES)} | carried,
    )


def _atlas(workspace: Workspace, name: str, sums: dict[str, str]) -> Path | None:
    folder = workspace.explanation(name)
    if not (folder / ATLAS).exists():
        return None
    check_sums(folder.resolve(), "explanation", mend=f"cutis explain --name {name} --again")
    content = read_json(folder.resolve() / "saliency.json", "saliency")
    return folder.resolve() / ATLAS if _is_of(content, sums) else None


def _is_of(content: dict[str, Any], sums: dict[str, str]) -> bool:
    return all(content["made_from"].get(kind) == sum_ for kind, sum_ in sums.items())
