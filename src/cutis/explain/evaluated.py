"""A bundle with the pictures it was evaluated on and what it said of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError, safe_open

from cutis.imaging.decode import decode
from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.vocabulary.case import Case, Manifest, read_manifest, unchanged_picture
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, check_sums, read_json, sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions
from cutis.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """Everything that an explanation is made from."""

    bundle: Bundle
    manifest: Manifest
    dataset: Path
    predictions: Predictions  # N settled cases of the test split
    features: NDArray[np.float32]  # (N, F) of the last hidden layer, in the order of the predictions
    made_from: dict[str, str]  # sha256 of each of them

    def case(self, case_id: str) -> Case:
        """Return a case of the dataset.

        Raises:
            UserError: there is none of this name.
        """
        found = self.manifest.where(lambda case: case.case_id == case_id).cases
        if not found:
            shown = ", ".join(self.predictions.case_ids[:3])
            mend = f"use one such as {shown}: the column case_id of this table names all"
            raise UserError(f"there is no case {case_id!r}", where=str(self.dataset / "manifest.parquet"), mend=mend)
        return found[0]

    def picture(self, case: Case) -> Image.Image:
        """Return a case's picture, upright.

        Raises:
            UserError: it is missing, or not the one that was curated.
        """
        return decode(unchanged_picture(self.dataset, case))


def read_evaluated(workspace: Workspace, name: str) -> Evaluated:
    """Read a bundle, its dataset and its evaluation, and check that they belong together.

    Raises:
        UserError: one of them is missing or damaged, or the evaluation is of another bundle or dataset.
    """
    bundle = read_bundle(workspace.bundle(name).resolve())
    folder, dataset = workspace.evaluation(name).resolve(), workspace.dataset.resolve()
    if not (folder / "estimates.json").exists():
        raise UserError(f"{name} was not evaluated yet", where=str(folder), mend=f"cutis evaluate {name}")
    check_sums(folder, "evaluation", mend=f"cutis evaluate {name} --again")
    manifest = read_manifest(dataset / "manifest.parquet")
    sums = {
        "weights": bundle.weights_sha256,
        "bundle": sha256_of(bundle.folder / DESCRIPTION),
        "manifest": sha256_of(dataset / "manifest.parquet"),
    }
    evaluated_from = read_json(folder / "estimates.json", "estimates")["made_from"]
    changed = [kind for kind, sum_ in sums.items() if evaluated_from.get(kind) != sum_]
    if changed:
        what = f"this evaluation was made from another {' and '.join(changed)}"
        raise UserError(what, where=str(folder), mend=f"cutis evaluate {name} --again")
    predictions = read_predictions(folder / "predictions.parquet")
    features = _read_features(folder / "outputs.safetensors", cases=len(predictions))
    files = {"predictions": "predictions.parquet", "outputs": "outputs.safetensors"}
    return Evaluated(
        bundle=bundle,
        manifest=manifest,
        dataset=dataset,
        predictions=predictions,
        features=features,
        made_from=sums | {kind: sha256_of(folder / file) for kind, file in files.items()},
    )


def _read_features(path: Path, *, cases: int) -> NDArray[np.float32]:
    try:
        with safe_open(path, "numpy") as file:
            check_stamp(json.loads((file.metadata() or {}).get("stamp", "{}")), "outputs", where=path)
            features: NDArray[np.float32] = file.get_tensor("features")
    except (SafetensorError, OSError) as error:
        mend = "run cutis evaluate --again"
        raise UserError(f"these outputs are missing or damaged: {error}", where=str(path), mend=mend) from error
    if len(features) != cases:
        what = f"{len(features)} outputs do not fit {cases} predictions"
        raise UserError(what, where=str(path), mend="run cutis evaluate --again")
    return features
