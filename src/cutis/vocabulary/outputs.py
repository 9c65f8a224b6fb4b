"""What a network says of a batch of pictures, from every depth."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from typing import Generic, NamedTuple, TypeVar

Array = TypeVar("Array")
LOGITS, AUXILIARY, FEATURES, MAPS = "logits", "auxiliary_logits", "features", "maps"


class Outputs(NamedTuple, Generic[Array]):
    """Logits, features and class activation maps; torch tensors or numpy arrays alike.

    N pictures, K diagnoses, F features of the last hidden layer, one auxiliary classifier per stage.
    """

    logits: Array  # (N, K), the final classifier
    auxiliary_logits: tuple[Array, ...]  # one (N, K) per stage, shallow to deep
    features: Array  # (N, F)
    maps: tuple[Array, ...] | None  # one (N, K, h, w) per stage and the final one last; None while training
    stage_features: tuple[Array, ...] = ()  # one (N, C) per stage: its map, pooled; () without auxiliary classifiers


def by_name(outputs: Outputs[Array]) -> dict[str, Array]:
    """Return outputs as a file names them, which has no tuples: ``maps_1`` is the shallowest map.

    Stage features are left out: nothing that answers asks for them.
    """
    auxiliary = {f"{AUXILIARY}_{depth}": each for depth, each in enumerate(outputs.auxiliary_logits, start=1)}
    maps = {f"{MAPS}_{depth}": each for depth, each in enumerate(outputs.maps or (), start=1)}
    return {LOGITS: outputs.logits, **auxiliary, FEATURES: outputs.features, **maps}


def from_names(said: Mapping[str, Array]) -> Outputs[Array]:
    """Read what `by_name` gave.

    Raises:
        KeyError: names what is missing.
    """
    return Outputs(
        logits=said[LOGITS],
        auxiliary_logits=_numbered(said, AUXILIARY),
        features=said[FEATURES],
        maps=_numbered(said, MAPS) or None,
    )


def _numbered(said: Mapping[str, Array], what: str) -> tuple[Array, ...]:
    return tuple(said[name] for name in takewhile(said.__contains__, (f"{what}_{depth}" for depth in count(1))))
