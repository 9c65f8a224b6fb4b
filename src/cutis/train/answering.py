"""How a trained network is made to answer: what is fitted is fitted here, on tune and calibrate, never on test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import normalise
from cutis.runtime.bundle import AS_SAID, Bundle, Thresholds
from cutis.runtime.engines import open_engine
from cutis.runtime.predict import BATCH, outputs_of, outputs_of_batches, probabilities
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.stats.calibration import Speakers, answer_of, choose_speakers, choose_thresholds
from cutis.stats.conformal import SetThresholds, fit_set_thresholds
from cutis.stats.operating_points import Rule, rule_of
from cutis.stats.recalibration import Recalibration, choose_recalibration, recalibrated
from cutis.train.batches import Pictures, chosen_from
from cutis.train.config import TrainConfig
from cutis.train.imbalance import class_weights
from cutis.train.loop import Heard
from cutis.train.run import Run
from cutis.vocabulary.case import Manifest, unchanged_picture
from cutis.vocabulary.chance import chance
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions

SETS = ("LAC", "APS")  # the first one answers: its sets are the smaller


class Trained(NamedTuple):
    """A member at the end of its course."""

    folder: Path  # where its best weights lie
    heard: Heard  # what these say of the cases that chose them
    heard_of: tuple[str, ...]  # these cases
    best_epoch: int  # counted from 0
    best_score: float
    precision: str  # that it learned in


class Answering(NamedTuple):
    """From what the classifiers say to an answer of yes or no."""

    speakers: Speakers
    recalibration: Recalibration  # of what they say together
    thresholds: Thresholds
    mix: tuple[float, ...]  # prevalences (K,) that the probabilities are those of
    said: NDArray[np.float64]  # (N, K) of the cases that this was fitted on, in the order of the members


def answering_of(run: Run, members: Sequence[Trained]) -> Answering:
    """Fit everything that the cases decide which chose the epochs.

    With a reweighted mix, weights bring these cases to the mix that was taught. The operating points are chosen on the
    cases as they are: a rule looks at those who have a diagnosis and those who have it not, each among themselves.
    """
    config, heard = run.config, _together([member.heard for member in members])
    weights = _weights(config, heard.truth)
    most = len(heard.logits) if config.answer == "tune" else 1
    speakers = choose_speakers(heard.logits, heard.truth, most=most, weights=weights)
    said = answer_of(
        heard.logits[-speakers.speaking :],
        speakers.temperatures[-speakers.speaking :],
        temperature_of_mean=speakers.temperature_of_mean,
    )
    of_case = _clusters_of(run.pictures, [case_id for member in members for case_id in member.heard_of])
    recalibration = AS_SAID
    if len(np.unique(of_case)) > 1:
        generator = chance(config.seed, "recalibration")
        chosen = choose_recalibration(said, heard.truth, of_case=of_case, generator=generator, weights=weights)
        recalibration = chosen.recalibration
    chances = recalibrated(said, recalibration)
    rule, malignant = rule_of(config.operating_point), np.array(run.manifest.taxonomy.malignant)
    return Answering(
        speakers=speakers,
        recalibration=recalibration,
        thresholds=Thresholds(
            rule=config.operating_point,
            chosen_on="train and tune, out of fold" if config.cross_validate else "tune",
            values=tuple(map(float, choose_thresholds(chances, heard.truth, rule=rule))),
            malignant=_malignant_threshold(chances, malignant, heard.truth, rule=rule),
        ),
        mix=tuple(map(float, _mix(heard.truth, weights, kinds=len(malignant)))),
        said=chances,
    )


def out_of_fold(run: Run, members: Sequence[Trained], answering: Answering) -> Predictions:
    """Return what is said of train and tune after cross-validation, of each case by the member that never saw it.

    Which epoch answers was chosen on these cases, and so was how it answers, which flatters a little.
    """
    cases = {case.case_id: case for case in run.pictures.cases}
    case_ids = tuple(case_id for member in members for case_id in member.heard_of)
    return Predictions(
        case_ids=case_ids,
        cluster_ids=tuple(cases[case_id].cluster_id for case_id in case_ids),
        cluster_kind=run.manifest.cluster_kind,
        truth=_together([member.heard for member in members]).truth,
        probabilities=answering.said,
        codes=run.manifest.taxonomy.codes,
        taxonomy_sha256=run.manifest.taxonomy.sha256,
        split="train and tune, out of fold",
        rater=run.name,
    )


class Seen(NamedTuple):
    """What the finished network makes of the pictures that its answers are fitted on."""

    learned: Pictures
    features: NDArray[np.float32]  # (M, F) of what it learned from
    tuned: NDArray[np.float32] | None  # (T, F) of tune; None after cross-validation, where all was learned from
    calibrate: Outputs[NDArray[np.float32]] | None  # None where there is no such case


def seen_by(bundle: Bundle, run: Run, pictures: Pictures) -> Seen:
    """Let a bundle whose weights are written look at train and tune, which are `pictures`, and at calibrate.

    Raises:
        UserError: a picture of calibrate is missing, or not the one that was curated.
    """
    engine, (first, *others) = open_engine(bundle), run.members
    learned = pictures if others else chosen_from(pictures, first.learning)
    tuning = None if others or not run.config.similar_cases else chosen_from(pictures, first.tuning)

    def features_of(some: Pictures, what: str) -> NDArray[np.float32]:
        return outputs_of_batches(engine, bundle, _batches(some), pictures=len(some), what=what).features

    paths = calibrate_pictures(run)
    return Seen(
        learned=learned,
        features=features_of(learned, "looking at what was learned"),
        tuned=None if tuning is None else features_of(tuning, "looking at tune"),
        calibrate=outputs_of(engine, bundle, paths, what="answering calibrate") if paths else None,
    )


def trusted(bundle: Bundle, run: Run, seen: Seen) -> Bundle:
    """Return a bundle with what calibrate decides: prediction sets, and when not to answer.

    Without calibrate cases it is returned as it is.
    """
    cases, said = run.manifest.of_split("calibrate"), seen.calibrate
    if said is None:
        return bundle
    reference = fit_reference(seen.features, seen.learned.diagnosis, kinds=len(bundle.taxonomy))
    chances = probabilities(bundle, said)
    signals = signals_of(said, reference, probabilities=chances, temperatures=bundle.temperatures)
    acceptance = choose_acceptance(
        signals, cases.column("cluster_id"), cluster_kind=cases.cluster_kind, share=run.config.acceptance
    )
    sets = _sets(chances, cases, level=run.config.coverage)
    return replace(bundle, sets=sets, reference=reference, acceptance=acceptance)


def calibrate_pictures(run: Run) -> list[Path]:
    """Return where the pictures of the calibrate split lie.

    Raises:
        UserError: one of them is missing, or not the one that was curated.
    """
    return [unchanged_picture(run.dataset, case) for case in run.manifest.of_split("calibrate").cases]


def _sets(chances: NDArray[np.float64], cases: Manifest, *, level: float) -> tuple[SetThresholds, ...]:
    codes = cases.taxonomy.codes
    truth = np.array([codes.index(code) for code in cases.column("diagnosis")])
    of_case = _clusters_of(cases, cases.column("case_id"))
    return tuple(fit_set_thresholds(chances, truth, of_case=of_case, method=method, level=level) for method in SETS)


def _malignant_threshold(
    chances: NDArray[np.float64], malignant: NDArray[np.bool_], truth: NDArray[np.int64], *, rule: Rule
) -> float | None:
    """Return from which summed probability on a case is called malignant; None where all diagnoses are alike in it."""
    if malignant.all() or not malignant.any():
        return None
    return float(rule(chances[:, malignant].sum(axis=1), malignant[truth]))


def _weights(config: TrainConfig, truth: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return how much each case counts, so that the mix is the one that was taught; None where it is the archive's."""
    if config.imbalance == "none":
        return None
    return class_weights(np.bincount(truth), config.imbalance_strength)[truth]


def _mix(truth: NDArray[np.int64], weights: NDArray[np.float64] | None, *, kinds: int) -> NDArray[np.float64]:
    """Return the prevalence (K,) of each diagnosis among cases that count by their weights."""
    counts = np.bincount(truth, weights, minlength=kinds)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def _together(heard: Sequence[Heard]) -> Heard:
    by_classifier = zip(*(each.logits for each in heard), strict=True)
    return Heard(
        logits=tuple(map(np.concatenate, by_classifier)),
        truth=np.concatenate([each.truth for each in heard]),
    )


def _clusters_of(cases: Manifest, case_ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the index of the cluster (N,) of each of these cases."""
    by_case = {case.case_id: case.cluster_id for case in cases.cases}
    _, of_case = np.unique([by_case[case_id] for case_id in case_ids], return_inverse=True)
    return of_case


def _batches(pictures: Pictures) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(pictures), BATCH):
        yield normalise(pictures.array[pictures.rows[start : start + BATCH]], pictures.preparation)
