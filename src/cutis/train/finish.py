"""From the best weights to a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import CONFIG, HISTORY, OUT_OF_FOLD, WEIGHTS, Bundle, write_description
from cutis.train.answering import Trained, answering_of, out_of_fold, seen_by, trusted
from cutis.train.batches import Pictures
from cutis.train.checkpoint import KEPT, save_tensors
from cutis.train.config import config_text
from cutis.train.history import mean_history, read_history, write_history
from cutis.train.likeness import with_similar_cases
from cutis.train.run import Run
from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.files import sha256_of, stamp
from cutis.vocabulary.predictions import write_predictions


def best_weights(folder: Path, epoch: int) -> Path:
    """Return where the weights of an epoch lie that was the best so far."""
    return folder / f"best-{epoch:05d}.safetensors"


def keep_best(folder: Path, network: nn.Module, epoch: int) -> None:
    """Set the weights of the best epoch so far aside."""
    save_tensors(best_weights(folder, epoch), network.state_dict(), {"stamp": json.dumps(stamp("weights"))})


def forget_others(folder: Path, epoch: int) -> None:
    """Remove what earlier epochs set aside; called when a checkpoint holds that this epoch is the best.

    The best before it stays as well: the checkpoint before the last one may name it.
    """
    there = sorted(folder.glob("best-*.safetensors"))
    kept = [path for path in there if path <= best_weights(folder, epoch)][-KEPT:]
    for path in there:
        if path not in kept:
            path.unlink()


def recall_best(folder: Path, network: nn.Module, epoch: int) -> None:
    """Put the best weights back into the network."""
    network.load_state_dict(load_file(best_weights(folder, epoch)))


def write_bundle(
    folder: Path, run: Run, members: Sequence[Trained], *, preparation: Preparation, pictures: Pictures
) -> Bundle:
    """Make the best weights answer, and write the bundle's files.

    What is said of the cases that chose gives temperatures, speakers, recalibration and thresholds; after
    cross-validation these are all cases of train and tune, each heard by the member that had not learned from it. Then
    the bundle answers calibrate, which gives prediction sets and abstention, and keeps what it learned from, so that
    similar cases can be shown.

    Args:
        folder: empty.
        run: what was trained.
        members: its networks at the end of their course.
        preparation: of pictures.
        pictures: all that any member learned from or was chosen by.
    """
    _write_weights(folder / WEIGHTS, members)
    histories = [read_history(member.folder / HISTORY, before=run.config.epochs) for member in members]
    write_history(folder / HISTORY, mean_history(histories))
    shareable = {"weights": Path(run.config.weights).name, "precision": members[0].precision}  # no path of this machine
    (folder / CONFIG).write_text(config_text(run.config.model_copy(update=shareable)), encoding="utf-8")
    manifest, answering = run.manifest, answering_of(run, members)
    bundle = Bundle(
        name=run.name,
        architecture=run.config.network,
        pretrained=run.pretrained,
        taxonomy=manifest.taxonomy,
        preparation=preparation,
        temperatures=answering.speakers.temperatures,
        speaking=answering.speakers.speaking,
        temperature_of_mean=answering.speakers.temperature_of_mean,
        recalibration=answering.recalibration,
        views=run.config.views,
        balanced=run.config.imbalance_strength if run.config.imbalance != "none" else 0.0,
        mix=answering.mix,
        members=len(members),
        thresholds=answering.thresholds,
        best_epochs=tuple(member.best_epoch + 1 for member in members),
        parameters=_parameters(folder / WEIGHTS),
        dataset_sha256=run.dataset_sha256,
        dataset_counts={split: len(manifest.of_split(split)) for split in SPLITS},
        cluster_kind=manifest.cluster_kind,
        source=manifest.source,
        licence=manifest.licence,
        invented=manifest.invented,
        weights_sha256=sha256_of(folder / WEIGHTS),
        folder=folder,
    )
    seen = seen_by(bundle, run, pictures)
    bundle = trusted(bundle, run, seen)
    if run.config.similar_cases:
        bundle = with_similar_cases(bundle, run, seen, pictures=pictures)
    made_from = {"manifest": run.dataset_sha256, "config": sha256_of(folder / CONFIG)}
    if len(members) > 1:
        write_predictions(folder / OUT_OF_FOLD, out_of_fold(run, members, answering), made_from=made_from)
    write_description(folder, bundle, made_from=made_from)
    return bundle


def _write_weights(path: Path, members: Sequence[Trained]) -> None:
    """Write the best weights; of several members in one file, each under its number, as `Ensemble` calls them."""
    files = [best_weights(member.folder, member.best_epoch) for member in members]
    if len(files) == 1:
        shutil.copy(files[0], path)
        return
    tensors = {
        f"members.{number}.{key}": tensor
        for number, file in enumerate(files)
        for key, tensor in load_file(file).items()
    }
    save_tensors(path, tensors, {"stamp": json.dumps(stamp("weights"))})


def _parameters(weights: Path) -> int:
    """Count what was learned; running statistics of normalisation are measured, not learned."""
    measured = ("running_mean", "running_var", "num_batches_tracked")
    return sum(tensor.numel() for key, tensor in load_file(weights).items() if not key.endswith(measured))
