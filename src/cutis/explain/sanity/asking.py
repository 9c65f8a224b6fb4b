"""The same questions asked of several pictures, by several methods, of one network after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cutis.explain.saliency.methods import Method
from cutis.imaging.prepare import Preparation, normalise, spread_back
from cutis.runtime.engines import engine_of
from cutis.runtime.maps import Map, Question, in_pass_maps

PICTURES_AT_ONCE = 32

Methods: TypeAlias = Mapping[str, Method]
Maps: TypeAlias = Mapping[str, Sequence[Map]]  # by method, N each


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Prepared pictures, and what is asked of each."""

    pictures: NDArray[np.uint8]  # (N, S, S, 3)
    questions: tuple[Question, ...]  # N
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def size(self) -> int:
        """Pixels of each side, S."""
        return int(self.pictures.shape[1])

    def first(self, count: int) -> Asked:
        """Return the first so many."""
        return replace(self, pictures=self.pictures[:count], questions=self.questions[:count])

    def normalised(self) -> NDArray[np.float32]:
        """Return the pictures as a network takes them, (N, 3, S, S)."""
        return normalise(self.pictures, self.preparation)


def maps_by(network: nn.Module, methods: Methods, asked: Asked) -> dict[str, list[Map]]:
    """Return N maps by each method; all that come with the answer are read from one forward pass."""
    own = {name: method for name, method in methods.items() if not method.in_pass}
    device = next(network.parameters()).device
    pictures = asked.normalised()
    found: dict[str, list[Map]] = {name: [] for name in methods}
    if len(own) < len(methods):
        for maps in _in_pass(network, pictures, asked.questions):
            for name in methods.keys() - own.keys():
                found[name].append(maps[name])
    for name, method in own.items():
        for picture, question in zip(pictures, asked.questions, strict=True):
            found[name].append(method.map_of(network, torch.from_numpy(picture[None]).to(device), question))
    return found


def spread(saliency: NDArray[np.floating[Any]], size: int) -> NDArray[np.float32]:
    """Return a map (h, w) over a prepared picture, (S, S)."""
    return spread_back(saliency, (size, size), Preparation(size, (0.0,) * 3, (1.0,) * 3))


def stacked(maps: Sequence[Map], size: int) -> NDArray[np.float32]:
    """Return maps (N) of any resolution over their prepared pictures, (N, S, S)."""
    return np.stack([spread(each, size) for each in maps])


def _in_pass(
    network: nn.Module, pictures: NDArray[np.float32], questions: Sequence[Question]
) -> Iterator[dict[str, Map]]:
    engine = engine_of(network)
    for start in range(0, len(pictures), PICTURES_AT_ONCE):
        outputs = engine(pictures[start : start + PICTURES_AT_ONCE])
        for row, question in enumerate(questions[start : start + PICTURES_AT_ONCE]):
            yield in_pass_maps(outputs, question, row=row)
