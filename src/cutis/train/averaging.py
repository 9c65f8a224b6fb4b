"""An average of the weights over the last steps, which often answers better than the last step's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


def twin_of(network: nn.Module) -> nn.Module:
    """Return a copy that only answers and is taught by nobody but `follow`."""
    return copy.deepcopy(network).requires_grad_(requires_grad=False).eval()


def follow(averaged: nn.Module, network: nn.Module, *, decay: float, step: int) -> None:
    """Move the averaged network towards the network by one step: weights and statistics alike.

    The decay rises from 0.1 to `decay` over the first steps, as in TensorFlow's ExponentialMovingAverage, so that the
    random weights of the start are forgotten soon.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    ours, theirs = averaged.state_dict(), network.state_dict()
    moving = [key for key, tensor in ours.items() if tensor.is_floating_point()]
    torch._foreach_lerp_([ours[key] for key in moving], [theirs[key] for key in moving], share)
    for key in ours.keys() - set(moving):
        ours[key].copy_(theirs[key])
