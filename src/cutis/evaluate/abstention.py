"""What abstention does on the test: who is left without an answer, and what is gained by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.predict import Answers
from cutis.runtime.trust import Acceptance, Signals
from cutis.stats.conformal import equal_shares
from cutis.stats.intervals import ROUNDS, Clusters, bootstrap, clusters_in, with_width
from cutis.stats.metrics import Measure, Weights, weighted_mean
from cutis.stats.proportions import estimate_share
from cutis.stats.selective import COVERAGES, ROUNDING, risk_coverage, risk_on, selective_measures
from cutis.stats.support import qualified_mean, sides_of
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.predictions import Predictions

COMBINED = "combined"  # the three signals as one
COVERED = tuple(round(0.05 * step, 2) for step in range(1, 21))  # where the curve is drawn
ACCURACIES = {f"accuracy_at_{coverage * 100:.0f}": coverage for coverage in COVERAGES}
RISKS = {f"risk_at_{coverage * 100:.0f}": coverage for coverage in COVERED}
WORTH = ("aurc", "excess_aurc", *ACCURACIES)
PROMISE = Measure(None, "answered_of_one_picture")
MEANINGS = {
    "uncertainty": "one less the calibrated probability of the answer",
    "disagreement": "how much the answer depends on which depth of the network is asked",
    "distance": "how far the features lie from those that were learned from",
    COMBINED: "how unusual the most unusual of the three is among the calibrate cases",
}


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """What becomes of the test where some cases are not answered."""

    acceptance: Acceptance
    abstained: NDArray[np.bool_]  # (N,)
    estimates: dict[str, Estimate]  # of the rule that the bundle has
    by_signal: dict[str, dict[str, Estimate]]  # what each signal alone is worth
    risk: dict[str, list[Estimate]]  # share of wrong answers, by signal, at each of COVERED

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "wanted": self.acceptance.share,
            "clusters": self.acceptance.clusters,
            "abstains": self.acceptance.abstain_above is not None,
            "meanings": MEANINGS,
            "estimates": plain(self.estimates),
            "by_signal": {signal: plain(found) for signal, found in self.by_signal.items()},
            "risk_coverage": {
                "coverage": list(COVERED),
                "risk": {signal: [each.to_dict() for each in line] for signal, line in self.risk.items()},
            },
        }


def abstention_of(
    predictions: Predictions,
    answers: Answers,
    acceptance: Acceptance,
    *,
    malignant: NDArray[np.bool_] | None,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> Abstention:
    """Return what is gained and lost by not answering.

    *answered* counts pictures; *answered_of_one_picture* lets all clusters count alike, as the wanted share is meant.

    Args:
        predictions: with truth.
        answers: to the same cases, with signals.
        acceptance: by which they are answered or not.
        malignant: (K,) which diagnoses are; None where all are alike in it.
        generator: the chance that draws the rounds.
        rounds: how many rounds.

    Raises:
        ValueError: there is no truth, or there are no signals.
    """
    if predictions.truth is None or answers.signals is None or answers.unusual is None:
        raise ValueError("abstention is measured by a truth and by signals")
    right = predictions.probabilities.argmax(axis=1) == predictions.truth
    signals = signals_with(answers.signals, answers.unusual)
    clusters = clusters_in(predictions)
    wrong, answered = (~right).astype(np.float64), (~answers.abstained).astype(np.float64)
    alike = equal_shares(clusters.of_case)

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        found = {PROMISE: weighted_mean(answered, weights * alike)}
        for name, signal in signals.items():
            worth, curve = selective_measures(signal, right, weights), risk_coverage(signal, wrong, weights)
            found |= {Measure(name, measure.what): figure for measure, figure in worth.items()}
            found |= {Measure(name, what): risk_on(curve, coverage) for what, coverage in RISKS.items()}
        return found

    drawn = bootstrap(figures, clusters, rounds=rounds, generator=generator)

    def of_signal(name: str, what: str) -> Estimate:
        return _resting(drawn[Measure(name, what)], what, signals[name], clusters)

    promise = with_width(qualified_mean(drawn[PROMISE], is_share=True), is_share=True)
    return Abstention(
        acceptance=acceptance,
        abstained=answers.abstained,
        estimates=_of_the_rule(predictions, answers.abstained, malignant=malignant) | {PROMISE.what: promise},
        by_signal={name: {what: of_signal(name, what) for what in WORTH} for name in signals},
        risk={name: [of_signal(name, what) for what in RISKS] for name in signals},
    )


def signals_with(signals: Signals, unusual: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the three signals (N,) by name, and the one that joins them."""
    return signals._asdict() | {COMBINED: unusual}


def answered_at(signal: NDArray[np.float64], coverage: float) -> NDArray[np.bool_]:
    """Return the most trusted cases (N,), as few as make up at least this share, with all that have the last signal."""
    fewest = math.ceil((coverage - ROUNDING) * len(signal))
    answered: NDArray[np.bool_] = signal <= np.sort(signal)[fewest - 1]
    return answered


def _resting(estimate: Estimate, what: str, signal: NDArray[np.float64], clusters: Clusters) -> Estimate:
    """Say on whom a figure rests: where only some are answered, on their clusters."""
    coverage = (ACCURACIES | RISKS).get(what)
    if coverage is None:
        return with_width(qualified_mean(estimate, is_share=False), is_share=False)
    carrying = len(np.unique(clusters.of_case[answered_at(signal, coverage)]))
    return with_width(qualified_mean(replace(estimate, clusters=carrying), is_share=True), is_share=True)


def _of_the_rule(
    predictions: Predictions, abstained: NDArray[np.bool_], *, malignant: NDArray[np.bool_] | None
) -> dict[str, Estimate]:
    """Return shares of cases: who is answered, how rightly, and what becomes of the malignant."""
    truth, said = np.asarray(predictions.truth), predictions.probabilities.argmax(axis=1)
    clusters, right, answered = clusters_in(predictions), said == truth, ~abstained
    found = {
        "answered": estimate_share(answered, clusters),
        "accuracy": estimate_share(right, clusters),
        "accuracy_where_answered": estimate_share(right, clusters, among=answered, of_whom="that are answered"),
        "accuracy_where_abstained": estimate_share(right, clusters, among=abstained, of_whom="that are not answered"),
    } | {
        f"answered/{code}": estimate_share(answered, clusters, among=truth == kind, of_whom=sides_of(code)[0])
        for kind, code in enumerate(predictions.codes)
    }
    if malignant is None:
        return found
    has, called_benign = malignant[truth], ~malignant[said]
    ill, well = sides_of(None)
    return found | {
        "malignant_called_benign": estimate_share(called_benign, clusters, among=has, of_whom=ill),
        "malignant_called_benign_and_answered": estimate_share(
            called_benign & answered, clusters, among=has, of_whom=ill
        ),
        "malignant_answered": estimate_share(answered, clusters, among=has, of_whom=ill),
        "benign_answered": estimate_share(answered, clusters, among=~has, of_whom=well),
    }
