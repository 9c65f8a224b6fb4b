"""A network of timm, and its twin without numbers that tells beforehand what the network can take."""

from __future__ import annotations

from typing import Any, NamedTuple

import timm
import torch

from cutis.vocabulary.errors import UserError

WHERE = "network of the recipe"


class Twin(NamedTuple):
    """A network on the meta device: all its shapes, no memory, no download."""

    architecture: str
    network: Any
    options: dict[str, Any]  # what timm is to be told for the real one

    @property
    def own_size(self) -> int:
        """Pixels a side that timm made it for."""
        return int(self.network.default_cfg["input_size"][1])


def twin_of(architecture: str, *, stochastic_depth: float, size: int | None) -> Twin:
    """Build the twin of a network, told only what this network knows.

    Raises:
        UserError: an unknown architecture, or a stochastic depth or size that it cannot take.
    """
    if not timm.is_model(architecture):
        close = timm.list_models(f"*{architecture.partition('_')[0]}*")[:6] or ["efficientnet_b0", "mobilenetv2_100"]
        mend = f"use one of timm's names, such as {', '.join(close)}"
        raise UserError(f"unknown network {architecture!r}", where=WHERE, mend=mend)
    twin = _with_stochastic_depth(architecture, stochastic_depth)
    fixed = twin.network.default_cfg.get("fixed_input_size", False)
    return twin if size in {None, twin.own_size} or not fixed else _of_size(twin, int(size or 0))


def build(architecture: str, options: dict[str, Any], *, pretrained: bool) -> Any:
    """Return the real network, with new weights or timm's own from the hub.

    Raises:
        UserError: the weights cannot be had.
    """
    try:
        return timm.create_model(architecture, pretrained=pretrained, **options)
    except Exception as error:
        if not pretrained:
            raise
        mend = 'give a file: --set weights=FILE.safetensors (timm\'s keys), or train from nothing: --set weights="none"'
        what = f"the ImageNet weights of {architecture} could not be fetched ({first_line(error)})"
        raise UserError(what, where="the hub of pretrained weights", mend=mend) from error


def size_refused(twin: Twin, size: int, *, why: str) -> UserError:
    """Return the error for a size that a network cannot take."""
    mend = f"set another size, such as the {twin.own_size} that timm made this network for, or use another network"
    return UserError(f"{twin.architecture} cannot take pictures of {size} pixels a side: {why}", where=WHERE, mend=mend)


def first_line(error: Exception) -> str:
    """Return an error's kind and the first line of what it says."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _with_stochastic_depth(architecture: str, stochastic_depth: float) -> Twin:
    options = {"drop_path_rate": stochastic_depth}
    try:
        return Twin(architecture, _on_meta(architecture, options), options)
    except TypeError as error:
        if "drop_path_rate" not in str(error):
            raise
        if stochastic_depth > 0:
            what, mend = f"{architecture} has no stochastic depth", "set stochastic_depth = 0, or use another network"
            raise UserError(what, where="stochastic_depth of the recipe", mend=mend) from error
    return Twin(architecture, _on_meta(architecture, {}), {})


def _of_size(twin: Twin, size: int) -> Twin:
    options = twin.options | {"img_size": size}
    try:
        return Twin(twin.architecture, _on_meta(twin.architecture, options), options)
    except Exception as error:
        raise size_refused(twin, size, why=f"it is not built for them ({first_line(error)})") from error


def _on_meta(architecture: str, options: dict[str, Any]) -> Any:
    with torch.device("meta"):
        return timm.create_model(architecture, **options).eval()
