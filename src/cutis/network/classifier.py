"""The paper's network, EfficientNet with an auxiliary classifier on each of its seven stages, and its rivals without.

Zhu et al. 2021 speak of "7 auxiliary classifiers to each of the intermediate layer groups".
EfficientNet has seven groups of blocks; one classifier on each is our reading of that sentence.
"""

from __future__ import annotations

from itertools import zip_longest

from torch import Tensor, nn

from cutis.network.auxiliary import MapClassifier
from cutis.network.backbone import Backbone
from cutis.vocabulary.outputs import Outputs


class Classifier(nn.Module):
    """Each stage hands its map to the next stage and to its own auxiliary classifier, where it has one.

    Without auxiliary classifiers nothing of them is built: no parameters, no outputs, and the final map alone.
    """

    def __init__(self, backbone: Backbone, *, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = backbone.stem
        self.stages = nn.ModuleList(backbone.stages)
        self.heads = nn.ModuleList(MapClassifier(channels, classes) for channels in backbone.stage_channels)
        self.neck = backbone.neck
        self.final = MapClassifier(backbone.features, classes, dropout=dropout)

    def forward(self, images: Tensor) -> Outputs[Tensor]:
        """Classify pictures (N, 3, S, S), prepared as the bundle says; in any memory format, fastest channels last."""
        feature_map = self.stem(images)
        heard = []
        for stage, head in zip_longest(self.stages, self.heads):
            feature_map = stage(feature_map)
            if head is not None:
                heard.append(head(feature_map))
        final = self.final(self.neck(feature_map))
        return Outputs(
            logits=final.logits,
            auxiliary_logits=tuple(each.logits for each in heard),
            features=final.features,
            maps=None if self.training else (*(each.map for each in heard), final.map),
            stage_features=tuple(each.features for each in heard),
        )
