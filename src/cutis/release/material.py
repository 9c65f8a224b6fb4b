"""What a release is made from: a bundle, the dataset it learned from, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutis.runtime.atlas import ATLAS
from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.vocabulary.case import Manifest, read_manifest, unchanged_picture
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions
from cutis.workspace import Workspace

SANITY = "sanity.json"
ESTIMATES = "estimates.json"


@dataclass(frozen=True, kw_only=True)
class Material:
    """A bundle with its dataset, its evidence, and what explains it where that was made; all of the same weights."""

    bundle: Bundle
    dataset: Path
    manifest: Manifest
    predictions: Predictions  # of the settled cases of the test split
    evaluation: dict[str, Any]  # estimates.json
    atlas: Path | None
    sanity: dict[str, Any] | None  # sanity.json; None where nobody examined the maps of these weights
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
    atlas, sanity = (_explained(workspace, name, file, sums=sums) for file in (ATLAS, SANITY))
    return Material(
        bundle=bundle,
        dataset=dataset,
        manifest=manifest,
        predictions=read_predictions(folder / "predictions.parquet"),
        evaluation=estimates,
        atlas=atlas,
        sanity=read_json(sanity, "sanity") if sanity else None,
        made_from=sums
        | {"evaluation": sha256_of(folder / ESTIMATES)}
        | {path.stem: sha256_of(path) for path in (atlas, sanity) if path},
    )


def _explained(workspace: Workspace, name: str, file: str, *, sums: dict[str, str]) -> Path | None:
    """Return a file of the bundle's explanation; None where there is none of these weights."""
    folder = workspace.explanation(name)
    if not (folder / file).exists():
        return None
    check_sums(folder.resolve(), "explanation", mend=f"cutis explain --name {name} --again")
    content = read_json(folder.resolve() / "saliency.json", "saliency")
    return folder.resolve() / file if _is_of(content, sums) else None


def _is_of(content: dict[str, Any], sums: dict[str, str]) -> bool:
    return all(content["made_from"].get(kind) == sum_ for kind, sum_ in sums.items())
