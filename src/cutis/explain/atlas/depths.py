"""What every depth of the network says of many cases, in one pass, with a small map of what each answer rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.explain.evaluated import Evaluated
from cutis.imaging.prepare import Preparation, normalise, prepare, spread_back
from cutis.progress import track
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.maps import FINAL, FUSED, Question, in_pass_maps
from cutis.runtime.predict import BATCH, averaged, probabilities
from cutis.runtime.views import views_of
from cutis.vocabulary.case import Case
from cutis.vocabulary.outputs import Outputs

LAST = "last hidden layer"
SMALL_MAP = 12  # places a side, whatever the picture's shape
SPREAD = 48  # pixels of the longer side on which a map is spread before it is made small


class Seen(NamedTuple):
    """M cases as the network saw them."""

    probabilities: NDArray[np.float64]  # (M, K) calibrated
    features: dict[str, NDArray[np.float32]]  # (M, F) by the name of the depth, the last hidden layer last
    maps: NDArray[np.uint8]  # (M, 12, 12) over the whole picture: what speaks for the answer, the most 255


def map_to_show(bundle: Bundle, offered: Sequence[str] | None) -> str | None:
    """Return which map of the forward pass the page shows: all depths joined, else the final one, else none.

    Args:
        bundle: a network without auxiliary classifiers has nothing to join.
        offered: the methods that passed their examination; None where they were not examined.
    """
    there = (FUSED, FINAL) if bundle.auxiliary else (FINAL,)
    return next((name for name in there if offered is None or name in offered), None)


def see(engine: Engine, evaluated: Evaluated, cases: Sequence[Case], *, shown: str | None = FINAL) -> Seen:
    """Ask the network about M cases, at least one.

    What was evaluated keeps the answers and features that it was evaluated by.

    Args:
        engine: runs the bundle's network.
        evaluated: the bundle, and what it said of its test split.
        cases: whom it is asked about.
        shown: the name of the map that is kept; without one they are empty.

    Raises:
        UserError: a picture is missing, or not the one that was curated.
    """
    starts = range(0, len(cases), BATCH)
    parts = [
        _see(engine, evaluated, cases[start : start + BATCH], shown=shown)
        for start in track(starts, "looking at the atlas' cases", total=len(starts))
    ]
    seen = Seen(
        probabilities=np.concatenate([part.probabilities for part in parts]),
        features={depth: np.concatenate([part.features[depth] for part in parts]) for depth in parts[0].features},
        maps=np.concatenate([part.maps for part in parts]),
    )
    row_of = {case_id: row for row, case_id in enumerate(evaluated.predictions.case_ids)}
    for row, case in enumerate(cases):
        if case.case_id in row_of:
            seen.probabilities[row] = evaluated.predictions.probabilities[row_of[case.case_id]]
            seen.features[LAST][row] = evaluated.features[row_of[case.case_id]]
    return seen


def small_map(seen_map: NDArray[np.float32], picture_size: tuple[int, int], preparation: Preparation) -> Image.Image:
    """Return what speaks for an answer (h, w), over the whole picture, as 12 × 12 places of 0 to 255.

    Where nothing speaks for it, and where a crop was not seen, it is 0.
    """
    width, height = picture_size
    shorter = SPREAD / max(width, height)
    size = max(SMALL_MAP, round(width * shorter)), max(SMALL_MAP, round(height * shorter))
    spread = spread_back(np.maximum(seen_map, 0), size, preparation)
    scaled = np.rint(255 * spread / max(float(spread.max()), 1e-12)).astype(np.uint8)
    return Image.fromarray(scaled).resize((SMALL_MAP, SMALL_MAP), Image.Resampling.BOX)


def _see(engine: Engine, evaluated: Evaluated, cases: Sequence[Case], *, shown: str | None) -> Seen:
    bundle = evaluated.bundle
    pictures = [evaluated.picture(case) for case in cases]
    batch = normalise(np.stack([prepare(each, bundle.preparation) for each in pictures]), bundle.preparation)
    views = [engine(np.ascontiguousarray(view)) for view in views_of(batch, bundle.views)]
    outputs = averaged(views)
    chances = probabilities(bundle, outputs)
    stages = {f"stage {number}": each for number, each in enumerate(outputs.stage_features, start=1)}
    return Seen(
        probabilities=chances,
        features=stages | {LAST: outputs.features},
        maps=np.stack(
            [
                _small(views[0], row, Question(int(chances[row].argmax())), shown=shown, picture=picture, bundle=bundle)
                for row, picture in enumerate(pictures)
            ]
        ),
    )


def _small(
    outputs: Outputs[NDArray[np.float32]],
    row: int,
    question: Question,
    *,
    shown: str | None,
    picture: Image.Image,
    bundle: Bundle,
) -> NDArray[np.uint8]:
    if shown is None:
        return np.zeros((SMALL_MAP, SMALL_MAP), np.uint8)
    seen_map = in_pass_maps(outputs, question, row=row)[shown]
    return np.asarray(small_map(seen_map, picture.size, bundle.preparation))
