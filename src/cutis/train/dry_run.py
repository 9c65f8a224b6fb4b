"""A rehearsal: a few steps on noise tell what a training will take; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from cutis.progress import say
from cutis.train.config import TrainConfig, config_text
from cutis.train.memory import Need, out_of_memory_is_a_user_error, require_memory, spoken_bytes

STEPS = 5  # that are measured after a first one, which also prepares the libraries
PATIENCE = 60.0  # seconds after which no further step begins
LISTENING = 1 / 3  # of a training step's time for each picture: one pass forward, none backward
MINUTE, HOUR, DAY = 60, 3600, 86400
SOME = 2  # of a unit from which it is the better one to say


@dataclass(frozen=True, kw_only=True)
class Work:
    """How much there is to do."""

    parameters: int
    steps: int  # of an epoch
    tuning: int  # pictures that are listened to after each
    members: int = 1  # networks that are trained one after another
    processes: int = 1  # that share each step


class Rehearsal(NamedTuple):
    """What there is to tell, to a person and to a program."""

    lines: tuple[str, ...]
    facts: dict[str, Any]


def rehearse(step: Callable[[], object], config: TrainConfig, *, work: Work, need: Need, available: int) -> Rehearsal:
    """Measure a few steps, and tell what the whole training will take.

    Args:
        step: learns once from as many pictures as the recipe says, with every weight learning, and returns when the
            work is done.
        config: the resolved recipe.
        work: how often that is repeated.
        need: memory that it takes.
        available: bytes that are free for each process.

    Raises:
        UserError: memory cannot hold a step.
    """
    shares = {"batch_size": config.batch_size, "accumulate": config.accumulate, "processes": work.processes}
    require_memory(need, available=available, **shares)
    with out_of_memory_is_a_user_error(need, available=available, **shares):
        seconds = _seconds_of(step, config.batch_size)
    listening = work.tuning * seconds / config.batch_size * LISTENING
    epoch = work.steps * seconds + listening
    at_the_end = listening * config.views
    at_once = -(-config.batch_size // (work.processes * config.accumulate))
    facts = {
        "recipe": config.model_dump(),
        "parameters": work.parameters,
        "bytes_needed": need.total(at_once),
        "bytes_free": available,
        "pictures_at_once": at_once,
        "pictures_that_fit": need.fits(available),
        "steps_per_epoch": work.steps,
        "seconds_per_step": seconds,
        "seconds_per_epoch": epoch,
        "seconds": (epoch * config.epochs + at_the_end) * work.members,
    }
    return Rehearsal(lines=(*config_text(config).splitlines(), "", *_told(facts, config, work)), facts=facts)


def _seconds_of(step: Callable[[], object], pictures: int) -> float:
    """Return the seconds of a step: the median of a few, or the first where it takes long."""
    say(f"measuring a step of {pictures} pictures; nothing is written")
    begun = time.monotonic()
    first = _timed(step)
    say(f"the first took {spoken_time(first)}")
    measured: list[float] = []
    while len(measured) < STEPS and time.monotonic() - begun + first < PATIENCE:
        measured.append(_timed(step))
    return median(measured or [first])


def _timed(step: Callable[[], object]) -> float:
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


def _told(facts: dict[str, Any], config: TrainConfig, work: Work) -> tuple[str, ...]:
    needed, free = (spoken_bytes(facts[key]) for key in ("bytes_needed", "bytes_free"))
    step, epoch, whole = (spoken_time(facts[f"seconds{each}"]) for each in ("_per_step", "_per_epoch", ""))
    several = f"{work.members} networks of {config.epochs} epochs" if work.members > 1 else f"{config.epochs} epochs"
    fewer = ", or less, by patience" if config.patience else ""
    fit = f"{free} are free; {facts['pictures_that_fit']} would fit"
    return (
        f"{config.network}, {work.parameters:,} parameters",
        f"memory: about {needed} for {facts['pictures_at_once']} pictures at once, {fit}",
        f"time: {step} a step, {work.steps} steps and about {epoch} an epoch",
        f"in all about {whole} for {several}{fewer}; reading the pictures comes on top",
    )


def spoken_time(seconds: float) -> str:
    """Say roughly how long, as people do: "0.84 s", "45 s", "12 min", "14 h", "3.2 days"."""
    if seconds < SOME:
        return f"{seconds:.2f} s"
    if seconds < SOME * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < SOME * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.0f} h" if seconds < SOME * DAY else f"{seconds / DAY:.1f} days"
