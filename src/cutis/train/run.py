"""One training: what it learns from, by which recipe, and where it lies until it is done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cutis.train.config import TrainConfig, config_text
from cutis.vocabulary.case import Manifest, read_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of, written_aside
from cutis.workspace import Workspace

RESOLVED = "recipe.toml"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that stays the same from the first step to the bundle."""

    name: str
    config: TrainConfig
    manifest: Manifest
    dataset: Path
    dataset_sha256: str
    pretrained: str  # "none", "imagenet", or the sha256 of the file that the weights come from
    resolved: str  # what must be the same for a broken-off training to go on
    folder: Path  # the partial folder, kept until the bundle is whole


def open_run(workspace: Workspace, config: TrainConfig, *, name: str, again: bool) -> Run:
    """Look at everything a training needs, and write nothing yet.

    Raises:
        UserError: the bundle exists and `again` is false, the dataset cannot be learned from, or the weights' file
            cannot be read.
    """
    target = workspace.bundle(name)
    workspace.refuse_to_overwrite(target, again=again)
    dataset = workspace.dataset.resolve()  # a dataset that is curated again meanwhile does not change this run
    manifest = read_manifest(dataset / "manifest.parquet")
    require_every_class(manifest)
    dataset_sha256 = sha256_of(dataset / "manifest.parquet")
    pretrained = _origin(config.weights)
    recipe = config_text(config.model_copy(update={"weights": pretrained})) + f"# dataset {dataset_sha256}\n"
    return Run(
        name=name,
        config=config,
        manifest=manifest,
        dataset=dataset,
        dataset_sha256=dataset_sha256,
        pretrained=pretrained,
        resolved=recipe,
        folder=workspace.partial(target),
    )


def require_every_class(manifest: Manifest) -> None:
    """Refuse to learn what has no example.

    Raises:
        UserError: names the diagnoses that are missing from train or tune.
    """
    for split in ("train", "tune"):
        there = set(manifest.of_split(split).column("diagnosis"))
        missing = [code for code in manifest.taxonomy.codes if code not in there]
        if missing:
            mend = "leave these diagnoses out (leave_out in clinic.toml) or gather more, then cutis curate --again"
            raise UserError(f"no case of {', '.join(missing)} to learn from", where=f"split {split}", mend=mend)


def _origin(weights: str) -> str:
    """Return what the weights are by content, so that a file may be moved, but not exchanged, during a training."""
    if weights in {"none", "imagenet"}:
        return weights
    try:
        return sha256_of(Path(weights))
    except OSError as error:
        mend = 'check the path given as weights, or train from nothing: --set weights="none"'
        raise UserError(f"these weights cannot be read ({error.strerror})", where=weights, mend=mend) from error


def prepare_folder(run: Run, *, again: bool) -> None:
    """Make the partial folder ready: as it was left by the same training, else empty.

    Raises:
        UserError: another recipe's unfinished training lies there and `again` is false.
    """
    resolved = run.folder / RESOLVED
    if resolved.exists() and resolved.read_text(encoding="utf-8") == run.resolved:
        return
    if not again and any((run.folder / CHECKPOINTS).glob("*.safetensors")):
        mend = "give the recipe and dataset it began with to go on, add --again to start anew, or choose a --name"
        raise UserError(
            "an unfinished training by another recipe or dataset lies here", where=str(run.folder), mend=mend
        )
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    with written_aside(resolved) as aside:
        aside.write_text(run.resolved, encoding="utf-8")
