"""What a probability means on the test: whether it keeps its word, and what the sets made of it hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.stats.conformal import EVERYTHING, NONE, SetThresholds, coverage_at, equal_shares
from cutis.stats.intervals import ROUNDS, bootstrap, clusters_in, qualified, with_width
from cutis.stats.metrics import Measure, Weights, weighted_mean
from cutis.stats.proportions import estimate_share
from cutis.stats.reliability import calibration_measures, reliability
from cutis.stats.support import qualified_mean, sides_of
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.predictions import Predictions

SLOW_ROUNDS = 500  # each of them fits two logistic regressions to every diagnosis
ERROR = "calibration_error"
RAISED = "resampling makes this figure larger than it is"
NO_LINE = "its probabilities tell all cases apart, or none, so that no line goes through them"
ANSWER, MALIGNANT = "answer", "malignant"
PROMISED = "one picture, at random, of a new patient of this clinic, at its case mix"


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Cases of about the same probability."""

    predicted: float  # mean probability
    observed: Estimate  # share of cases with the event
    cases: int

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {"predicted": self.predicted, "observed": self.observed.to_dict(), "cases": self.cases}


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Whether probabilities keep their word, event by event."""

    estimates: dict[str, Estimate]  # by the names of `cutis.stats.reliability.calibration_measures`
    reliability: dict[str, tuple[Bin, ...]]  # of the answer, of *malignant or not*, and of each diagnosis

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        bins = {event: [each.content() for each in bins] for event, bins in self.reliability.items()}
        return {"estimates": plain(self.estimates), "reliability": bins}


@dataclass(frozen=True, kw_only=True)
class Sets:
    """One kind of prediction set on the test."""

    thresholds: SetThresholds
    estimates: dict[str, Estimate]

    def content(self, codes: Sequence[str]) -> dict[str, Any]:
        """Return plain data: what is promised, to whom, and what came of it."""
        fitted = zip(codes, self.thresholds.values, self.thresholds.basis, self.thresholds.clusters, strict=True)
        by_diagnosis = {
            code: {"threshold": value, "fitted_on": basis, "clusters": clusters}
            for code, value, basis, clusters in fitted
        }
        return {
            "method": self.thresholds.method,
            "promised": self.thresholds.level,
            "promised_for": PROMISED,
            "says_nothing_of": [
                code
                for code, value, basis in zip(codes, self.thresholds.values, self.thresholds.basis, strict=True)
                if basis == NONE or value >= EVERYTHING
            ],
            "by_diagnosis": by_diagnosis,
            "estimates": plain(self.estimates),
        }


def calibration_of(
    predictions: Predictions,
    *,
    malignant: NDArray[np.bool_] | None,
    generator: np.random.Generator,
    rounds: int = SLOW_ROUNDS,
) -> Calibration:
    """Return how well the probabilities of settled cases are calibrated.

    Args:
        predictions: with truth.
        malignant: (K,) which diagnoses are; None where all are alike in it.
        generator: the chance that draws the rounds.
        rounds: how many rounds.
    """
    clusters, truth = clusters_in(predictions), _truth(predictions)

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        return calibration_measures(
            predictions.probabilities,
            truth,
            codes=predictions.codes,
            of_case=clusters.of_case,
            weights=weights,
            malignant=malignant,
        )

    def rested(measure: Measure, estimate: Estimate) -> Estimate:
        resting = qualified(
            measure,
            _without_raised(measure, estimate),
            clusters,
            predictions.codes,
            malignant=malignant,
            is_difference=False,
        )
        if resting.value is None and not resting.note:
            return replace(resting, note=NO_LINE)
        return with_width(resting, is_share=False)

    found = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    estimates = {str(measure): rested(measure, estimate) for measure, estimate in found.items()}
    events = {ANSWER: (predictions.probabilities.max(axis=1), predictions.probabilities.argmax(axis=1) == truth)}
    if malignant is not None:
        events[MALIGNANT] = (predictions.probabilities[:, malignant].sum(axis=1), malignant[truth])
    events |= {code: (predictions.probabilities[:, kind], truth == kind) for kind, code in enumerate(predictions.codes)}
    return Calibration(
        estimates=estimates,
        reliability={event: bins_of(*each, predictions=predictions) for event, each in events.items()},
    )


def bins_of(
    probabilities: NDArray[np.float64], is_so: NDArray[np.bool_], *, predictions: Predictions
) -> tuple[Bin, ...]:
    """Return the reliability of one event: its probability (N,), and whether it is so (N,)."""
    clusters = clusters_in(predictions)
    found = reliability(probabilities, is_so, of_case=clusters.of_case)
    return tuple(
        Bin(
            predicted=float(found.predicted[place]),
            observed=estimate_share(is_so, clusters, among=found.bin_of_case == place, of_whom="in this bin"),
            cases=int(found.cases[place]),
        )
        for place in range(len(found.cases))
    )


def sets_of(
    predictions: Predictions,
    sets: NDArray[np.bool_],
    thresholds: SetThresholds,
    *,
    abstained: NDArray[np.bool_],
    prevalences: Mapping[str, NDArray[np.float64]],
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> Sets:
    """Return what sets (N, K) hold: by diagnosis, where the network abstains (N,), and at other prevalences.

    *coverage* counts pictures; *coverage_of_one_picture* lets all clusters count alike, as the promise is meant. At
    other prevalences a coverage is no share of clusters: where all rounds agree on it, it has no interval.

    Args:
        predictions: with truth.
        sets: of the same cases.
        thresholds: that made them.
        abstained: which cases are not answered.
        prevalences: by what they are called, (K,) each.
        generator: the chance that draws the rounds.
        rounds: how many rounds.
    """
    clusters, truth = clusters_in(predictions), _truth(predictions)
    covered = sets[np.arange(len(truth)), truth]
    estimates = {
        "coverage": estimate_share(covered, clusters),
        **{
            f"coverage/{code}": estimate_share(covered, clusters, among=truth == kind, of_whom=sides_of(code)[0])
            for kind, code in enumerate(predictions.codes)
        },
        "coverage_where_answered": estimate_share(covered, clusters, among=~abstained, of_whom="that are answered"),
        "coverage_where_abstained": estimate_share(covered, clusters, among=abstained, of_whom="that are not answered"),
        "singletons": estimate_share(sets.sum(axis=1) == 1, clusters),
    }

    alike = equal_shares(clusters.of_case)

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        found = {
            "set_size": weighted_mean(sets.sum(axis=1).astype(np.float64), weights),
            "coverage_of_one_picture": weighted_mean(covered.astype(np.float64), weights * alike),
        } | {
            f"coverage_at_{called}": coverage_at(sets, truth, prevalences=shares, weights=weights)
            for called, shares in prevalences.items()
        }
        return {Measure(None, name): figure for name, figure in found.items()}

    drawn = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    for measure, estimate in drawn.items():
        if measure.what.startswith("coverage_at_"):
            resting = qualified(measure, estimate, clusters, predictions.codes, is_difference=False)
            estimates[str(measure)] = with_width(resting, is_share=False)
        else:
            is_share = measure.what == "coverage_of_one_picture"
            estimates[str(measure)] = with_width(qualified_mean(estimate, is_share=is_share), is_share=is_share)
    return Sets(thresholds=thresholds, estimates=estimates)


def _without_raised(measure: Measure, estimate: Estimate) -> Estimate:
    """Take the interval from an error of calibration, which each round of resampling raises once more."""
    if not measure.what.endswith(ERROR) or estimate.value is None:
        return estimate
    return replace(estimate, low=None, high=None, method="bins of equally many cases", note=RAISED)


def _truth(predictions: Predictions) -> NDArray[np.int64]:
    if predictions.truth is None:
        raise ValueError("figures need a truth")
    return predictions.truth
