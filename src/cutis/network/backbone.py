"""A network of timm without its classifier: an EfficientNet cut into seven stages, or any other in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from cutis.network.layout import layout_of
from cutis.network.twin import build, twin_of
from cutis.network.weights import load_weights
from cutis.vocabulary.errors import UserError

STAGES = 7


class Backbone(NamedTuple):
    """A feature extractor in its parts, with what must be known to feed it."""

    stem: nn.Module  # (N, 3, S, S) → (N, C₀, S/2, S/2); all of a network that is not cut into stages
    stages: tuple[nn.Module, ...]  # seven groups of blocks, or none
    stage_channels: tuple[int, ...]  # channels that each stage hands to its auxiliary classifier, where it has one
    neck: nn.Module  # deepest map → (N, F, h, w)
    features: int  # F, width of the last hidden layer
    mean: tuple[float, float, float]  # of the pictures it was trained on, 0..1
    std: tuple[float, float, float]


def backbone_of(
    architecture: str,
    *,
    weights: str = "none",
    stochastic_depth: float = 0.0,
    auxiliary: bool = True,
    size: int | None = None,
) -> Backbone:
    """Build the parts of a network of timm.

    Seven stages are cut alike with and without auxiliary classifiers, so that their parameters have the same names.
    A layer that timm has between average and classifier (MobileNetV3, ConvNeXt) works on the map here, and the average
    comes last.

    Args:
        architecture: a timm name. For auxiliary classifiers its network must have stem, seven groups of blocks and a
            neck: ``efficientnet_b0`` … ``efficientnet_b7``, ``mobilenetv2_100`` and their variants.
        weights: ``"none"``, ``"imagenet"`` (timm's own, from the hub), or the path of a safetensors file with
            timm's keys.
        stochastic_depth: probability of skipping the deepest residual block while training.
        auxiliary: whether every stage is to have a classifier of its own.
        size: pixels a side. A network made for one size only (ViT, Swin) is made for this one, or for timm's.

    Raises:
        UserError: an unknown architecture, one without seven stages where they are needed or without a feature map,
            a size or stochastic depth that it cannot take, or weights that cannot be had or do not fit.
    """
    twin = twin_of(architecture, stochastic_depth=stochastic_depth, size=size)
    staged = _has_seven_stages(twin.network)
    if auxiliary and not staged:
        mend = (
            "use efficientnet_b0 … efficientnet_b7 or mobilenetv2_100; "
            "with --set auxiliary_weight=0 any network of timm is trained, without auxiliary classifiers"
        )
        raise UserError(f"{architecture} is not built of seven stages", where="network of the recipe", mend=mend)
    layout = None if staged else layout_of(twin, size=size)
    network = build(architecture, twin.options, pretrained=weights == "imagenet")
    mean, std = network.default_cfg["mean"], network.default_cfg["std"]
    if weights not in {"none", "imagenet"}:
        mean, std = load_weights(network, Path(weights)) or (mean, std)
    if layout is None:
        return _in_seven_stages(network, auxiliary=auxiliary, mean=tuple(mean), std=tuple(std))
    network.reset_classifier(0, "")
    return Backbone(network, (), (), layout.neck, layout.features, tuple(mean), tuple(std))


def _has_seven_stages(network: nn.Module) -> bool:
    return len(getattr(network, "blocks", ())) == STAGES and hasattr(network, "conv_head") and hasattr(network, "bn2")


def _in_seven_stages(network: Any, *, auxiliary: bool, mean: Any, std: Any) -> Backbone:
    stages = tuple(network.blocks)
    return Backbone(
        stem=nn.Sequential(network.conv_stem, network.bn1),
        stages=stages,
        stage_channels=tuple(_channels_after(stage) for stage in stages) if auxiliary else (),
        neck=nn.Sequential(network.conv_head, network.bn2),
        features=network.num_features,
        mean=mean,
        std=std,
    )


def _channels_after(stage: nn.Module) -> int:
    convolutions = [part for part in stage.modules() if isinstance(part, nn.Conv2d)]
    return convolutions[-1].out_channels
