"""One network, from its first step to its best."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from cutis.imaging.prepare import Preparation
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.progress import say
from cutis.runtime.allocator import keep_freed_memory
from cutis.train.answering import Trained
from cutis.train.batches import Batch, Pictures, Step, chosen_from, steps_per_epoch
from cutis.train.config import TrainConfig
from cutis.train.course import Course, follow_course
from cutis.train.dry_run import Work
from cutis.train.finish import recall_best
from cutis.train.imbalance import teaching_of
from cutis.train.loop import accelerator_or_processor, learn, listen_to, new_learner
from cutis.train.memory import FULL, Need, available, need_of, out_of_memory_is_a_user_error
from cutis.train.precision import fastest_precision, settled_precision
from cutis.train.ranks import Ranks
from cutis.train.run import Member, Run
from cutis.train.trackers import tracked
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError


def new_network(config: TrainConfig, classes: int) -> tuple[Classifier, Preparation]:
    """Return the network of a recipe as its seed begins it, and how pictures are prepared for it.

    Raises:
        UserError: it cannot be built, or its weights cannot be had.
    """
    keep_freed_memory()
    torch.manual_seed(seed_of(config.seed, "initial weights"))
    backbone = backbone_of(
        config.network,
        weights=config.weights,
        stochastic_depth=config.stochastic_depth,
        auxiliary=bool(config.stage_weights),
        size=config.size,
    )
    preparation = Preparation(size=config.size, mean=backbone.mean, std=backbone.std, resize=config.resize)
    return Classifier(backbone, classes=classes, dropout=config.dropout), preparation


def require_steps(run: Run, processes: int) -> None:
    """Refuse a recipe whose steps have too few pictures, or of which an epoch has none.

    Raises:
        UserError: says which batch size would do.
    """
    config, parts = run.config, processes * run.config.accumulate
    least = parts if config.frozen_normalisation else 2 * parts  # two, to normalise by what they have in common
    if config.batch_size < least:
        what = f"a step of {config.batch_size} pictures cannot be shared in {parts} parts"
        mend = f"set batch_size={least} or more, fewer processes, or a smaller accumulate"
        raise UserError(what, where="batch_size of the recipe", mend=mend)
    fewest = min(len(member.learning) for member in run.members)
    if not steps_per_epoch(fewest, config.batch_size, parts=parts):
        what = f"{fewest} pictures to learn from are fewer than one step needs"
        raise UserError(what, where="split train", mend="gather more, or share a step in fewer parts")


def what_it_needs(network: Classifier, config: TrainConfig) -> Need:
    """Return the memory that a step takes."""
    bytes_per_number = FULL if config.precision in {"fp32", "auto"} else FULL // 2
    return need_of(network, size=config.size, ema=bool(config.ema), bytes_per_number=bytes_per_number)


def shares(config: TrainConfig, processes: int) -> dict[str, int]:
    """Return how a step is shared out."""
    return {"batch_size": config.batch_size, "accumulate": config.accumulate, "processes": processes}


def train_member(
    run: Run,
    member: Member,
    pictures: Pictures,
    ranks: Ranks,
    *,
    asked_to_stop: Callable[[], bool],
    track: str | None,
) -> Trained:
    """Train one network to its end, from where it was broken off, and let its best epoch speak of what chose it.

    Raises:
        UserError: memory ran out, or the loss is not finite.
        Stopped: asked to; everything is saved.
    """
    config = member.config
    if ranks.leads:
        member.folder.mkdir(exist_ok=True)
    if member.what:
        say(f"training {member.what}")
    network = _placed(new_network(config, len(run.manifest.taxonomy))[0], accelerator_or_processor(ranks))
    need, room = what_it_needs(network, config), available(processes=ranks.world)
    with (
        tracked(track if ranks.leads else None, run.tracking, _called(run, member), config.model_dump()) as tell,
        out_of_memory_is_a_user_error(need, available=room, **shares(config, ranks.world)),
    ):
        precision = settled_precision(run.folder, network, config, ranks=ranks)
        learner = new_learner(network, config, precision=precision, ranks=ranks)
        course = Course(
            config=config,
            learning=chosen_from(pictures, member.learning),
            tuning=chosen_from(pictures, member.tuning),
            folder=member.folder,
            asked_to_stop=asked_to_stop,
            tell=tell,
        )
        place = follow_course(course, learner)
        ranks.wait()  # until the first process has set the best weights aside
        recall_best(member.folder, network, place.best_epoch)
        heard = listen_to(course.tuning, network, batch_size=config.batch_size, views=config.views, ranks=ranks)
    return Trained(member.folder, heard, course.tuning.case_ids, place.best_epoch, place.best_score, precision)


def learning_step(run: Run, network: Classifier, *, processes: int) -> tuple[Callable[[], object], Work]:
    """Return a step on noise as one of so many processes takes it, all weights learning, and how many there are."""
    config, learning, tuning = run.config, run.members[0].learning, run.members[0].tuning
    placed = _placed(network, accelerator_or_processor())
    measured = config.precision == "auto"
    precision = fastest_precision(placed, config, processes=processes)[0] if measured else config.precision
    learner = new_learner(placed, config, precision=precision)
    classes = len(run.manifest.taxonomy)
    teaching = teaching_of(config, np.ones(classes, dtype=np.int64), learner.device)
    parts = tuple(_noise(size, config, classes, learner.device) for size in _parts(config, processes))
    step = Step(parts=parts, pictures=config.batch_size)
    steps = steps_per_epoch(len(learning), config.batch_size, parts=processes * config.accumulate)
    epoch = math.ceil(config.frozen_epochs)

    def once() -> object:
        return list(learn(learner, [step], config, teaching, epoch=epoch, start=0, steps_in_epoch=max(steps, 1)))

    work = Work(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        steps=steps,
        tuning=len(tuning),
        members=len(run.members),
        processes=processes,
    )
    return once, work


def _placed(network: Classifier, device: torch.device) -> Classifier:
    return network.to(device).to(memory_format=torch.channels_last)


def _parts(config: TrainConfig, processes: int) -> list[int]:
    """Return how many pictures each part has that the first process computes."""
    parts = np.array_split(np.arange(config.batch_size), processes * config.accumulate)
    return [len(part) for part in parts[::processes]]


def _noise(pictures: int, config: TrainConfig, classes: int, device: torch.device) -> Batch:
    images = torch.rand(pictures, 3, config.size, config.size, device=device)
    target = torch.full((pictures, classes), 1 / classes, device=device)
    return Batch(images.contiguous(memory_format=torch.channels_last), target, ("noise",) * pictures)


def _called(run: Run, member: Member) -> str:
    return f"{run.name}-{member.folder.name}" if member.what else run.name
