"""What is examined, and what an examination gives, case by case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cutis.explain.sanity import deletion
from cutis.explain.sanity.asking import Asked
from cutis.explain.sanity.masks import Mask

PerCase: TypeAlias = NDArray[np.float64]  # (N,), NaN where a case has no such value


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is asked of each method."""

    cases: int = 60
    own_pass_cases: int = 24  # of methods that do not come with the answer
    seeds: int = 10  # networks drawn anew
    cascade_seeds: int = 3  # of them that are drawn anew layer by layer, for maps that come with the answer
    steps: int = deletion.STEPS
    with_slow: bool = False  # whether methods with many passes for one map are examined, too


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The cases that are examined, and what is known of each."""

    asked: Asked
    believed: Callable[[NDArray[np.uint8], int], PerCase]  # pictures (B, S, S, 3), diagnosis → probability (B,)
    keys: tuple[str, ...]  # N, by which a case's chance is drawn
    sizes: tuple[tuple[int, int], ...]  # N: width and height of the original pictures
    masks: tuple[Mapping[str, Mask], ...]  # N: by target, over the original pictures; empty where nothing is known

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def targets(self) -> tuple[str, ...]:
        """What is known of some of the cases."""
        return tuple(dict.fromkeys(name for masks in self.masks for name in masks))

    def first(self, count: int) -> Subject:
        """Return the first so many cases."""
        parts = {name: getattr(self, name)[:count] for name in ("keys", "sizes", "masks")}
        return replace(self, asked=self.asked.first(count), **parts)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """How probable answers stay while pictures are taken away or brought in, in one order."""

    deletion: NDArray[np.float64]  # (N, steps + 1)
    insertion: NDArray[np.float64]  # (N, steps + 1)

    @property
    def areas(self) -> dict[str, PerCase]:
        """Beneath both curves; and what bringing in leaves over taking away, which is greater for a better order."""
        taken, brought = deletion.area(self.deletion), deletion.area(self.insertion)
        return {"deletion": taken, "insertion": brought, "gap": brought - taken}


@dataclass(frozen=True, kw_only=True)
class Redrawn:
    """How much of a map's order stays when weights are drawn anew, in each of S draws: Spearman's correlation."""

    trained: NDArray[np.float64]  # (S, N), the map of the network against that of an untrained one
    null: NDArray[np.float64]  # (S, N), two untrained networks against each other
    cascade: dict[str, NDArray[np.float64]]  # (S', N) by the last level that was drawn anew, from the classifiers down


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What one method gave, case by case."""

    own: Removal
    moved: Removal  # by the same maps, elsewhere in the picture
    blob: Removal  # the middle first
    pointing: dict[str, dict[str, PerCase]]  # by target
    stability: dict[str, PerCase]
    redrawn: Redrawn

    def __len__(self) -> int:
        return len(self.own.deletion)
