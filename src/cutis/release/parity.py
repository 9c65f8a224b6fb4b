"""Does a converted network answer as the trained one does? Case by case, or its precision is not offered.

The reference is the PyTorch network of the bundle; both hear the same prepared pictures, and everything after the
network is the same code. What is gated is what it would change for a patient: the probabilities, the first diagnosis,
how many malignant lesions are found, whether probabilities keep their word, the set and whether there is an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import FP32, Offer
from cutis.runtime.predict import Answers, answers_of
from cutis.stats.intervals import ROUNDS, estimate_mean, estimate_of_rounds, with_width
from cutis.stats.metrics import Weights, auc_by_diagnosis, rates
from cutis.stats.reliability import calibration_errors
from cutis.stats.resampling import Clusters, clusters_in, resample
from cutis.stats.weights import one_hot
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions

TIE = 2e-4  # two probabilities that each move by 1e-4 at most can pass each other from this distance
Said = Outputs[NDArray[np.float32]]


class Gate(NamedTuple):
    """What a figure must keep to."""

    figure: str
    limit: float
    reason: str
    is_floor: bool = False  # the limit is the least that is allowed; else the most

    def holds(self, value: float | None) -> bool:
        """Say whether a figure passes; what could not be computed was not shown, and what is no number neither."""
        if value is None or not np.isfinite(value):
            return False
        return value >= self.limit if self.is_floor else abs(value) <= self.limit


EXACT = (
    Gate("largest_probability_difference", 1e-4, "what rounding alone does to a sum of some thousand products"),
    Gate("first_diagnosis_changed_beyond_ties", 0.0, "rounding may turn a tie, and nothing else"),
)
ROUNDED = (
    Gate("first_diagnosis_kept", 0.99, "one answer in a hundred, fewer than two readings by one reader differ", True),
    Gate("macro_auc_difference", 0.002, "a tenth of the width of its interval on some thousand cases"),
    Gate("malignant_sensitivity_difference", 0.01, "no saving of time is worth a missed melanoma in a hundred"),
    Gate("calibration_error_difference", 0.005, "a probability is read to the percent"),
    Gate("sets_changed", 0.02, "a set keeps its promise within the width of its own interval"),
    Gate("abstentions_changed", 0.02, "as many again as the sets"),
)
GATES: dict[str, tuple[Gate, ...]] = {FP32: EXACT, "bf16": ROUNDED, "int8": ROUNDED}


class Verdict(NamedTuple):
    """One gate and what it was held against; without a figure where the bundle does nothing of that kind."""

    gate: Gate
    value: float | None
    passed: bool
    note: str = ""


class Parity(NamedTuple):
    """How far one engine in one precision answers otherwise than PyTorch."""

    offer: Offer
    figures: dict[str, Estimate]
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether it may be released: every gate holds."""
        return all(verdict.passed for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for parity.json."""
        return {
            "engine": self.offer.engine,
            "precision": self.offer.precision,
            "file": self.offer.file,
            "passed": self.passed,
            "figures": {name: estimate.to_dict() for name, estimate in self.figures.items()},
            "gates": [
                verdict.gate._asdict() | {"value": verdict.value, "passed": verdict.passed, "note": verdict.note}
                for verdict in self.verdicts
            ],
        }


def offered(parities: Sequence[Parity]) -> tuple[Offer, ...]:
    """Return what may be released, in its order."""
    return tuple(parity.offer for parity in parities if parity.passed)


def parity_of(
    offer: Offer, said: Said, *, reference: Said, bundle: Bundle, settled: Predictions, seed: int = 0
) -> Parity:
    """Hold what an engine says against what PyTorch says of the same N pictures.

    Args:
        offer: the engine and its precision.
        said: what it says, without maps or with them.
        reference: what PyTorch says.
        bundle: turns both into answers.
        settled: the cases, with their truth and clusters; their probabilities are not looked at.
        seed: of the rounds of the intervals.
    """
    before, after = answers_of(bundle, reference), answers_of(bundle, said)
    clusters, truth = clusters_in(settled), np.asarray(settled.truth)
    figures = {
        **_by_case(before, after, settled, seed=seed),
        **_by_truth(before, after, bundle, truth, clusters=clusters, seed=seed),
    }
    verdicts = tuple(_verdict(gate, figures[gate.figure], bundle) for gate in GATES[offer.precision])
    return Parity(offer, figures, verdicts)


def _verdict(gate: Gate, estimate: Estimate, bundle: Bundle) -> Verdict:
    unasked = {
        "sets_changed": not bundle.sets,
        "abstentions_changed": bundle.acceptance is None,
        "malignant_sensitivity_difference": not any(bundle.taxonomy.malignant),
    }
    if unasked.get(gate.figure, False):
        return Verdict(gate, None, passed=True, note="this bundle says nothing of the kind")
    return Verdict(gate, estimate.value, gate.holds(estimate.value), estimate.note if estimate.value is None else "")


def _by_case(before: Answers, after: Answers, settled: Predictions, *, seed: int) -> dict[str, Estimate]:
    """Return what changed for how many cases."""
    largest = np.abs(after.probabilities - before.probabilities).max(axis=1)
    kept = before.probabilities.argmax(axis=1) == after.probabilities.argmax(axis=1)
    second, first = np.sort(before.probabilities, axis=1)[:, -2:].T
    changes = {
        "mean_probability_difference": largest,
        "first_diagnosis_kept": kept,
        "first_diagnosis_changed_beyond_ties": ~kept & (first - second > TIE),
        "sets_changed": _any_differs(before, after),
        "abstentions_changed": before.abstained != after.abstained,
    }
    estimates = {
        name: estimate_mean(
            np.asarray(values, np.float64),
            settled.cluster_ids,
            cluster_kind=settled.cluster_kind,
            generator=chance(seed, "parity", name),
        )
        for name, values in changes.items()
    }
    extreme = Estimate(
        value=float(largest.max()) if np.isfinite(largest).all() else None,
        low=None,
        high=None,
        method="largest of all cases",
        clusters=len(set(settled.cluster_ids)),
        cluster_kind=settled.cluster_kind,
        note="the largest of these cases is no estimate of others",
    )
    return {"largest_probability_difference": extreme} | estimates


def _any_differs(before: Answers, after: Answers) -> NDArray[np.bool_]:
    """Return for which cases (N,) a prediction set of any kind is another."""
    differs = np.zeros(len(before.probabilities), np.bool_)
    for one, other in zip(before.sets, after.sets, strict=True):
        differs |= (one != other).any(axis=1)
    return differs


def _by_truth(
    before: Answers, after: Answers, bundle: Bundle, truth: NDArray[np.int64], *, clusters: Clusters, seed: int
) -> dict[str, Estimate]:
    """Return how far the figures of how right it is moved, each within every round of the same clusters."""
    plain = _figures(after, bundle, truth, clusters, np.ones((1, len(truth))))
    origin = _figures(before, bundle, truth, clusters, np.ones((1, len(truth))))
    moved: dict[str, list[NDArray[np.float64]]] = {name: [] for name in plain}
    for weights in resample(clusters, rounds=ROUNDS, generator=chance(seed, "parity")):
        ours, theirs = (_figures(each, bundle, truth, clusters, weights) for each in (after, before))
        for name in plain:
            moved[name].append(ours[name] - theirs[name])
    return {
        name: with_width(
            estimate_of_rounds(
                float((plain[name] - origin[name])[0, _worst(plain[name] - origin[name])]),
                np.concatenate(moved[name])[:, _worst(plain[name] - origin[name])],
                clusters=len(clusters),
                cluster_kind=clusters.kind,
            ),
            is_share=False,
        )
        for name in plain
    }


def _worst(difference: NDArray[np.float64]) -> int:
    """Return the column that moved most in (1, C); nothing is hidden behind a mean."""
    return int(np.nan_to_num(np.abs(difference[0]), nan=-1.0).argmax())


def _figures(
    answers: Answers, bundle: Bundle, truth: NDArray[np.int64], clusters: Clusters, weights: Weights
) -> dict[str, NDArray[np.float64]]:
    """Return figures (R, C), one column where there is but one: the gates look at the worst of them."""
    chances, codes = answers.probabilities, len(bundle.taxonomy)
    said, present = chances.argmax(axis=1), np.unique(truth)
    areas = auc_by_diagnosis(chances, truth, weights)[:, present].mean(axis=1, keepdims=True)
    right = calibration_errors(chances.max(axis=1), said == truth, of_case=clusters.of_case, weights=weights)
    malignant = np.flatnonzero(bundle.taxonomy.malignant)
    flagged = (one_hot(said, codes) > 0, chances >= np.array(bundle.thresholds.values))
    found = [rates(each, truth, weights).sensitivity[:, malignant] for each in flagged]
    none = np.full((len(weights), 1), np.nan)
    return {
        "macro_auc_difference": areas,
        "malignant_sensitivity_difference": np.concatenate([*found, none], axis=1),
        "calibration_error_difference": right.expected[:, None],
    }
