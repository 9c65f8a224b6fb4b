"""Does a converted network answer as the trained one does? Case by case, or its precision is not offered.

The reference is the PyTorch network of the bundle; both hear the same prepared pictures, and everything after the
network is the same code. What is gated is what it would change for a patient: the probabilities, the first diagnosis,
how many malignant lesions are found, whether probabilities keep their word, the set and whether there is an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import FP32, Engine, Offer, torch_engine
from cutis.runtime.predict import Answers, answers_of, outputs_of
from cutis.stats.intervals import PAIRED, ROUNDS, estimate_mean, estimate_of_rounds, with_width
from cutis.stats.metrics import Weights, auc_by_diagnosis, rates
from cutis.stats.reliability import calibration_errors
from cutis.stats.resampling import Clusters, clusters_in, resample
from cutis.stats.weights import one_hot
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
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
    Gate("without_a_number", 0.0, "what is no number is no answer"),
    Gate("largest_probability_difference", 1e-4, "rounding alone stays below it"),
    Gate("first_diagnosis_changed_beyond_ties", 0.0, "rounding may turn a tie, and nothing else"),
)
ROUNDED = (
    Gate("without_a_number", 0.0, "what is no number is no answer"),
    Gate("first_diagnosis_kept", 0.99, "at most one first diagnosis in a hundred is another", is_floor=True),
    Gate("macro_auc_difference", 0.002, "small beside the width of its interval on some thousand cases"),
    Gate("malignant_sensitivity_difference", 0.01, "at most one more of a hundred patients with it is missed"),
    Gate("calibration_error_difference", 0.005, "a probability is read to the percent, and this is half of one"),
    Gate("sets_changed", 0.02, "so what a set promises moves by two points at most"),
    Gate("abstentions_changed", 0.02, "so the share that is answered moves by two points at most"),
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
    not_judged: str = ""  # why this machine cannot run it

    @property
    def passed(self) -> bool:
        """Whether it may be released: every gate was tried, and holds."""
        return bool(self.verdicts) and all(verdict.passed for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for parity.json."""
        return {
            "engine": self.offer.engine,
            "precision": self.offer.precision,
            "file": self.offer.file,
            "passed": self.passed,
            "not_judged": self.not_judged,
            "figures": {name: estimate.to_dict() for name, estimate in self.figures.items()},
            "gates": [
                verdict.gate._asdict() | {"value": verdict.value, "passed": verdict.passed, "note": verdict.note}
                for verdict in self.verdicts
            ],
        }


def offered(parities: Sequence[Parity]) -> tuple[Offer, ...]:
    """Return what may be released, in its order."""
    return tuple(parity.offer for parity in parities if parity.passed)


def parities(
    offers: Sequence[Offer],
    opening: Callable[[Offer], Engine],
    *,
    bundle: Bundle,
    paths: Sequence[Path],
    settled: Predictions,
    seed: int = 0,
) -> tuple[Parity, ...]:
    """Let PyTorch and every engine answer for N pictures, one engine after the other, and hold each against PyTorch.

    What cannot be opened here, such as bf16 on a processor without it, is not judged, and so not offered.

    Raises:
        UserError: a picture cannot be read.
    """
    reference = outputs_of(torch_engine(bundle), bundle, paths, what="answering by PyTorch")
    found = []
    for offer in offers:
        try:
            engine = opening(offer)
        except UserError as error:
            found.append(Parity(offer, {}, (), not_judged=error.what))
            continue
        said = outputs_of(engine, bundle, paths, what=f"answering by {offer.name}")
        found.append(parity_of(offer, said, reference=reference, bundle=bundle, settled=settled, seed=seed))
    return tuple(found)


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
    numberless = _without_a_number(said, settled, seed=seed)
    if numberless.value:  # nothing else can be computed
        failed = _verdict(GATES[offer.precision][0], numberless, bundle)
        return Parity(offer, {"without_a_number": numberless}, (failed,))
    before, after = answers_of(bundle, reference), answers_of(bundle, said)
    clusters, truth = clusters_in(settled), np.asarray(settled.truth)
    figures = {
        "without_a_number": numberless,
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


def _without_a_number(said: Said, settled: Predictions, *, seed: int) -> Estimate:
    everything = np.concatenate([said.logits, *said.auxiliary_logits, said.features], axis=1)
    return _share(~np.isfinite(everything).all(axis=1), settled, generator=chance(seed, "parity", "without_a_number"))


def _share(values: NDArray[Any], settled: Predictions, *, generator: np.random.Generator) -> Estimate:
    ids, kind = settled.cluster_ids, settled.cluster_kind
    return estimate_mean(np.asarray(values, np.float64), ids, cluster_kind=kind, generator=generator)


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
        name: _share(values, settled, generator=chance(seed, "parity", name)) for name, values in changes.items()
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
        name: _worst_of(plain[name] - origin[name], np.concatenate(moved[name]), clusters=clusters) for name in plain
    }


def _worst_of(differences: NDArray[np.float64], drawn: NDArray[np.float64], *, clusters: Clusters) -> Estimate:
    """Return the one of (1, C) that moved most, with its rounds of (R, C); nothing is hidden behind a mean."""
    worst = int(np.nan_to_num(np.abs(differences[0]), nan=-1.0).argmax())
    value, kind = float(differences[0, worst]), PAIRED
    note = "" if np.isfinite(value) else "no case that it asks for"
    rounds = drawn[:, worst]
    spread = estimate_of_rounds(value, rounds, clusters=len(clusters), cluster_kind=clusters.kind, kind=kind, note=note)
    return with_width(spread, is_share=False)


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
