"""The classifier that listens to one stage."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional


class Heard(NamedTuple):
    """What one classifier says of a feature map."""

    logits: Tensor  # (N, K)
    features: Tensor  # (N, C), the pooled map
    map: Tensor | None  # (N, K, h, w), whose mean over the places is the logits; None while training


class MapClassifier(nn.Module):
    """Average over places, then one linear layer.

    Because both are linear their order can be changed: the layer applied at every place gives a class activation
    map (Zhou et al. 2016) whose mean is exactly the logit. The map costs no second pass and no hook.
    """

    def __init__(self, channels: int, classes: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, classes)
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)

    def forward(self, feature_map: Tensor) -> Heard:
        """Classify a feature map (N, C, h, w)."""
        features = feature_map.mean(dim=(2, 3))
        logits = self.linear(self.dropout(features))
        if self.training:
            return Heard(logits, features, None)
        weight = self.linear.weight[:, :, None, None]
        return Heard(logits, features, functional.conv2d(feature_map, weight, self.linear.bias))
