"""Several classifiers that answer as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from cutis.network.classifier import Classifier
from cutis.vocabulary.outputs import Outputs


class Ensemble(nn.Module):
    """Members of one architecture, such as those of a cross-validation, whose answers are averaged.

    Averages keep the promise of the maps: the mean of each is still its logit.
    """

    def __init__(self, members: Iterable[Classifier]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        if not self.members:
            message = "an ensemble needs a member"
            raise ValueError(message)

    def forward(self, images: Tensor) -> Outputs[Tensor]:
        """Classify pictures (N, 3, S, S); features are all members' side by side, (N, members · F)."""
        heard: list[Outputs[Tensor]] = [member(images) for member in self.members]
        maps = [each.maps for each in heard if each.maps is not None]
        return Outputs(
            logits=_mean([each.logits for each in heard]),
            auxiliary_logits=_mean_by_depth([each.auxiliary_logits for each in heard]),
            features=_side_by_side([each.features for each in heard]),
            maps=None if self.training or len(maps) < len(heard) else _mean_by_depth(maps),
            stage_features=tuple(
                _side_by_side(stage) for stage in zip(*(each.stage_features for each in heard), strict=True)
            ),
        )


def _mean_by_depth(members: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    return tuple(_mean(depth) for depth in zip(*members, strict=True))


def _side_by_side(features: Sequence[Tensor]) -> Tensor:
    return torch.cat(tuple(features), dim=1)


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(tuple(tensors)).mean(dim=0)
