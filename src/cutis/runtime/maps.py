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
    """
    stack = depth_stack(outputs, question, row=row)
    *early, final = stack
    named = {f"stage_{number}": each for number, each in enumerate(early, start=1)} | {FINAL: final}
    return named | {FUSED: fused(stack)} if early else named


def depth_stack(outputs: Outputs[NDArray[np.float32]], question: Question, *, row: int = 0) -> tuple[Map, ...]:
    """Return the map (h, w) of each classifier for one picture, shallow to deep, the final one last.

    Raises:
        ValueError: these outputs have no maps.
    """
    if outputs.maps is None:
        raise ValueError("these outputs were kept without their maps")
    return tuple(_asked(each[row], question) for each in outputs.maps)


def fused(stack: Sequence[Map]) -> Map:
    """Join the maps of all depths: the late ones say whether a place matters, the early ones where exactly."""
    *early, final = stack
    finest = early[min(2, len(early) - 1)].shape
    joined = sum(_spread(each - each.mean(), finest) / (each.std() + 1e-6) for each in stack[2:])
    whether = np.maximum(_spread(final, finest), 0)
    fused_map: Map = (np.maximum(joined, 0) * whether).astype(np.float32)
    return fused_map


def _asked(maps: NDArray[np.float32], question: Question) -> Map:
    asked: Map = maps[question.diagnosis]
    return asked if question.rather_than is None else asked - maps[question.rather_than]


def _spread(each: Map, shape: tuple[int, ...]) -> Map:
    """Bring a map to another grid: a mean over places where it shrinks, linear between places where it grows."""
    resized = Image.fromarray(np.asarray(each, np.float32)).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized)
