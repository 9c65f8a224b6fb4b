"""The course of a training: epoch after epoch, the best one kept, every few minutes a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.progress import say, track
from cutis.runtime.bundle import HISTORY
from cutis.stats.calibration import softmax
from cutis.stats.metrics import auc_by_diagnosis, log_losses
from cutis.train.ahead import ahead
from cutis.train.batches import Pictures, Step, steps_per_epoch, training_steps
from cutis.train.checkpoint import Place, load_checkpoint, save_checkpoint
from cutis.train.config import TrainConfig
from cutis.train.finish import forget_others, keep_best
from cutis.train.history import head_line, line_of, read_history, write_history
from cutis.train.imbalance import teaching_of
from cutis.train.loop import Heard, Learner, learn, listen_to
from cutis.train.optimise import learning_rate_at
from cutis.train.run import CHECKPOINTS
from cutis.vocabulary.errors import Stopped

Telling = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Course:
    """One network's way from its first step to its last."""

    config: TrainConfig
    learning: Pictures
    tuning: Pictures
    folder: Path  # where checkpoints, history and the best weights lie
    asked_to_stop: Callable[[], bool]
    tell: Telling  # hears of each epoch


def follow_course(course: Course, learner: Learner) -> Place:
    """Train to the last epoch, from the newest checkpoint where there is one; the best epoch's weights lie aside.

    Of several processes only the first one writes.

    Raises:
        Stopped: asked to; everything is saved, and the same command goes on.
    """
    place = load_checkpoint(course.folder / CHECKPOINTS, learner)
    learner.ranks.wait()  # until all have read, nobody writes
    history = read_history(course.folder / HISTORY, before=place.epoch)
    if place != Place():
        say(f"going on from epoch {place.epoch + 1}, step {place.step}")
    say(head_line())
    while not _is_over(place, course.config):
        begun = time.monotonic()
        place = _one_epoch(course, learner, place)
        heard = listen_to(course.tuning, learner.answering, batch_size=course.config.batch_size, ranks=learner.ranks)
        record = record_of(place, heard, course.config, seconds=time.monotonic() - begun)
        better = record["tune_macro_auc"] > place.best_score
        if better:
            place = replace(place, best_epoch=place.epoch, best_score=record["tune_macro_auc"])
        history.append(record)
        place = replace(place, epoch=place.epoch + 1, step=0, losses=())
        if learner.ranks.leads:
            _keep(course, learner, place, history, better=better)
        learner.ranks.wait()  # with a long patience: a slow disk is no lost process
        say(line_of(record, course.config.epochs, better=better))
        course.tell(record)
    return place


def _is_over(place: Place, config: TrainConfig) -> bool:
    waited = place.epoch - 1 - place.best_epoch
    return place.epoch >= config.epochs or bool(config.patience and place.epoch and waited >= config.patience)


def _keep(course: Course, learner: Learner, place: Place, history: list[dict[str, Any]], *, better: bool) -> None:
    if better:
        keep_best(course.folder, learner.answering, place.best_epoch)
    write_history(course.folder / HISTORY, history)
    save_checkpoint(course.folder / CHECKPOINTS, place, learner)
    forget_others(course.folder, place.best_epoch)


def _one_epoch(course: Course, learner: Learner, place: Place) -> Place:
    config, ranks = course.config, learner.ranks
    steps = steps_per_epoch(len(course.learning), config.batch_size, parts=ranks.world * config.accumulate)
    losses = learn(
        learner,
        _steps(course, learner, place),
        config,
        teaching_of(config, course.learning.counts, learner.device),
        epoch=place.epoch,
        start=place.step,
        steps_in_epoch=steps,
    )
    saved = time.monotonic()
    what = f"epoch {place.epoch + 1} of {config.epochs}"
    for loss in track(losses, what, total=steps, done=place.step):
        place = replace(place, step=place.step + 1, losses=(*place.losses, loss))
        late = ranks.leads and time.monotonic() - saved > 60 * config.minutes_between_checkpoints
        asked, due = ranks.total((float(course.asked_to_stop()), float(late)))
        if asked or due:
            if ranks.leads:
                save_checkpoint(course.folder / CHECKPOINTS, place, learner)
            ranks.wait()
            saved = time.monotonic()
        if asked:
            mend = "type the same command again to go on from here"
            raise Stopped("training was asked to stop", where=f"{what}, step {place.step} of {steps}", mend=mend)
    return place


def _steps(course: Course, learner: Learner, place: Place) -> Iterator[Step]:
    device = learner.device
    steps = training_steps(
        course.learning, course.config, epoch=place.epoch, start=place.step, device=device, ranks=learner.ranks
    )
    return steps if device.type == "cpu" else ahead(steps, device=device)


def record_of(place: Place, heard: Heard, config: TrainConfig, *, seconds: float) -> dict[str, Any]:
    """Return what is worth knowing of an epoch that was just learned: a line of the history."""
    *auxiliary, final = (softmax(logits, 1.0) for logits in heard.logits)
    return {
        "epoch": place.epoch + 1,
        "loss": float(np.mean(place.losses)),
        "tune_macro_auc": _macro_auc(final, heard.truth),
        "tune_log_loss": float(log_losses(final, heard.truth).mean()),
        "tune_accuracy": float((final.argmax(axis=1) == heard.truth).mean()),
        "tune_balanced_accuracy": _balanced_accuracy(final, heard.truth),
        "tune_macro_auc_auxiliary": [_macro_auc(said, heard.truth) for said in auxiliary],
        "learning_rate": learning_rate_at(place.epoch + 1, config),
        "seconds": round(seconds, 1),
    }


def _macro_auc(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    return float(np.nanmean(auc_by_diagnosis(probabilities, truth, np.ones((1, len(truth))))))


def _balanced_accuracy(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    right = probabilities.argmax(axis=1) == truth
    return float(np.mean([right[truth == kind].mean() for kind in np.unique(truth)]))
