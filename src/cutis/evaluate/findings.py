"""All that an evaluation finds of one bundle: what it said, and every figure about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.abstention import Abstention, abstention_of
from cutis.evaluate.calibration import Calibration, Sets, calibration_of, sets_of
from cutis.evaluate.decisions import Decisions, decisions_of, mixes
from cutis.evaluate.evidence import Evidence, chance_of_rounds, evidence_of
from cutis.evaluate.lesions import by_lesion
from cutis.evaluate.openings import Openings
from cutis.evaluate.protocol import UnderProtocol
from cutis.evaluate.robustness import Robustness
from cutis.evaluate.similar import Similar
from cutis.evaluate.subgroups import Subgroups, subgroups_of
from cutis.runtime.bundle import Bundle
from cutis.runtime.predict import Answers
from cutis.stats.metrics import measures
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Taxonomy


class Measured(NamedTuple):
    """What is known of a network's answers to settled cases."""

    evidence: Evidence
    calibration: Calibration
    sets: tuple[Sets, ...]  # none where the bundle makes none
    abstention: Abstention | None  # None where nothing watches what is answered
    decisions: Decisions | None  # None where all cases are malignant, or none
    by_lesion: Evidence | None  # None where every lesion has one picture
    subgroups: Subgroups


class Findings(NamedTuple):
    """All that an evaluation found."""

    settled: Predictions
    indeterminate: Predictions | None
    outputs: Outputs[NDArray[np.float32]]  # of the settled cases
    measured: Measured
    beside: dict[str, Estimate]  # of the indeterminate stratum
    openings: Openings
    protocol: UnderProtocol  # what was asked beforehand, and how it came out
    robustness: Robustness | None = None  # None where it was not asked for
    similar: Similar | None = None  # None where the bundle carries no training cases

    @property
    def evidence(self) -> Evidence:
        """The figures of the settled cases."""
        return self.measured.evidence


def measured_of(
    bundle: Bundle,
    cases: Manifest,
    said: Predictions,
    *,
    answers: Answers,
    dataset_sha256: str,
    prevalences: Sequence[float],
) -> Measured:
    """Measure what a bundle said of settled cases; all figures come from the same rounds of resampling.

    Args:
        bundle: that answered.
        cases: that were answered.
        said: what was said of them, with their truth.
        answers: the same, with sets and signals.
        dataset_sha256: of their dataset; the rounds hang on it.
        prevalences: of malignancy, at which decisions are weighed.
    """
    malignant, threshold = malignant_among(bundle.taxonomy), bundle.thresholds.malignant
    asked: dict[str, Any] = {"malignant": malignant, "malignant_threshold": threshold}
    thresholds = np.array(bundle.thresholds.values)

    def chance() -> np.random.Generator:
        return chance_of_rounds(dataset_sha256)

    lesions = by_lesion(said, cases)
    other_mixes = {} if malignant is None else mixes(said, malignant=malignant, prevalences=prevalences)
    return Measured(
        evidence=evidence_of(said, thresholds=thresholds, generator=chance(), **asked),
        calibration=calibration_of(said, malignant=malignant, generator=chance()),
        sets=tuple(
            sets_of(said, sets, fitted, abstained=answers.abstained, prevalences=other_mixes, generator=chance())
            for sets, fitted in zip(answers.sets, bundle.sets, strict=True)
        ),
        abstention=None
        if bundle.acceptance is None
        else abstention_of(said, answers, bundle.acceptance, malignant=malignant, generator=chance()),
        decisions=None
        if malignant is None
        else decisions_of(
            said,
            malignant=malignant,
            threshold=threshold,
            prevalences=prevalences,
            generator=chance(),
            meant_for=float(np.array(bundle.mix)[malignant].sum()) if bundle.mix else None,
        ),
        by_lesion=None if lesions is None else evidence_of(lesions, thresholds=thresholds, generator=chance(), **asked),
        subgroups=subgroups_of(said, cases, generator=chance()),
    )


def malignant_among(taxonomy: Taxonomy) -> NDArray[np.bool_] | None:
    """Return which diagnoses (K,) are malignant; None where all are alike in it, so that nothing is asked."""
    malignant = np.array(taxonomy.malignant)
    return malignant if malignant.any() and not malignant.all() else None


def names_of_figures(bundle: Bundle) -> list[str]:
    """Return the names of all figures that an evaluation of a bundle has, without a look at any case."""
    kinds = len(bundle.taxonomy)
    figures = measures(
        np.eye(kinds),
        np.arange(kinds),
        codes=bundle.taxonomy.codes,
        thresholds=np.array(bundle.thresholds.values),
        weights=np.ones((1, kinds)),
        malignant=malignant_among(bundle.taxonomy),
        malignant_threshold=bundle.thresholds.malignant,
    )
    return list(map(str, figures))
