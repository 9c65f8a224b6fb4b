"""What the network is taught by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cutis.vocabulary.outputs import Outputs


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """How much each answer counts. K diagnoses."""

    stage_weights: tuple[float, ...] = ()  # of each auxiliary classifier's loss beside the final one's 1
    class_weights: Tensor | None = None  # (K,), whose mean over the archive is 1
    log_prior: Tensor | None = None  # (K,), added to what is said while learning, never to an answer
    focal_gamma: float = 0.0
    label_smoothing: float = 0.0


def supervised_losses(outputs: Outputs[Tensor], target: Tensor, teaching: Teaching) -> Tensor:
    """Return the loss of each picture (N,): the final classifier's plus that of each auxiliary one, weighted.

    This is deep supervision (Lee et al. 2015, Deeply-Supervised Nets). It is a value per picture and no mean, so that
    a step that is computed in parts sums to the step that is computed at once.

    Args:
        outputs: logits (N, K) of the final and of each auxiliary classifier.
        target: (N, K) probability of each diagnosis; rows sum to one.
        teaching: how much each of them counts.
    """
    smoothed = target * (1 - teaching.label_smoothing) + teaching.label_smoothing / target.shape[1]
    losses = answer_losses(outputs.logits, smoothed, teaching)
    if not teaching.stage_weights:
        return losses
    for weight, logits in zip(teaching.stage_weights, outputs.auxiliary_logits, strict=True):
        # One of weight 0 as well: processes that share a step expect a gradient of every parameter.
        losses = losses + weight * answer_losses(logits, smoothed, teaching)
    return losses


def answer_losses(logits: Tensor, target: Tensor, teaching: Teaching) -> Tensor:
    """Return the cross-entropy (N,) of one classifier's logits (N, K).

    With `log_prior` it is the logit-adjusted loss (Menon et al., ICLR 2021); with `focal_gamma` what is known already
    counts less (Lin et al., ICCV 2017).
    """
    adjusted = logits.float() if teaching.log_prior is None else logits.float() + teaching.log_prior
    log_chances = functional.log_softmax(adjusted, dim=1)
    costs = -log_chances
    if teaching.focal_gamma:
        costs = costs * (1 - log_chances.exp()).clamp_min(1e-6).pow(teaching.focal_gamma)
    if teaching.class_weights is not None:
        costs = costs * teaching.class_weights
    return torch.sum(target * costs, dim=1)
