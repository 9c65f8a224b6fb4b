"""The loop, written out. It yields after every step; the caller logs, saves, or stops listening."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cutis.train.batches import Batch, Pictures, plain_batches
from cutis.train.config import TrainConfig
from cutis.train.loss import supervised_loss
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError


class Heard(NamedTuple):
    """What every classifier of the network says of one split, and the truth."""

    logits: tuple[NDArray[np.float32], ...]  # (N, K) for each auxiliary classifier and, last, the final one
    truth: NDArray[np.int64]  # (N,)


def new_optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019); what is a single vector (bias, normalisation) does not decay."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def learning_rate_at(progress: float, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine to zero, at `progress` epochs since the start."""
    if progress < config.warmup_epochs:
        return config.learning_rate * progress / config.warmup_epochs
    left = (config.epochs - progress) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.learning_rate * 0.5 * (1 - math.cos(math.pi * min(left, 1.0)))


def learn(
    network: nn.Module,
    batches: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    config: TrainConfig,
    *,
    epoch: int,
    start: int,
    steps: int,
) -> Iterator[float]:
    """Learn from the batches of one epoch, from step `start` of `steps` on; yield the loss after each step.

    Chance within a step (dropout, stochastic depth) is keyed by (seed, epoch, step), so that a run that was broken
    off and goes on draws what the unbroken run draws.

    Raises:
        UserError: the loss is not finite; names the batch's cases.
    """
    network.train()
    for step, batch in enumerate(batches, start=start):
        torch.manual_seed(seed_of(config.seed, "step", epoch, step))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(epoch + (step + 1) / steps, config)
        with _precision(batch.images.device, config):
            outputs = network(batch.images)
            loss = supervised_loss(
                outputs,
                batch.diagnosis,
                auxiliary_weight=config.auxiliary_weight,
                label_smoothing=config.label_smoothing,
            )
        value = loss.item()
        if not math.isfinite(value):
            where = f"epoch {epoch + 1}, step {step + 1}, cases {', '.join(batch.case_ids)}"
            raise UserError(f"the loss is {value}", where=where, mend="lower learning_rate, or look at these pictures")
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), max_norm=5.0)
        optimizer.step()
        yield value


def listen_to(pictures: Pictures, network: nn.Module, config: TrainConfig) -> Heard:
    """Run the network over a split in order, without learning, and in full precision as it will answer."""
    network.eval()
    device = next(network.parameters()).device
    said: list[list[Tensor]] = []
    with torch.inference_mode():
        for batch in plain_batches(pictures, config.batch_size * 2, device=device):
            outputs = network(batch.images)
            said.append([each.cpu() for each in (*outputs.auxiliary_logits, outputs.logits)])
    logits = tuple(torch.cat(each).numpy() for each in zip(*said, strict=True))
    return Heard(logits=logits, truth=pictures.diagnosis)


def accelerator_or_processor() -> torch.device:
    """Return where to compute on this machine."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _precision(device: torch.device, config: TrainConfig) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16")
