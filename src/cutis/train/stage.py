"""DATASET → BUNDLE."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr
from pathlib import Path
from statistics import fmean

from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import WITHOUT, Bundle
from cutis.train.answering import calibrate_pictures
from cutis.train.batches import Pictures, open_pictures
from cutis.train.config import read_recipe
from cutis.train.dry_run import Rehearsal, rehearse
from cutis.train.finish import write_bundle
from cutis.train.launch import launch
from cutis.train.member import learning_step, new_network, require_steps, shares, train_member, what_it_needs
from cutis.train.memory import available, require_memory
from cutis.train.ranks import Ranks, is_one_of_several, joined
from cutis.train.run import Run, open_run, prepare_folder
from cutis.train.stopping import stop_when_asked
from cutis.workspace import Finished, Workspace, alone_in, no_space_left_is_a_user_error

KEEPS = "{} holds a row of each training case: take it out before the bundle leaves the house"


def train(
    workspace: Workspace,
    *,
    recipe: str = "pocket",
    settings: tuple[str, ...] = (),
    name: str | None = None,
    again: bool = False,
    processes: int = 1,
    track: str | None = None,
) -> Finished | None:
    """Train a network on the train split; choose its epoch and thresholds on tune, sets and abstention on calibrate.

    With `cross_validate` in the recipe it is a network for each fold of both, each chosen on the fold that it lacks.

    Args:
        workspace: holds the dataset.
        recipe: a shipped recipe's name, or the path of a TOML file.
        settings: ``key=value`` strings that override the recipe.
        name: of the bundle; the recipe's name without it.
        again: make a new version where this bundle exists.
        processes: how many to start on this machine; where torchrun or SLURM has started several, this is one of them.
        track: "tensorboard" or "mlflow", to watch it there too.

    Returns:
        What was made; None in every process but the first of several.

    Raises:
        UserError: no dataset, an impossible recipe, weights that cannot be had, too little memory, no space left, or
            another process was lost.
        Stopped: asked to; the same command goes on.
    """
    given = {"recipe": recipe, "settings": settings, "name": name, "again": again, "track": track}
    if processes != 1 and not is_one_of_several():
        return launch(processes, train, workspace, **given)
    config = read_recipe(recipe, settings)
    run = open_run(workspace, config, name=name or Path(recipe).stem, again=again)
    with joined() as ranks, _quiet_unless_first(ranks), _alone_if_first(run, ranks):
        return _train(workspace, run, ranks, again=again, track=track)


def dry_run(
    workspace: Workspace,
    *,
    recipe: str = "pocket",
    settings: tuple[str, ...] = (),
    name: str | None = None,
    processes: int = 1,
) -> Rehearsal:
    """Tell what a training would take, from a few steps on noise: recipe, parameters, memory, time. Nothing is written.

    Raises:
        UserError: as `train` would.
    """
    config = read_recipe(recipe, settings)
    run = open_run(workspace, config, name=name or Path(recipe).stem, again=True)
    require_steps(run, processes)
    network, _ = new_network(config, len(run.manifest.taxonomy))
    need, room = what_it_needs(network, config), available(processes=processes)
    require_memory(need, available=room, **shares(config, processes))  # before anything is put there
    step, work = learning_step(run, network, processes=processes)
    return rehearse(step, config, work=work, need=need, available=room)


def _train(workspace: Workspace, run: Run, ranks: Ranks, *, again: bool, track: str | None) -> Finished | None:
    require_steps(run, ranks.world)
    network, preparation = new_network(run.config, len(run.manifest.taxonomy))  # what cannot be built is told first
    require_memory(
        what_it_needs(network, run.config),
        available=available(processes=ranks.world),
        **shares(run.config, ranks.world),
    )
    with no_space_left_is_a_user_error(run.folder):
        if ranks.leads:
            prepare_folder(run, again=again)
            calibrate_pictures(run)  # needed at the very end: what is missing is told now
            _open_pictures(run, preparation, workspace)  # decoded and checked once, while the others wait
        ranks.wait()
        pictures = _open_pictures(run, preparation, workspace, checked=True)
        with stop_when_asked() as asked_to_stop:
            members = [
                train_member(run, member, pictures, ranks, asked_to_stop=asked_to_stop, track=track)
                for member in run.members
            ]
        if not ranks.leads:
            return None
        with workspace.new_version(workspace.bundle(run.name), again=again) as folder:
            bundle = write_bundle(folder, run, members, preparation=preparation, pictures=pictures)
    shutil.rmtree(run.folder)
    return _finished(bundle, workspace.bundle(run.name), best_score=fmean(member.best_score for member in members))


def _open_pictures(run: Run, preparation: Preparation, workspace: Workspace, *, checked: bool = False) -> Pictures:
    return open_pictures(
        run.dataset,
        run.pictures,
        preparation,
        cache=workspace.cache,
        soft_labels=run.config.soft_labels,
        checked=checked,
    )


def _alone_if_first(run: Run, ranks: Ranks) -> AbstractContextManager[None]:
    return alone_in(run.folder.parent) if ranks.leads else nullcontext()


@contextmanager
def _quiet_unless_first(ranks: Ranks) -> Iterator[None]:
    """Let one process speak for all."""
    if ranks.leads:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        yield


def _finished(bundle: Bundle, wrote: Path, *, best_score: float) -> Finished:
    counts = bundle.dataset_counts
    all_but_a_fold = f"all but a fold of {counts['train'] + counts['tune']}"
    learned = counts["train"] if bundle.members == 1 else all_but_a_fold
    heads = f"with {bundle.auxiliary} auxiliary classifiers" if bundle.auxiliary else "without auxiliary classifiers"
    several = f"{bundle.members} networks of {bundle.architecture} {heads}" if bundle.members > 1 else ""
    epochs = ", ".join(map(str, bundle.best_epochs))
    speakers = f"last {bundle.speaking} classifiers answer" if bundle.speaking > 1 else "final classifier answers"
    return Finished(
        wrote=wrote,
        lines=(
            f"{several or f'{bundle.architecture} {heads}'}, {bundle.parameters:,} parameters",
            f"learned from {learned} cases; epoch {epochs} chosen on {bundle.thresholds.chosen_on}",
            f"tune macro AUC {best_score:.3f} (chosen on, so it flatters: cutis evaluate gives the honest number)",
            f"the {speakers}, temperature {bundle.temperature:.2f}",
            *(KEEPS.format(name) for name in sorted(WITHOUT) if (wrote / name).exists()),
        ),
        facts={
            "name": bundle.name,
            "best_epochs": list(bundle.best_epochs),
            "tune_macro_auc": best_score,
            "speaking": bundle.speaking,
            "temperature": bundle.temperature,
            "weights_sha256": bundle.weights_sha256,
            "parameters": bundle.parameters,
        },
        next_command=f"cutis evaluate {bundle.name}",
    )
