"""Changes of a picture that keep its diagnosis: how the dermatoscope was held, and its light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cutis.train.config import TrainConfig
from cutis.vocabulary.chance import chance


class Changes(NamedTuple):
    """How each of N pictures is changed."""

    placing: Tensor  # (N, 2, 3), affine, from output to input places in −1..1
    gain: Tensor  # (N, 3, 1, 1), factor on each colour channel
    contrast: Tensor  # (N, 1, 1, 1), factor around the picture's own mean


def draw_changes(names: Sequence[str], epoch: int, config: TrainConfig) -> Changes:
    """Draw the changes of N pictures in this epoch: the same for a name wherever it stands in whichever batch."""
    draws = np.stack([chance(config.seed, "augment", epoch, name).uniform(-1, 1, size=10) for name in names])
    turn, zoom, across, down, mirror, brightness, contrast, *_ = draws.T
    angle = np.deg2rad(config.rotation_degrees * turn)
    scale = 1 + config.zoom * zoom
    flip = np.where(mirror < 0, -1.0, 1.0)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    placing = np.stack(
        [
            np.stack([cosine * flip, -sine, config.shift * 2 * across], axis=1),
            np.stack([sine * flip, cosine, config.shift * 2 * down], axis=1),
        ],
        axis=1,
    )
    gain = (1 + config.light * brightness[:, None]) * (1 + config.white_balance * draws[:, 7:10])
    return Changes(
        placing=torch.from_numpy(placing).float(),
        gain=torch.from_numpy(gain).float()[:, :, None, None],
        contrast=torch.from_numpy(1 + config.light * contrast).float()[:, None, None, None],
    )


def apply_changes(pictures: Tensor, changes: Changes) -> Tensor:
    """Change pictures (N, 3, S, S) in 0..1; what comes into view from outside is mirrored skin, never black."""
    moved = functional.grid_sample(
        pictures.contiguous(memory_format=torch.channels_last),
        _places(changes.placing, pictures.shape[-1]),
        padding_mode="reflection",
        align_corners=False,
    )
    mean = moved.mean(dim=(1, 2, 3), keepdim=True)
    return moved.sub_(mean).mul_(changes.contrast).add_(mean).mul_(changes.gain).clamp_(0, 1)


def _places(placing: Tensor, size: int) -> Tensor:
    """Where each pixel comes from (N, S, S, 2): what `affine_grid` gives, twenty times faster on a CPU."""
    line = (2 * torch.arange(size, device=placing.device, dtype=placing.dtype) + 1) / size - 1
    across, down, shift = placing[:, None, None].unbind(dim=-1)  # (N, 1, 1, 2) each
    return across * line[None, None, :, None] + down * line[None, :, None, None] + shift
