"""Pictures in, calibrated answers out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import Preparation, normalise, prepared_file
from cutis.progress import track
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.neighbours import Index, Search, about_the_patient, similar_cases
from cutis.runtime.trust import Signals, abstentions, combined, signals_of
from cutis.runtime.views import views_of
from cutis.stats.calibration import answer_of
from cutis.stats.conformal import is_unlike, prediction_sets
from cutis.stats.recalibration import recalibrated
from cutis.vocabulary.diagnosis import Diagnosis, Finding, SimilarCase
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.outputs import Outputs

BATCH = 32
UNLIKE = "It is less sure of every diagnosis than it is of nearly all cases that have it: this one is unlike them."


class Answers(NamedTuple):
    """What a bundle says of N pictures, and whether it stands by it."""

    probabilities: NDArray[np.float64]  # (N, K) calibrated
    sets: tuple[NDArray[np.bool_], ...]  # (N, K) for each kind of prediction set of the bundle
    signals: Signals | None  # None where nothing watches
    unusual: NDArray[np.float64] | None  # (N,) the signals as one, 0 to 1
    abstained: NDArray[np.bool_]  # (N,)
    reasons: tuple[tuple[str, ...], ...]  # N; empty where it is answered


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
    return outputs_of_batches(engine, bundle, _batches(bundle, paths), pictures=len(paths), what=what)


def outputs_of_batches(
    engine: Engine, bundle: Bundle, batches: Iterable[NDArray[np.float32]], *, pictures: int, what: str
) -> Outputs[NDArray[np.float32]]:
    """Do what `outputs_of` does with pictures that are prepared already, `BATCH` at a time: (B, 3, S, S) each."""
    tracked = track(batches, what, total=-(-pictures // BATCH))
    return _joined([seen_from_all_sides(engine, bundle, batch) for batch in tracked], np.concatenate)


def seen_from_all_sides(engine: Engine, bundle: Bundle, pictures: NDArray[np.float32]) -> Outputs[NDArray[np.float32]]:
    """Return what the network says of prepared pictures (N, 3, S, S): the mean of the bundle's views.

    The maps are those of the pictures as they are, where the network leaves some.
    """
    said = [engine(np.ascontiguousarray(view)) for view in views_of(pictures, bundle.views)]
    return averaged(said)._replace(maps=said[0].maps)


def averaged(said: Sequence[Outputs[NDArray[np.float32]]]) -> Outputs[NDArray[np.float32]]:
    """Return the mean of what a network says of several views of the same pictures, without maps."""
    return _joined(said, _mean)


def probabilities(bundle: Bundle, outputs: Outputs[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the calibrated probabilities (N, K) of the classifiers that speak."""
    said = (*outputs.auxiliary_logits, outputs.logits)[-bundle.speaking :]
    temperatures = bundle.temperatures[-bundle.speaking :]
    together = answer_of(said, temperatures, temperature_of_mean=bundle.temperature_of_mean)
    return recalibrated(together, bundle.recalibration)


def answers_of(bundle: Bundle, outputs: Outputs[NDArray[np.float32]]) -> Answers:
    """Return the answer to each picture, the sets that go with it, and whether it is given at all."""
    chances = probabilities(bundle, outputs)
    sets = tuple(prediction_sets(chances, thresholds) for thresholds in bundle.sets)
    if bundle.reference is None or bundle.acceptance is None:
        nobody = np.zeros(len(chances), dtype=np.bool_)
        return Answers(chances, sets, None, None, nobody, ((),) * len(chances))
    signals = signals_of(outputs, bundle.reference, probabilities=chances, temperatures=bundle.temperatures)
    abstained, reasons = abstentions(signals, bundle.acceptance)
    return Answers(chances, sets, signals, combined(signals, bundle.acceptance), abstained, reasons)


class Seen(NamedTuple):
    """One picture with its answer, and with where the answer comes from."""

    diagnosis: Diagnosis
    outputs: Outputs[NDArray[np.float32]]  # of this one picture; `runtime.maps` makes maps of any diagnosis of them


def diagnose(
    engine: Engine,
    bundle: Bundle,
    image: Path,
    *,
    among: Index | None = None,
    search: Search | None = None,
    prepared: Callable[[Path, Preparation], NDArray[np.uint8]] = prepared_file,
) -> Seen:
    """Answer for one picture.

    Args:
        engine: runs the bundle's network.
        bundle: that answers.
        image: the picture's file.
        prepared: makes it (S, S, 3) uint8; `Decoders.prepared_file` where the picture may come from a stranger.
        among: the bundle's training cases; None where none are asked for.
        search: which of them.

    Raises:
        UserError: the file is no picture, or the network gives no numbers for it.
    """
    picture = prepared(image, bundle.preparation)[None]
    outputs = seen_from_all_sides(engine, bundle, normalise(picture, bundle.preparation))
    diagnosis = diagnosis_of(bundle, image, answers_of(bundle, outputs))
    if among is None or search is None:
        return Seen(diagnosis, outputs)
    diagnosis = replace(
        diagnosis,
        warnings=(*diagnosis.warnings, about_the_patient(among, search)),
        similar=_similar(bundle, outputs, image, among=among, search=search),
    )
    return Seen(diagnosis, outputs)


def diagnosis_of(bundle: Bundle, image: Path, answers: Answers, place: int = 0) -> Diagnosis:
    """Return what a person or a table is told of one of N answers.

    Args:
        bundle: that answered.
        image: the picture's file.
        answers: of N pictures.
        place: which of them.

    Raises:
        UserError: the network gives no numbers for it.
    """
    chances = answers.probabilities[place]
    if not np.isfinite(chances).all():
        mend = "answer with another bundle, and train this one again"
        raise UserError(f"bundle {bundle.name!r} answers with what is no number", where=str(image), mend=mend)
    order = np.argsort(-chances, kind="stable")
    diseases = [bundle.taxonomy.diseases[kind] for kind in order]
    return Diagnosis(
        image=str(image),
        findings=tuple(
            Finding(code=disease.code, name=disease.name, malignant=disease.malignant, probability=float(chance))
            for disease, chance in zip(diseases, chances[order], strict=True)
        ),
        warnings=(*bundle.warnings, *_of_an_empty_set(bundle, chances[None])),
        bundle=bundle.name,
        abstained=bool(answers.abstained[place]),
        reasons=answers.reasons[place],
        prediction_set=tuple(
            bundle.taxonomy.codes[kind] for kind in order if answers.sets and answers.sets[0][place, kind]
        ),
        coverage=bundle.sets[0].level if bundle.sets else None,
    )


def _similar(
    bundle: Bundle, outputs: Outputs[NDArray[np.float32]], image: Path, *, among: Index, search: Search
) -> tuple[SimilarCase, ...] | None:
    if bundle.likeness is None:
        return None
    taxonomy, sha256 = bundle.taxonomy, sha256_of(image)
    return similar_cases(among, bundle.likeness, outputs.features, search=search, taxonomy=taxonomy, sha256=sha256)


def _of_an_empty_set(bundle: Bundle, chances: NDArray[np.float64]) -> tuple[str, ...]:
    """Return what must be said where no diagnosis of one picture (1, K) is probable enough for the set that answers."""
    return (UNLIKE,) if bundle.sets and is_unlike(chances, bundle.sets[0]).all() else ()


def _joined(
    said: Sequence[Outputs[NDArray[np.float32]]], join: Callable[[Sequence[NDArray[np.float32]]], NDArray[np.float32]]
) -> Outputs[NDArray[np.float32]]:
    return Outputs(
        logits=join([each.logits for each in said]),
        auxiliary_logits=tuple(map(join, zip(*(each.auxiliary_logits for each in said), strict=True))),
        features=join([each.features for each in said]),
        maps=None,
        stage_features=tuple(map(join, zip(*(each.stage_features for each in said), strict=True))),
    )


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.mean(arrays, axis=0)
    return mean


def _batches(bundle: Bundle, paths: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(paths), BATCH):
        pictures = [prepared_file(path, bundle.preparation) for path in paths[start : start + BATCH]]
        yield normalise(np.stack(pictures), bundle.preparation)
