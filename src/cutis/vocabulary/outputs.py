"""What a network says of a batch of pictures, from every depth."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

Array = TypeVar("Array")


class Outputs(NamedTuple, Generic[Array]):
    """Logits, features and class activation maps; torch tensors or numpy arrays alike.

    N pictures, K diagnoses, F features of the last hidden layer, one auxiliary classifier per stage.
    """

    logits: Array  # (N, K), the final classifier
    auxiliary_logits: tuple[Array, ...]  # one (N, K) per stage, shallow to deep
    features: Array  # (N, F)
    maps: tuple[Array, ...] | None  # one (N, K, h, w) per stage and the final one last; None while training
    stage_features: tuple[Array, ...] = ()  # one (N, C) per stage: its map, pooled; () without auxiliary classifiers
