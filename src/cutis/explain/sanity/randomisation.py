"""Whether a map depends on what the network has learned: its weights are drawn anew, and the map must go.

Sanity checks of Adebayo et al. (NeurIPS 2018). Cascading: the classifiers first, then each layer beneath, down to the
stem. A parameter is drawn anew as it is when a training begins, and what batch normalisation has counted is forgotten.
A map that stays shows the picture, and not what the network makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from torch import nn

from cutis.network.classifier import Classifier
from cutis.network.ensemble import Ensemble
from cutis.network.layers import depth_of


class Level(NamedTuple):
    """One step of the cascade: this depth and all above it are drawn anew."""

    depth: int
    name: str


def levels_of(network: nn.Module) -> tuple[Level, ...]:
    """Return the steps of the cascade, from the classifiers down to the stem; after the last nothing is left."""
    depths = _depth_by_key(network)
    member = network.members[0] if isinstance(network, Ensemble) else network
    deepest, is_staged = max(depths.values()), bool(len(getattr(member, "stages", ())))
    return tuple(
        Level(depth, _spoken(depth, deepest, is_staged=is_staged))
        for depth in sorted(set(depths.values()), reverse=True)
    )


def cascade(network: nn.Module, untrained: nn.Module, levels: Sequence[Level]) -> Iterator[tuple[Level, nn.Module]]:
    """Yield copies of a network in which ever more comes from an untrained one; the given ones are left as they are."""
    depths, learned, anew = _depth_by_key(network), network.state_dict(), untrained.state_dict()
    for level in levels:
        state = {key: anew[key] if depths[key] >= level.depth else value for key, value in learned.items()}
        yield level, _holding(network, state)


def _holding(network: nn.Module, state: dict[str, Any]) -> nn.Module:
    copy = deepcopy(network)
    copy.load_state_dict(state)
    return copy.eval()


def _depth_by_key(network: nn.Module) -> dict[str, int]:
    """Return the depth of every parameter and count by its name; what batch normalisation counts lies with its weights.

    A network that is neither ours nor of ours is one layer.
    """
    if isinstance(network, Ensemble):
        return {
            f"members.{number}.{key}": depth
            for number, member in enumerate(network.members)
            for key, depth in _depth_by_key(member).items()
        }
    if not isinstance(network, Classifier):
        return dict.fromkeys(network.state_dict(), 0)
    depths = depth_of(network)
    of_part = {name.rpartition(".")[0]: depth for name, depth in depths.items()}
    deepest = max(depths.values())
    return {key: depths.get(key, of_part.get(key.rpartition(".")[0], deepest)) for key in network.state_dict()}


def _spoken(depth: int, deepest: int, *, is_staged: bool) -> str:
    if depth == deepest:
        return "classifiers"
    if not is_staged:
        return f"layer {depth}"
    return "stem" if depth == 0 else "neck" if depth == deepest - 1 else f"stage {depth}"
