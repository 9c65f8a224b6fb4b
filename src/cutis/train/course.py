"""The course of a training: epoch after epoch, the best one kept, every few minutes a checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cutis.progress import say, spoken, track
from cutis.runtime.bundle import HISTORY
from cutis.stats.calibration import softmax
from cutis.stats.metrics import auc_by_diagnosis, log_losses
from cutis.train.batches import Pictures, steps_per_epoch, training_batches
from cutis.train.checkpoint import Place, load_checkpoint, save_checkpoint
from cutis.train.finish import forget_others, keep_best
from cutis.train.loop import Heard, learn, listen_to, new_optimizer
from cutis.train.run import CHECKPOINTS, Run
from cutis.vocabulary.errors import Stopped
from cutis.vocabulary.files import stamp, written_aside


def follow_course(
    run: Run, network: nn.Module, learning: Pictures, tuning: Pictures, *, asked_to_stop: Callable[[], bool]
) -> Place:
    """Train to the last epoch, from the newest checkpoint where there is one; the best epoch's weights lie aside.

    Raises:
        Stopped: asked to; everything is saved, and the same command goes on.
    """
    optimizer = new_optimizer(network, run.config)
    checkpoints = run.folder / CHECKPOINTS
    place = load_checkpoint(checkpoints, network, optimizer)
    history = read_history(run.folder / HISTORY, before=place.epoch)
    if place != Place():
        say(f"going on from epoch {place.epoch + 1}, step {place.step}")
    while place.epoch < run.config.epochs:
        begun = time.monotonic()
        place = _one_epoch(run, network, optimizer, learning, place, checkpoints=checkpoints, asked=asked_to_stop)
        heard = listen_to(tuning, network, run.config)
        record = _record(place, heard, seconds=time.monotonic() - begun)
        better = record["tune_macro_auc"] > place.best_score
        if better:
            keep_best(run.folder, network, place.epoch)
            place = replace(place, best_epoch=place.epoch, best_score=record["tune_macro_auc"])
        history.append(record)
        write_history(run.folder / HISTORY, history)
        _tell(record, run.config.epochs, better=better)
        place = replace(place, epoch=place.epoch + 1, step=0, losses=())
        save_checkpoint(checkpoints, place, network, optimizer)
        forget_others(run.folder, place.best_epoch)
    return place


def _one_epoch(
    run: Run,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    learning: Pictures,
    place: Place,
    *,
    checkpoints: Path,
    asked: Callable[[], bool],
) -> Place:
    config, device = run.config, next(network.parameters()).device
    steps = steps_per_epoch(learning, config.batch_size)
    batches = training_batches(learning, config, epoch=place.epoch, start=place.step, device=device)
    losses = learn(network, batches, optimizer, config, epoch=place.epoch, start=place.step, steps=steps)
    saved = time.monotonic()
    what = f"epoch {place.epoch + 1} of {config.epochs}"
    for loss in track(losses, what, total=steps, done=place.step):
        place = replace(place, step=place.step + 1, losses=(*place.losses, loss))
        due = time.monotonic() - saved > 60 * config.minutes_between_checkpoints
        if due or asked():
            save_checkpoint(checkpoints, place, network, optimizer)
            saved = time.monotonic()
        if asked():
            mend = "type the same command again to go on from here"
            raise Stopped("training was asked to stop", where=f"{what}, step {place.step} of {steps}", mend=mend)
    return place


def read_history(path: Path, *, before: int) -> list[dict[str, Any]]:
    """Return the records of the epochs before this one."""
    if not path.exists():
        return []
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [record for record in records if record["epoch"] <= before]


def write_history(path: Path, records: list[dict[str, Any]]) -> None:
    """Write the stamp and a line per epoch."""
    with written_aside(path) as aside:
        aside.write_text("".join(json.dumps(line) + "\n" for line in (stamp("history"), *records)), encoding="utf-8")


def _record(place: Place, heard: Heard, *, seconds: float) -> dict[str, Any]:
    *auxiliary, final = (softmax(logits, 1.0) for logits in heard.logits)
    return {
        "epoch": place.epoch + 1,
        "loss": float(np.mean(place.losses)),
        "tune_macro_auc": _macro_auc(final, heard.truth),
        "tune_log_loss": float(log_losses(final, heard.truth).mean()),
        "tune_accuracy": float((final.argmax(axis=1) == heard.truth).mean()),
        "tune_macro_auc_auxiliary": [_macro_auc(said, heard.truth) for said in auxiliary],
        "seconds": round(seconds, 1),
    }


def _macro_auc(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    return float(np.nanmean(auc_by_diagnosis(probabilities, truth, np.ones((1, len(truth))))))


def _tell(record: dict[str, Any], epochs: int, *, better: bool) -> None:
    left = record["seconds"] * (epochs - record["epoch"])
    say(
        f"epoch {record['epoch']} of {epochs}: loss {record['loss']:.3f}, on tune: "
        f"macro AUC {record['tune_macro_auc']:.3f}{' (best so far)' if better else ''}, "
        f"accuracy {record['tune_accuracy']:.3f}{f'; {spoken(left)} left' if left else ''}"
    )
