"""From the best weights to a bundle: what is fitted is fitted here, on the tune split."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import CONFIG, HISTORY, WEIGHTS, Bundle, Thresholds, write_description
from cutis.stats.calibration import THRESHOLD_RULE, answer_of, choose_speakers, choose_thresholds
from cutis.train.checkpoint import KEPT, save_tensors
from cutis.train.config import TrainConfig, config_text
from cutis.train.history import mean_history, read_history, write_history
from cutis.train.imbalance import class_weights
from cutis.train.loop import Heard
from cutis.train.run import Run
from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.files import sha256_of, stamp


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


class Trained(NamedTuple):
    """A member at the end of its course."""

    folder: Path  # where its best weights lie
    heard: Heard  # what these say of the cases that chose them
    best_epoch: int  # counted from 0
    best_score: float
    precision: str  # that it learned in


def write_bundle(folder: Path, run: Run, members: Sequence[Trained], *, preparation: Preparation) -> Bundle:
    """Fit temperatures, speakers and thresholds on what was said of the cases that chose, and write the bundle's files.

    After cross-validation these are all cases of train and tune, each heard by the member that had not learned from it.
    """
    _write_weights(folder / WEIGHTS, members)
    histories = [read_history(member.folder / HISTORY, before=run.config.epochs) for member in members]
    write_history(folder / HISTORY, mean_history(histories))
    shareable = {"weights": Path(run.config.weights).name, "precision": members[0].precision}  # no path of this machine
    (folder / CONFIG).write_text(config_text(run.config.model_copy(update=shareable)), encoding="utf-8")
    heard = _together([member.heard for member in members])
    most = len(heard.logits) if run.config.answer == "tune" else 1
    speakers = choose_speakers(heard.logits, heard.truth, most=most, weights=_weights(run.config, heard.truth))
    chances = answer_of(
        heard.logits[-speakers.speaking :],
        speakers.temperatures[-speakers.speaking :],
        temperature_of_mean=speakers.temperature_of_mean,
    )
    manifest = run.manifest
    bundle = Bundle(
        name=run.name,
        architecture=run.config.network,
        pretrained=run.pretrained,
        taxonomy=manifest.taxonomy,
        preparation=preparation,
        temperatures=speakers.temperatures,
        speaking=speakers.speaking,
        temperature_of_mean=speakers.temperature_of_mean,
        views=run.config.views,
        balanced=run.config.imbalance_strength if run.config.imbalance != "none" else 0.0,
        members=len(members),
        thresholds=Thresholds(
            rule=THRESHOLD_RULE,
            chosen_on="train and tune, out of fold" if run.config.cross_validate else "tune",
            values=tuple(map(float, choose_thresholds(chances, heard.truth))),
        ),
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
    made_from = {"manifest": run.dataset_sha256, "config": sha256_of(folder / CONFIG)}
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


def _weights(config: TrainConfig, truth: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return how much each case counts, so that the mix is the one that was taught; None where it is the archive's."""
    if config.imbalance == "none":
        return None
    return class_weights(np.bincount(truth), config.imbalance_strength)[truth]


def _parameters(weights: Path) -> int:
    """Count what was learned; running statistics of normalisation are measured, not learned."""
    measured = ("running_mean", "running_var", "num_batches_tracked")
    return sum(tensor.numel() for key, tensor in load_file(weights).items() if not key.endswith(measured))


def _together(heard: Sequence[Heard]) -> Heard:
    by_classifier = zip(*(each.logits for each in heard), strict=True)
    return Heard(
        logits=tuple(map(np.concatenate, by_classifier)),
        truth=np.concatenate([each.truth for each in heard]),
    )
