"""Pictures in, calibrated answers out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import normalise, prepared_file
from cutis.progress import track
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.views import views_of
from cutis.stats.calibration import answer_of
from cutis.vocabulary.diagnosis import Diagnosis, Finding
from cutis.vocabulary.outputs import Outputs

BATCH = 32


def outputs_of(engine: Engine, bundle: Bundle, paths: Sequence[Path], *, what: str) -> Outputs[NDArray[np.float32]]:
    """Run the network over many pictures and stack what it says, without the maps.

    Args:
        engine: runs the bundle's network.
        bundle: says how a picture is prepared.
        paths: N picture files.
        what: what the progress line calls this work.

    Returns:
        Outputs with logits (N, K), one (N, K) per auxiliary classifier, features (N, F), and no maps.

    Raises:
        UnreadablePicture: a file is no picture.
    """
    batches = track(_batches(bundle, paths), what, total=-(-len(paths) // BATCH))
    return _joined([seen_from_all_sides(engine, bundle, batch) for batch in batches], np.concatenate)


def seen_from_all_sides(engine: Engine, bundle: Bundle, pictures: NDArray[np.float32]) -> Outputs[NDArray[np.float32]]:
    """Return what the network says of prepared pictures (N, 3, S, S): the mean of the bundle's views, without maps."""
    return _joined([engine(np.ascontiguousarray(view)) for view in views_of(pictures, bundle.views)], _mean)


def probabilities(bundle: Bundle, outputs: Outputs[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the calibrated probabilities (N, K) of the classifiers that speak."""
    said = (*outputs.auxiliary_logits, outputs.logits)[-bundle.speaking :]
    temperatures = bundle.temperatures[-bundle.speaking :]
    return answer_of(said, temperatures, temperature_of_mean=bundle.temperature_of_mean)


def diagnose(engine: Engine, bundle: Bundle, image: Path) -> Diagnosis:
    """Answer for one picture.

    Raises:
        UnreadablePicture: the file is no picture.
    """
    picture = prepared_file(image, bundle.preparation)[None]
    outputs = seen_from_all_sides(engine, bundle, normalise(picture, bundle.preparation))
    chances = probabilities(bundle, outputs)[0]
    findings = (
        Finding(code=disease.code, name=disease.name, malignant=disease.malignant, probability=float(chance))
        for disease, chance in zip(bundle.taxonomy.diseases, chances, strict=True)
    )
    ranked = tuple(sorted(findings, key=lambda finding: -finding.probability))
    return Diagnosis(image=str(image), findings=ranked, warnings=bundle.warnings, bundle=bundle.name)


def _joined(
    said: Sequence[Outputs[NDArray[np.float32]]], join: Callable[[Sequence[NDArray[np.float32]]], NDArray[np.float32]]
) -> Outputs[NDArray[np.float32]]:
    by_depth = zip(*(each.auxiliary_logits for each in said), strict=True)
    return Outputs(
        logits=join([each.logits for each in said]),
        auxiliary_logits=tuple(map(join, by_depth)),
        features=join([each.features for each in said]),
        maps=None,
    )


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.mean(arrays, axis=0)
    return mean


def _batches(bundle: Bundle, paths: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(paths), BATCH):
        pictures = [prepared_file(path, bundle.preparation) for path in paths[start : start + BATCH]]
        yield normalise(np.stack(pictures), bundle.preparation)
