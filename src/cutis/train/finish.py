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
from cutis.train.config import TrainConfig, config_text
from cutis.train.loop import Heard
from cutis.train.run import Run
from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.files import sha256_of, stamp

BEST = "best.safetensors"


def keep_best(folder: Path, network: nn.Module) -> None:
    """Set the weights of the best epoch so far aside."""
    save_tensors(folder / BEST, network.state_dict(), {"stamp": json.dumps(stamp("weights"))})


def recall_best(folder: Path, network: nn.Module) -> None:
    """Put the best weights back into the network."""
    network.load_state_dict(load_file(folder / BEST))


def write_bundle(
    folder: Path, run: Run, network: nn.Module, heard: Heard, *, preparation: Preparation, best_epoch: int
) -> Bundle:
    """Fit temperatures and thresholds on what the network said of tune, and write the bundle's files."""
    shutil.copy(run.folder / BEST, folder / WEIGHTS)
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
        pretrained=_origin(run.config),
        taxonomy=manifest.taxonomy,
        preparation=preparation,
        temperatures=temperatures,
        thresholds=Thresholds(rule=THRESHOLD_RULE, chosen_on="tune", values=tuple(map(float, thresholds))),
        best_epoch=best_epoch,
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


def _origin(config: TrainConfig) -> str:
    return config.weights if config.weights in {"none", "imagenet"} else sha256_of(Path(config.weights))
