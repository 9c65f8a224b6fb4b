"""How a network lays out its last feature map, and what brings it to (N, F, h, w)."""

from __future__ import annotations

from math import isqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cutis.network.twin import WHERE, Twin, first_line, size_refused
from cutis.vocabulary.errors import UserError

PLACES = 4  # dimensions of a map
TOKENS = 3  # dimensions of a row of tokens


class ChannelsFirst(nn.Module):
    """Bring a map (N, h, w, F) to (N, F, h, w)."""

    def forward(self, feature_map: Tensor) -> Tensor:
        """Move the channels; nothing is copied."""
        return feature_map.permute(0, 3, 1, 2)


class TokensToMap(nn.Module):
    """Bring tokens (N, p + h · w, F) of a square picture to (N, F, h, w), without the first p, which have no place."""

    def __init__(self, prefix: int, side: int) -> None:
        super().__init__()
        self.prefix = prefix
        self.side = side

    def forward(self, tokens: Tensor) -> Tensor:
        """Lay the tokens out on their grid; nothing is copied."""
        placed = tokens[:, self.prefix :].transpose(1, 2)
        return placed.reshape(placed.shape[0], placed.shape[1], self.side, self.side)


class Layout(NamedTuple):
    """What follows a network in one piece."""

    neck: nn.Module  # what the network gives → (N, F, h, w)
    features: int  # F


def layout_of(twin: Twin, *, size: int | None) -> Layout:
    """Send two pictures without numbers through a network's twin, and see what comes out.

    The twin loses its classifier.

    Raises:
        UserError: the network cannot take pictures of this size, or gives no feature map.
    """
    given = _given(twin, size or twin.own_size)
    tokens = getattr(given, "ndim", 0) == TOKENS
    neck = _tokens_to_map(twin.network, given.shape[1]) if tokens else _of_map(twin.network)
    return Layout(neck, _features(twin, neck, given))


def _given(twin: Twin, size: int) -> Any:
    """Whatever the network gives without its classifier."""
    patch = _patch(twin.network)
    if size % patch:
        raise size_refused(twin, size, why=f"it cuts them into patches of {patch}, so use a multiple of it")
    try:
        twin.network.reset_classifier(0, "")
    except (AssertionError, AttributeError, TypeError) as error:
        raise _no_map(twin) from error
    try:
        with torch.inference_mode():
            return twin.network(torch.empty(2, 3, size, size, device="meta"))
    except Exception as error:
        raise size_refused(twin, size, why=f"they do not pass through it ({first_line(error)})") from error


def _patch(network: Any) -> int:
    """Pixels a side of patches that lie side by side; a remainder at the border would be left out in silence."""
    cut = getattr(getattr(network, "patch_embed", None), "proj", None)
    return cut.stride[0] if isinstance(cut, nn.Conv2d) and cut.stride == cut.kernel_size else 1


def _of_map(network: Any) -> nn.Module:
    return ChannelsFirst() if getattr(network, "output_fmt", "NCHW") == "NHWC" else nn.Identity()


def _tokens_to_map(network: Any, tokens: int) -> TokensToMap:
    prefix = getattr(network, "num_prefix_tokens", tokens - isqrt(tokens) ** 2)
    return TokensToMap(prefix, isqrt(tokens - prefix))


def _features(twin: Twin, neck: nn.Module, given: Any) -> int:
    try:
        feature_map = neck(given)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise _no_map(twin) from error
    if getattr(feature_map, "ndim", 0) != PLACES:
        raise _no_map(twin)
    return int(feature_map.shape[1])


def _no_map(twin: Twin) -> UserError:
    mend = "use a network that ends in one feature map, such as efficientnet_b4, resnet50 or vit_tiny_patch16_224"
    return UserError(f"{twin.architecture} gives no feature map", where=WHERE, mend=mend)
