"""From the best weights to a bundle: what is fitted is fitted here, on the tune split."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import CONFIG, HISTORY, WEIGHTS, Bundle, Thresholds, write_description
from cutis.stats.calibration import THRESHOLD_RULE, choose_thresholds, fit_temperature, softmax
from cutis.train.checkpoint import save_tensors
from cutis.train.config import config_text
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
    """Remove what earlier epochs set aside; called when a checkpoint holds that this epoch is the best."""
    for path in folder.glob("best-*.safetensors"):
        if path != best_weights(folder, epoch):
            path.unlink()


def recall_best(folder: Path, network: nn.Module, epoch: int) -> None:
    """Put the best weights back into the network."""
    network.load_state_dict(load_file(best_weights(folder, epoch)))


def write_bundle(
    folder: Path, run: Run, network: nn.Module, heard: Heard, *, preparation: Preparation, best_epoch: int
) -> Bundle:
    """Fit temperatures and thresholds on what the network said of tune, and write the bundle's files.

    `best_epoch` counts from 0; in the bundle the first epoch is 1.
    """
    shutil.copy(best_weights(run.folder, best_epoch), folder / WEIGHTS)
    shutil.copy(run.folder / HISTORY, folder / HISTORY)
    shareable = run.config.model_copy(update={"weights": Path(run.config.weights).name})  # no path of this machine
    (folder / CONFIG).write_text(config_text(shareable), encoding="utf-8")
    temperatures = tuple(fit_temperature(logits, heard.truth) for logits in heard.logits)
    manifest = run.manifest
    chances = softmax(heard.logits[-1], temperatures[-1])
    thresholds = choose_thresholds(chances, heard.truth)
    bundle = Bundle(
        name=run.name,
        architecture=run.config.network,
        pretrained=run.pretrained,
        taxonomy=manifest.taxonomy,
        preparation=preparation,
        temperatures=temperatures,
        thresholds=Thresholds(rule=THRESHOLD_RULE, chosen_on="tune", values=tuple(map(float, thresholds))),
        best_epoch=best_epoch + 1,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
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
