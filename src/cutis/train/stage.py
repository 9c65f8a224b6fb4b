"""DATASET → BUNDLE."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from cutis.imaging.prepare import Preparation
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.runtime.bundle import Bundle
from cutis.train.batches import Pictures, open_pictures
from cutis.train.config import read_recipe
from cutis.train.course import follow_course
from cutis.train.finish import recall_best, write_bundle
from cutis.train.loop import accelerator_or_processor, listen_to
from cutis.train.run import Run, open_run, prepare_folder
from cutis.train.stopping import stop_when_asked
from cutis.vocabulary.chance import seed_of
from cutis.workspace import Finished, Workspace, alone_in, no_space_left_is_a_user_error


def train(
    workspace: Workspace,
    *,
    recipe: str = "pocket",
    settings: tuple[str, ...] = (),
    name: str | None = None,
    again: bool = False,
) -> Finished:
    """Train a network on the train split; choose its epoch, temperatures and thresholds on tune.

    Args:
        workspace: holds the dataset.
        recipe: a shipped recipe's name, or the path of a TOML file.
        settings: ``key=value`` strings that override the recipe.
        name: of the bundle; the recipe's name without it.
        again: make a new version where this bundle exists.

    Raises:
        UserError: no dataset, an impossible recipe, weights that cannot be had, or no space left.
        Stopped: asked to; the same command goes on.
    """
    config = read_recipe(recipe, settings)
    run = open_run(workspace, config, name=name or Path(recipe).stem, again=again)
    with alone_in(run.folder.parent):
        prepare_folder(run, again=again)
        return _train(workspace, run, again=again)


def _train(workspace: Workspace, run: Run, *, again: bool) -> Finished:
    config = run.config
    torch.manual_seed(seed_of(config.seed, "initial weights"))
    backbone = backbone_of(config.network, weights=config.weights, stochastic_depth=config.stochastic_depth)
    preparation = Preparation(size=config.size, mean=backbone.mean, std=backbone.std, resize=config.resize)
    network = Classifier(backbone, classes=len(run.manifest.taxonomy), dropout=config.dropout)
    network = network.to(accelerator_or_processor()).to(memory_format=torch.channels_last)
    with no_space_left_is_a_user_error(run.folder):
        learning, tuning = (_pictures(run, split, preparation, workspace) for split in ("train", "tune"))
        with stop_when_asked() as asked_to_stop:
            place = follow_course(run, network, learning, tuning, asked_to_stop=asked_to_stop)
        recall_best(run.folder, network, place.best_epoch)
        heard = listen_to(tuning, network, config)
        with workspace.new_version(workspace.bundle(run.name), again=again) as folder:
            bundle = write_bundle(folder, run, network, heard, preparation=preparation, best_epoch=place.best_epoch)
    shutil.rmtree(run.folder)
    return _finished(bundle, workspace.bundle(run.name), best_score=place.best_score)


def _pictures(run: Run, split: str, preparation: Preparation, workspace: Workspace) -> Pictures:
    cases = run.manifest.of_split(split)
    return open_pictures(run.dataset, cases, preparation, cache=workspace.cache, what=f"preparing {split} pictures")


def _finished(bundle: Bundle, wrote: Path, *, best_score: float) -> Finished:
    counts = bundle.dataset_counts
    return Finished(
        wrote=wrote,
        lines=(
            f"{bundle.architecture} with seven auxiliary classifiers, {bundle.parameters:,} parameters",
            f"learned from {counts['train']} cases; epoch {bundle.best_epoch} chosen on {counts['tune']} tune cases",
            f"tune macro AUC {best_score:.3f} (chosen on, so it flatters: cutis evaluate gives the honest number)",
            f"temperature {bundle.temperature:.2f}",
        ),
        facts={
            "name": bundle.name,
            "best_epoch": bundle.best_epoch,
            "tune_macro_auc": best_score,
            "temperature": bundle.temperature,
            "weights_sha256": bundle.weights_sha256,
            "parameters": bundle.parameters,
        },
        next_command=f"cutis evaluate {bundle.name}",
    )
