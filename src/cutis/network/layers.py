"""What training must know of a network's layers."""

from __future__ import annotations

from timm.models import group_parameters
from torch import nn

from cutis.network.classifier import Classifier


def depth_of(network: Classifier) -> dict[str, int]:
    """Return the depth of every parameter by its name, for learning rates that decay from the classifiers down.

    With seven stages: the stem is 0, the stages 1 to 7, the neck 8, and all classifiers 9, auxiliary ones too, since
    they start from nothing. A network in one piece has the depths that timm groups it by (VGG: one per layer, ResNet:
    one per stage, ViT: one per block), or all depth 0 where timm does not; its classifier is one deeper.
    """
    names = [name for name, _ in network.named_parameters()]
    depths = _depths_of_stages(network, names) if len(network.stages) else _depths_of_timm(network.stem)
    deepest = max(depths.values(), default=-1) + 1
    return {name: depths.get(name, deepest) for name in names}


def normalisation_layers(network: nn.Module) -> list[nn.Module]:
    """Return the batch normalisations of a network: those whose statistics move unless they are in evaluation mode."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return [part for part in network.modules() if isinstance(part, kinds)]


def _depths_of_stages(network: Classifier, names: list[str]) -> dict[str, int]:
    parts = ("stem.", *(f"stages.{number}." for number in range(len(network.stages))), "neck.")
    return {name: depth for name in names for depth, part in enumerate(parts) if name.startswith(part)}


def _depths_of_timm(stem: nn.Module) -> dict[str, int]:
    try:
        groups = group_parameters(stem, stem.group_matcher(coarse=True), reverse=True)  # type: ignore[operator]
    except (AttributeError, AssertionError):  # it has none, or none as coarse as this
        groups = {}
    return {f"stem.{name}": int(groups.get(name, 0)) for name, _ in stem.named_parameters()}
