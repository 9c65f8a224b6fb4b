"""The loop, written out. It yields after every step; the caller logs, saves, or stops listening."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cutis.network.classifier import Classifier
from cutis.network.layers import normalisation_layers
from cutis.runtime.views import views_of
from cutis.train.augment import mix
from cutis.train.averaging import follow, twin_of
from cutis.train.batches import Batch, Pictures, Step, plain_batches
from cutis.train.config import TrainConfig
from cutis.train.loss import Teaching, supervised_losses
from cutis.train.optimise import new_optimizer, set_rates
from cutis.train.ranks import ALONE, Ranks
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A network with all that changes while it learns."""

    network: Classifier
    stepped: nn.Module  # the same network as training steps call it: shared among processes, or compiled
    averaged: nn.Module | None  # moving average of its weights, where the recipe wants one
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler  # keeps gradients in the range of fp16; elsewhere it does nothing
    precision: str
    ranks: Ranks

    @property
    def answering(self) -> nn.Module:
        """The weights that answer."""
        return self.averaged or self.network

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.network.parameters()).device


class Heard(NamedTuple):
    """What every classifier of the network says of N pictures, and the truth."""

    logits: tuple[NDArray[np.float32], ...]  # (N, K) for each auxiliary classifier and, last, the final one
    truth: NDArray[np.int64]  # (N,)


def new_learner(network: Classifier, config: TrainConfig, *, precision: str = "fp32", ranks: Ranks = ALONE) -> Learner:
    """Return a network ready to learn from its first step on."""
    shared = ranks.share(network)
    device = next(network.parameters()).device
    return Learner(
        network=network,
        stepped=torch.compile(shared) if config.compile else shared,  # type: ignore[arg-type]
        averaged=twin_of(network) if config.ema else None,
        optimizer=new_optimizer(network, config),
        scaler=torch.amp.GradScaler(device.type, enabled=precision == "fp16"),
        precision=precision,
        ranks=ranks,
    )


def learn(
    learner: Learner,
    steps: Iterable[Step],
    config: TrainConfig,
    teaching: Teaching,
    *,
    epoch: int,
    start: int,
    steps_in_epoch: int,
) -> Iterator[float]:
    """Learn from the steps of one epoch, from step `start` on; yield the mean loss after each.

    Chance within a step (dropout, stochastic depth, mixing) is keyed by (seed, epoch, step, part), so that a run that
    was broken off and goes on draws what the unbroken run draws.

    Raises:
        UserError: loss or gradient is not finite; names the cases, and leaves the weights as they were.
    """
    _ready_to_learn(learner.network, config)
    for number, step in enumerate(steps, start=start):
        set_rates(learner.optimizer, epoch + (number + 1) / steps_in_epoch, config)
        learner.optimizer.zero_grad()
        keys = (config.seed, "step", epoch, number)
        losses = [_part(learner, step, part, config, teaching, keys=keys) for part in range(len(step.parts))]
        learner.scaler.unscale_(learner.optimizer)
        slope = nn.utils.clip_grad_norm_(learner.network.parameters(), max_norm=config.clip)
        value = _agreed(learner, step, losses, slope, where=f"epoch {epoch + 1}, step {number + 1}")
        learner.scaler.step(learner.optimizer)
        learner.scaler.update()
        if learner.averaged is not None:
            follow(learner.averaged, learner.network, decay=config.ema, step=epoch * steps_in_epoch + number)
        yield value


def listen_to(
    pictures: Pictures, network: nn.Module, *, batch_size: int, views: int = 1, ranks: Ranks = ALONE
) -> Heard:
    """Run the network over pictures in order, without learning, and in full precision as it will answer.

    Each process hears its share; all of them return the whole.
    """
    ranks.align(network)
    network.eval()
    device = next(network.parameters()).device
    everyone = ALONE if len(pictures) < ranks.world else ranks  # so few are heard by each process
    mine = np.array_split(np.arange(len(pictures)), everyone.world)[everyone.rank]
    said: list[list[Tensor]] = []
    with torch.inference_mode():
        for batch in plain_batches(pictures, batch_size, at=mine, device=device):
            outputs = [network(view) for view in views_of(batch.images, views)]
            by_classifier = zip(*((*each.auxiliary_logits, each.logits) for each in outputs), strict=True)
            said.append([torch.stack(views).mean(dim=0).float().cpu() for views in by_classifier])
    logits = (torch.cat(each).numpy() for each in zip(*said, strict=True))
    return Heard(
        logits=tuple(np.concatenate(everyone.gather(each)) for each in logits),
        truth=pictures.diagnosis,
    )


def accelerator_or_processor(ranks: Ranks = ALONE) -> torch.device:
    """Return where to compute on this machine."""
    return torch.device("cuda", ranks.local_rank) if torch.cuda.is_available() else torch.device("cpu")


def _ready_to_learn(network: nn.Module, config: TrainConfig) -> None:
    network.train()
    if config.frozen_normalisation:
        for layer in normalisation_layers(network):
            layer.eval()


def _part(
    learner: Learner, step: Step, number: int, config: TrainConfig, teaching: Teaching, *, keys: tuple[int | str, ...]
) -> Tensor:
    """Add a part's share to the gradient, and return the losses (B,) of its pictures.

    Gradients are averaged over processes, so a process counts its pictures `world` times.
    """
    part = step.parts[number]
    seed = seed_of(*keys, number * learner.ranks.world + learner.ranks.rank)
    images, target = mix(part.images, part.target, config, seed=seed)
    torch.manual_seed(seed)
    last = number == len(step.parts) - 1
    with nullcontext() if last else learner.ranks.without_sharing(learner.stepped):
        with torch.autocast(
            images.device.type, dtype=PRECISIONS[learner.precision], enabled=learner.precision != "fp32"
        ):
            outputs = learner.stepped(images)
        losses = supervised_losses(outputs, target, teaching)
        share = losses.sum() * (learner.ranks.world / step.pictures)
        torch.autograd.backward(learner.scaler.scale(share))
    return losses.detach()


def _agreed(learner: Learner, step: Step, losses: list[Tensor], slope: Tensor, *, where: str) -> float:
    """Return the mean loss of a step over all processes, or stop on each of them where it is not finite.

    A gradient that is not finite stops too, unless its scaler is there to leave such steps out.

    Raises:
        UserError: names the cases whose loss is not finite, whichever process had them, or all where the gradient is.
    """
    ranks = learner.ranks
    mine, steep = torch.stack([torch.cat(losses).double().sum(), slope.double()]).tolist()
    broken = _broken_cases(step.parts, losses) if not math.isfinite(mine) else []
    if not broken and not math.isfinite(steep) and not learner.scaler.is_enabled():
        broken = [case_id for part in step.parts for case_id in part.case_ids]
    total, elsewhere = ranks.total((0.0 if broken else mine, float(bool(broken))))
    if elsewhere:
        told = ranks.gather(np.frombuffer(", ".join(broken).encode(), dtype=np.uint8))
        cases = ", ".join(filter(None, (each.tobytes().decode() for each in told)))
        mend = "lower learning_rate, try precision=fp32, or look at these pictures"
        raise UserError("loss or gradient is not a finite number", where=f"{where}, cases {cases}", mend=mend)
    return total / step.pictures


def _broken_cases(parts: tuple[Batch, ...], losses: list[Tensor]) -> list[str]:
    pairs = (pair for part, loss in zip(parts, losses, strict=True) for pair in zip(part.case_ids, loss, strict=True))
    return [case_id for case_id, loss in pairs if not math.isfinite(float(loss))]
