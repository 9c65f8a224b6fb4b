"""One training: what it learns from, by which recipe, and where it lies until it is done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cutis.train.config import TrainConfig, config_text
from cutis.vocabulary.case import Manifest, read_manifest
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of, written_aside
from cutis.workspace import Workspace

RESOLVED = "recipe.toml"
CHECKPOINTS = "checkpoints"
LOOKED_AT = ("train", "tune")  # calibrate and test stay closed


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network that is trained: the only one, or that of one fold."""

    config: TrainConfig
    learning: Manifest
    tuning: Manifest
    folder: Path  # where it lies until the bundle is whole
    what: str  # how people call it; empty for the only one


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
    tracking: Path  # where optional adapters write

    @property
    def pictures(self) -> Manifest:
        """All that is learned from or chosen by."""
        return self.manifest.where(lambda case: case.indeterminate is None and case.split in LOOKED_AT)

    @property
    def members(self) -> tuple[Member, ...]:
        """The networks to be trained: one, or with cross-validation one for each fold, which it does not learn from."""
        if not self.config.cross_validate:
            learning, tuning = (self.manifest.of_split(split) for split in LOOKED_AT)
            return (Member(config=self.config, learning=learning, tuning=tuning, folder=self.folder, what=""),)
        folds = sorted({case.fold for case in self.pictures.cases if case.fold is not None})
        return tuple(self._member_of(fold, len(folds)) for fold in folds)

    def _member_of(self, fold: int, folds: int) -> Member:
        seed = seed_of(self.config.seed, "fold", fold) % 2**31
        return Member(
            config=self.config.model_copy(update={"seed": seed}),
            learning=self.pictures.where(lambda case: case.fold != fold),
            tuning=self.pictures.where(lambda case: case.fold == fold),
            folder=self.folder / f"fold-{fold}",
            what=f"fold {fold + 1} of {folds}",
        )


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
    dataset_sha256 = sha256_of(dataset / "manifest.parquet")
    pretrained = _origin(config.weights)
    recipe = config_text(config.model_copy(update={"weights": pretrained})) + f"# dataset {dataset_sha256}\n"
    run = Run(
        name=name,
        config=config,
        manifest=manifest,
        dataset=dataset,
        dataset_sha256=dataset_sha256,
        pretrained=pretrained,
        resolved=recipe,
        folder=workspace.partial(target),
        tracking=workspace.tracking,
    )
    require_every_class(run)
    return run


def require_every_class(run: Run) -> None:
    """Refuse to learn what has no example.

    Raises:
        UserError: names the diagnoses that are missing where a network learns, or where its epoch is chosen; or there
            are no folds.
    """
    if not run.members:
        mend = "run cutis curate --again with this version, or set cross_validate=false"
        raise UserError("this dataset has no folds", where=str(run.dataset), mend=mend)
    for member in run.members:
        for cases, where in ((member.learning, "split train"), (member.tuning, "split tune")):
            there = set(cases.column("diagnosis"))
            missing = [code for code in run.manifest.taxonomy.codes if code not in there]
            if missing:
                mend = "leave these diagnoses out (leave_out in clinic.toml) or gather more, then cutis curate --again"
                place = f"{where.replace('split', member.what + ',')}" if member.what else where
                raise UserError(f"no case of {', '.join(missing)} to learn from", where=place, mend=mend)


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
    if not again and any(run.folder.rglob(f"{CHECKPOINTS}/*.safetensors")):
        mend = "give the recipe and dataset it began with to go on, add --again to start anew, or choose a --name"
        raise UserError(
            "an unfinished training by another recipe or dataset lies here", where=str(run.folder), mend=mend
        )
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    with written_aside(resolved) as aside:
        aside.write_text(run.resolved, encoding="utf-8")
