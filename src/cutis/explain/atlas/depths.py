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
from cutis.runtime.engines import Engine
from cutis.runtime.predict import BATCH, averaged, probabilities
from cutis.runtime.views import views_of
from cutis.vocabulary.case import Case

LAST = "last hidden layer"
SMALL_MAP = 12  # places a side, whatever the picture's shape
SPREAD = 48  # pixels of the longer side on which a map is spread before it is made small


class Seen(NamedTuple):
    """M cases as the network saw them."""

    probabilities: NDArray[np.float64]  # (M, K) calibrated
    features: dict[str, NDArray[np.float32]]  # (M, F) by the name of the depth, the last hidden layer last
    maps: NDArray[np.uint8]  # (M, 12, 12) over the whole picture: what speaks for the answer, the most 255


def see(engine: Engine, evaluated: Evaluated, cases: Sequence[Case]) -> Seen:
    """Ask the network about M cases, at least one.

    What was evaluated keeps the answers and features that it was evaluated by.

    Raises:
        UserError: a picture is missing, or not the one that was curated.
    """
    starts = range(0, len(cases), BATCH)
    parts = [
        _see(engine, evaluated, cases[start : start + BATCH])
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


def _see(engine: Engine, evaluated: Evaluated, cases: Sequence[Case]) -> Seen:
    bundle = evaluated.bundle
    pictures = [evaluated.picture(case) for case in cases]
    batch = normalise(np.stack([prepare(each, bundle.preparation) for each in pictures]), bundle.preparation)
    views = [engine(np.ascontiguousarray(view)) for view in views_of(batch, bundle.views)]
    outputs = averaged(views)
    chances = probabilities(bundle, outputs)
    maps = views[0].maps
    assert maps is not None
    activations = maps[-1][np.arange(len(cases)), chances.argmax(axis=1)]
    stages = {f"stage {number}": each for number, each in enumerate(outputs.stage_features, start=1)}
    return Seen(
        probabilities=chances,
        features=stages | {LAST: outputs.features},
        maps=np.stack(
            [
                np.asarray(small_map(each, picture.size, bundle.preparation))
                for each, picture in zip(activations, pictures, strict=True)
            ]
        ),
    )
