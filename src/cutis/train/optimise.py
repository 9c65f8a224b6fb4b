"""Which weights learn how fast, and when."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from cutis.network.classifier import Classifier
from cutis.network.layers import depth_of
from cutis.train.config import TrainConfig


def new_optimizer(network: Classifier, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019), with a rate that falls with depth (Clark et al. 2020, ELECTRA).

    What is a single vector (bias, normalisation) does not decay. A group's `scale` is its share of the learning rate,
    and `learns_from` the epoch at which it begins to learn.
    """
    depths = depth_of(network)
    deepest = max(depths.values())
    groups: defaultdict[tuple[int, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups[depths[name], parameter.ndim > 1].append(parameter)
    described: list[dict[str, Any]] = [
        {
            "params": parameters,
            "weight_decay": config.weight_decay if decays else 0.0,
            "scale": config.layer_decay ** (deepest - depth),
            "learns_from": 0.0 if depth == deepest else config.frozen_epochs,
        }
        for (depth, decays), parameters in sorted(groups.items(), key=lambda group: group[0])
    ]
    return torch.optim.AdamW(described, lr=config.learning_rate, fused=True)


def set_rates(optimizer: torch.optim.Optimizer, progress: float, config: TrainConfig) -> None:
    """Give each group its learning rate at `progress` epochs since the start."""
    rate = learning_rate_at(progress, config)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"] if progress > group["learns_from"] else 0.0


def learning_rate_at(progress: float, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine to zero (Loshchilov & Hutter 2017), at `progress` epochs since the start."""
    if progress < config.warmup_epochs:
        return config.learning_rate * progress / config.warmup_epochs
    left = (config.epochs - progress) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.learning_rate * 0.5 * (1 - math.cos(math.pi * min(left, 1.0)))
