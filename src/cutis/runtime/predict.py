"""Pictures in, calibrated answers out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import normalise, prepared_file
from cutis.progress import track
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.stats.calibration import softmax
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
    said = [engine(batch) for batch in track(_batches(bundle, paths), what, total=-(-len(paths) // BATCH))]
    return Outputs(
        logits=np.concatenate([each.logits for each in said]),
        auxiliary_logits=tuple(map(np.concatenate, zip(*(each.auxiliary_logits for each in said), strict=True))),
        features=np.concatenate([each.features for each in said]),
        maps=None,
    )


def probabilities(bundle: Bundle, outputs: Outputs[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the calibrated probabilities (N, K) of the final classifier."""
    return softmax(outputs.logits, bundle.temperature)


def diagnose(engine: Engine, bundle: Bundle, image: Path) -> Diagnosis:
    """Answer for one picture.

    Raises:
        UnreadablePicture: the file is no picture.
    """
    picture = prepared_file(image, bundle.preparation)[None]
    chances = probabilities(bundle, engine(normalise(picture, bundle.preparation)))[0]
    findings = (
        Finding(code=disease.code, name=disease.name, malignant=disease.malignant, probability=float(chance))
        for disease, chance in zip(bundle.taxonomy.diseases, chances, strict=True)
    )
    ranked = tuple(sorted(findings, key=lambda finding: -finding.probability))
    return Diagnosis(image=str(image), findings=ranked, warnings=bundle.warnings, bundle=bundle.name)


def _batches(bundle: Bundle, paths: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(paths), BATCH):
        pictures = [prepared_file(path, bundle.preparation) for path in paths[start : start + BATCH]]
        yield normalise(np.stack(pictures), bundle.preparation)
