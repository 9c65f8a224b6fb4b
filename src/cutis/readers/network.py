"""What the network says of the cases of a study: of all it knows, and as if it knew the study's diagnoses alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.runtime.elsewhere import name_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions
from cutis.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Network:
    """A bundle and what it said of a dataset when it was evaluated on it."""

    bundle: Bundle
    predictions: Predictions
    predictions_sha256: str


def read_network(workspace: Workspace, name: str, *, manifest_sha256: str, on: Path | None = None) -> Network:
    """Read a bundle and its evaluation, and check that both are of this dataset and unchanged.

    Args:
        workspace: holds both.
        name: of the bundle.
        manifest_sha256: of the dataset's manifest.
        on: the dataset, where it is not the workspace's own.

    Raises:
        UserError: one of them is missing or damaged, or the evaluation is of another bundle or dataset.
    """
    bundle, folder = read_bundle(workspace.bundle(name).resolve()), workspace.evaluation(name)
    mend = f"cutis evaluate {name}"
    if on is not None:
        folder, mend = folder.with_name(f"{name}@{name_of(on)}"), f"{mend} --on {on}"
    if not folder.exists():
        raise UserError(f"{name} was not evaluated {'there ' * (on is not None)}yet", where=str(folder), mend=mend)
    folder = folder.resolve()
    check_sums(folder, "evaluation", mend=f"{mend} --again")
    made_from = read_json(folder / "estimates.json", "estimates")["made_from"]
    sums = {
        "weights": bundle.weights_sha256,
        "bundle": sha256_of(bundle.folder / DESCRIPTION),
        "manifest": manifest_sha256,
    }
    if changed := [kind for kind, sum_ in sums.items() if made_from.get(kind) != sum_]:
        what = f"this evaluation was made from another {' and '.join(changed)}"
        raise UserError(what, where=str(folder), mend=f"{mend} --again")
    path = folder / "predictions.parquet"
    return Network(bundle=bundle, predictions=read_predictions(path), predictions_sha256=sha256_of(path))


def of_cases(predictions: Predictions, case_ids: tuple[str, ...], *, where: Path | str) -> Predictions:
    """Return what was predicted of these cases, in their order.

    Raises:
        UserError: the network was not asked about one of them.
    """
    at = {case: place for place, case in enumerate(predictions.case_ids)}
    if missing := [case for case in case_ids if case not in at]:
        what = f"the network has no answer to case {missing[0]!r}, and {len(missing) - 1} more"
        raise UserError(what, where=str(where), mend="evaluate it on the dataset that the cases come from")
    rows = [at[case] for case in case_ids]
    return replace(
        predictions,
        case_ids=case_ids,
        cluster_ids=tuple(predictions.cluster_ids[row] for row in rows),
        truth=None if predictions.truth is None else predictions.truth[rows],
        probabilities=predictions.probabilities[rows],
    )


def restricted(probabilities: NDArray[np.float64], kinds: list[int]) -> NDArray[np.float64]:
    """Return probabilities (N, K) of these diagnoses alone (N, S), made to sum to one; all alike where none is left."""
    left = probabilities[:, kinds]
    total = left.sum(axis=1, keepdims=True)
    alike = np.full_like(left, 1 / len(kinds))
    found: NDArray[np.float64] = np.divide(left, total, out=alike, where=total > 0)
    return found


def restricted_thresholds(bundle: Bundle, kinds: list[int]) -> NDArray[np.float64]:
    """Return the frozen operating points (S,) of these diagnoses, which hold for the network's full answer."""
    return np.array([bundle.thresholds.values[kind] for kind in kinds])
