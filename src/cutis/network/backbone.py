"""An EfficientNet of timm, cut into stem, seven stages and neck."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from cutis.vocabulary.errors import UserError

STAGES = 7


class Backbone(NamedTuple):
    """A feature extractor in its parts, with what must be known to feed it."""

    stem: nn.Module  # (N, 3, S, S) → (N, C₀, S/2, S/2)
    stages: tuple[nn.Module, ...]  # seven groups of blocks
    stage_channels: tuple[int, ...]  # channels that each stage hands on
    neck: nn.Module  # deepest map → (N, F, h, w)
    features: int  # F, width of the last hidden layer
    mean: tuple[float, float, float]  # of the pictures it was trained on, 0..1
    std: tuple[float, float, float]


def backbone_of(architecture: str, *, weights: str = "none", stochastic_depth: float = 0.0) -> Backbone:
    """Build the parts of an EfficientNet or MobileNetV2.

    Args:
        architecture: a timm name whose network has stem, seven groups of blocks and a neck:
            ``efficientnet_b0`` … ``efficientnet_b7``, ``mobilenetv2_100`` and their variants.
        weights: ``"none"``, ``"imagenet"`` (timm's own, from the hub), or the path of a safetensors file with
            timm's keys.
        stochastic_depth: probability of skipping the deepest residual block while training.

    Raises:
        UserError: an unknown architecture, one without seven stages, or weights that cannot be had or do not fit.
    """
    network = _timm_network(architecture, pretrained=weights == "imagenet", stochastic_depth=stochastic_depth)
    blocks = getattr(network, "blocks", ())
    if len(blocks) != STAGES or not hasattr(network, "conv_head"):
        mend = "use efficientnet_b0 … efficientnet_b7 or mobilenetv2_100"
        raise UserError(f"{architecture} is not built of seven stages", where="network of the recipe", mend=mend)
    described = network.default_cfg
    mean, std = described["mean"], described["std"]
    if weights not in {"none", "imagenet"}:
        mean, std = _load_from_file(network, Path(weights), mean, std)
    return Backbone(
        stem=nn.Sequential(network.conv_stem, network.bn1),
        stages=tuple(blocks),
        stage_channels=tuple(_channels_after(stage) for stage in blocks),
        neck=nn.Sequential(network.conv_head, network.bn2),
        features=network.num_features,
        mean=tuple(mean),
        std=tuple(std),
    )


def _timm_network(architecture: str, *, pretrained: bool, stochastic_depth: float) -> Any:
    if not timm.is_model(architecture):
        close = timm.list_models(f"*{architecture.partition('_')[0]}*")[:6] or ["efficientnet_b0", "mobilenetv2_100"]
        mend = f"use one of timm's names, such as {', '.join(close)}"
        raise UserError(f"unknown network {architecture!r}", where="network of the recipe", mend=mend)
    try:
        return timm.create_model(architecture, pretrained=pretrained, drop_path_rate=stochastic_depth)
    except Exception as error:
        if not pretrained:
            raise
        mend = 'give a file: --set weights=FILE.safetensors (timm\'s keys), or train from nothing: --set weights="none"'
        what = f"the ImageNet weights of {architecture} could not be fetched ({_first_line(error)})"
        raise UserError(what, where="the hub of pretrained weights", mend=mend) from error


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _channels_after(stage: nn.Module) -> int:
    convolutions = [part for part in stage.modules() if isinstance(part, nn.Conv2d)]
    return convolutions[-1].out_channels


def _load_from_file(network: nn.Module, path: Path, mean: Any, std: Any) -> tuple[Any, Any]:
    try:
        with safe_open(path, "pt") as file:
            said = file.metadata() or {}
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  this is no dict
    except FileNotFoundError as error:
        raise UserError("there are no weights here", where=str(path), mend="check the path given as weights") from error
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"this is no safetensors file: {error}", where=str(path), mend="export the weights anew"
        ) from error
    _fit(network, found, path)
    if "mean" in said and "std" in said:
        mean, std = ([float(part) for part in said[key].split(",")] for key in ("mean", "std"))
    return mean, std


def _fit(network: nn.Module, found: dict[str, torch.Tensor], path: Path) -> None:
    """Load key by key; the file's own classifier is left out, since ours has other outputs."""
    wanted = {key: tensor for key, tensor in network.state_dict().items() if not key.startswith("classifier.")}
    offered = {key: tensor for key, tensor in found.items() if not key.startswith("classifier.")}
    missing = sorted(key for key in wanted.keys() - offered.keys() if not key.endswith("num_batches_tracked"))
    extra = sorted(offered.keys() - wanted.keys())
    misshapen = sorted(key for key in wanted.keys() & offered.keys() if wanted[key].shape != offered[key].shape)
    if missing or extra or misshapen:
        parts = (("missing", missing), ("not known", extra), ("of another shape", misshapen))
        told = "; ".join(f"{len(keys)} {what} ({', '.join(keys[:3])}, …)" for what, keys in parts if keys)
        mend = "name the architecture these weights belong to, with timm's keys"
        raise UserError(f"these weights do not fit the network: {told}", where=str(path), mend=mend)
    network.load_state_dict(offered, strict=False)
