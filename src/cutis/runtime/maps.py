"""What each place of a picture adds to a diagnosis: maps that come with the answer, in numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.vocabulary.outputs import Outputs

Map = NDArray[np.float32]  # (h, w)
FINAL = "final"
FUSED = "fused"
FINEST = 2  # index of the stage whose grid the fused map has: an eighth of the picture's side
BREADTH = 0.5  # power of the product: of eight depths as it is, it would leave one bright point
STEEPNESS = 2.0  # of the step from a depth that speaks against a place to one that speaks for it
SMALLEST = 1e-6  # share of its greatest value: a map that varies by less is the same everywhere


class Question(NamedTuple):
    """What a map is asked for: what speaks for a diagnosis, or for it rather than for another."""

    diagnosis: int  # index in the order of the taxonomy
    rather_than: int | None = None


def in_pass_maps(outputs: Outputs[NDArray[np.float32]], question: Question, *, row: int = 0) -> dict[str, Map]:
    """Return all maps of one picture that its forward pass left, by name.

    Args:
        outputs: with maps, one (N, K, h, w) per stage that has a classifier and the final one last.
        question: asked of each of them.
        row: which of the N pictures.

    Returns:
        ``stage_1`` … (h, w) each, where the network has auxiliary classifiers; ``final``; and ``fused``, where there is
        more than the final one to join. The mean of each but ``fused`` is the logit of its classifier, or the
        difference of two.

    Raises:
        ValueError: these outputs have no maps.
    """
    by_depth = [each[row] for each in _maps_of(outputs)]
    *early, final = (_asked(each, question) for each in by_depth)
    named = {f"stage_{number}": each for number, each in enumerate(early, start=1)} | {FINAL: final}
    return named | {FUSED: fused([_rather_than_others(each, question) for each in by_depth])} if early else named


def fused(stack: Sequence[Map]) -> Map:
    """Join the maps of all depths: a place counts as far as every one of them speaks for it.

    Each map is brought to the third stage's grid and measured by its own mean and spread, so that none is louder than
    another. What speaks for a place is then multiplied over the depths: the late ones, sure and coarse, say whether it
    matters, the early ones, fine and unsure, where exactly within it; no single one can lift a place that the others
    deny.

    Args:
        stack: of each depth what speaks for a diagnosis rather than for the others, shallow to deep.

    Returns:
        At least 0, without a unit: only its order and its shares mean something.
    """
    grid = stack[min(FINEST, len(stack) - 1)].shape
    joined: Map = np.ones(grid, np.float32)
    for each in stack:
        joined = joined * np.logaddexp(0, STEEPNESS * _measured(_spread(each, grid))) ** BREADTH
    return joined.astype(np.float32)


def _maps_of(outputs: Outputs[NDArray[np.float32]]) -> tuple[NDArray[np.float32], ...]:
    if outputs.maps is None:
        raise ValueError("these outputs were kept without their maps")
    return outputs.maps


def _asked(maps: NDArray[np.float32], question: Question) -> Map:
    asked: Map = maps[question.diagnosis]
    return asked if question.rather_than is None else asked - maps[question.rather_than]


def _rather_than_others(maps: NDArray[np.float32], question: Question) -> Map:
    """Return what a place adds to the diagnosis beyond what it adds to the other one, or to all of them on average.

    What is added to every diagnosis changes no probability.
    """
    return _asked(maps, question) if question.rather_than is not None else maps[question.diagnosis] - maps.mean(axis=0)


def _measured(each: Map) -> Map:
    """Return a map in units of its own spread, around its own mean; one that is the same everywhere is 0."""
    spread = float(each.std())
    if spread <= SMALLEST * float(np.abs(each).max()):
        return np.zeros_like(each)
    measured: Map = (each - each.mean()) / spread
    return measured


def _spread(each: Map, grid: tuple[int, ...]) -> Map:
    """Bring a map to another grid: the mean of places where it shrinks, linear between places where it grows."""
    by = Image.Resampling.BOX if each.shape[0] > grid[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(each, np.float32)).resize((grid[1], grid[0]), by))
