"""Diagnoses are unequally frequent: how much each counts, and how often each is shown."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cutis.train.config import TrainConfig
from cutis.train.loss import Teaching


def teaching_of(config: TrainConfig, counts: NDArray[np.int64], device: torch.device) -> Teaching:
    """Return how a recipe teaches an archive that has `counts` (K,) pictures of each diagnosis."""
    weighted, adjusted = (config.imbalance == way for way in ("weighted_loss", "logit_adjustment"))
    return Teaching(
        stage_weights=config.stage_weights,
        class_weights=_tensor(class_weights(counts, config.imbalance_strength), device) if weighted else None,
        log_prior=_tensor(config.imbalance_strength * np.log(counts / counts.sum()), device) if adjusted else None,
        focal_gamma=config.focal_gamma,
        label_smoothing=config.label_smoothing,
    )


def class_weights(counts: NDArray[np.int64], strength: float) -> NDArray[np.float64]:
    """Return a weight (K,) per diagnosis that falls with its frequency to the power of `strength`.

    Their mean over all pictures is 1, so that the loss keeps its size.
    """
    rarity = counts.astype(np.float64) ** -strength
    weights: NDArray[np.float64] = rarity * counts.sum() / (rarity @ counts)
    return weights


def order_of_epoch(
    diagnosis: NDArray[np.int64], config: TrainConfig, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return which pictures (N,) an epoch shows, in order: each once, or drawn so that rare diagnoses come as often.

    Args:
        diagnosis: (N,) index of each picture's diagnosis.
        config: says whether the sampler balances, and how strongly.
        generator: the chance of this epoch.
    """
    if config.imbalance != "balanced_sampler":
        return generator.permutation(len(diagnosis))
    share = class_weights(np.bincount(diagnosis), config.imbalance_strength)[diagnosis]
    return generator.choice(len(diagnosis), size=len(diagnosis), p=share / share.sum())


def _tensor(values: NDArray[np.float64], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(values).float().to(device)
