"""What *malignant or not* is worth where it is used: net benefit, and predictive values at a stated prevalence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.calibration import plain
from cutis.stats.decisions import at_prevalence, decision_curve, predictive_values
from cutis.stats.intervals import ROUNDS, bootstrap, clusters_in, qualified, with_width
from cutis.stats.metrics import Measure, Weights
from cutis.stats.rates import answered, counted, rates_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

THRESHOLDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
PREVALENCES = (0.01, 0.05, 0.2)  # of malignancy, where a clinic states none
OWN = "own"
ASSUMED = "that a disease looks the same there, and only its frequency differs"


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Net benefit and predictive values of *malignant or not*."""

    own: float  # prevalence of the test
    prevalences: tuple[float, ...]  # that are stated
    threshold: float | None  # the operating point that the predictive values are of
    net_benefit: dict[str, dict[str, list[Estimate]]]  # by prevalence, "network" and "all", at each of THRESHOLDS
    predictive_values: dict[str, dict[str, Estimate]]  # by prevalence, "ppv" and "npv"

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "own_prevalence": self.own,
            "prevalences": list(self.prevalences),
            "assumed": ASSUMED,
            "threshold": self.threshold,
            "thresholds": list(THRESHOLDS),
            "net_benefit": {
                at: {whom: [each.to_dict() for each in line] for whom, line in lines.items()}
                for at, lines in self.net_benefit.items()
            },
            "predictive_values": {at: plain(found) for at, found in self.predictive_values.items()},
        }


def decisions_of(
    predictions: Predictions,
    *,
    malignant: NDArray[np.bool_],
    threshold: float | None,
    prevalences: Sequence[float],
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> Decisions | None:
    """Return what *malignant or not* is worth; None where the test has only one of the two.

    Args:
        predictions: with truth.
        malignant: (K,) which diagnoses are.
        threshold: from which summed probability on the answer is yes; None: no predictive values.
        prevalences: of malignancy, at which it is asked beside the test's own.
        generator: the chance that draws the rounds.
        rounds: how many rounds.
    """
    score, has = predictions.probabilities[:, malignant].sum(axis=1), malignant[np.asarray(predictions.truth)]
    if has.all() or not has.any():
        return None
    own = float(has.mean())
    at = {OWN: own} | {named(prevalence): prevalence for prevalence in prevalences}
    clusters, limits = clusters_in(predictions), np.array(THRESHOLDS)
    moved = {name: at_prevalence(score, before=own, after=share) for name, share in at.items()}

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        found: dict[Measure, NDArray[np.float64]] = {}
        for name, share in at.items():
            stated = None if name == OWN else share
            curve = decision_curve(moved[name], has, thresholds=limits, weights=weights, prevalence=stated)
            for whom, line in (("network", curve.by_network), ("all", curve.treat_all)):
                found |= {
                    Measure(name, f"malignant_{whom}@{limit:g}"): line[:, place]
                    for place, limit in enumerate(THRESHOLDS)
                }
            if threshold is not None:
                found |= _values_at(score >= threshold, has, weights, name=name, prevalence=stated)
        return found

    drawn = {
        measure: with_width(
            qualified(measure, estimate, clusters, predictions.codes, malignant=malignant),
            is_share=measure.what.endswith("pv"),
        )
        for measure, estimate in bootstrap(figures, clusters, rounds=rounds, generator=generator).items()
    }
    return Decisions(
        own=own,
        prevalences=tuple(prevalences),
        threshold=threshold,
        net_benefit={
            name: {
                whom: [drawn[Measure(name, f"malignant_{whom}@{limit:g}")] for limit in THRESHOLDS]
                for whom in ("network", "all")
            }
            for name in at
        },
        predictive_values={
            name: {what: drawn[Measure(name, f"malignant_{what}")] for what in ("ppv", "npv")}
            for name in (at if threshold is not None else ())
        },
    )


def mixes(
    predictions: Predictions, *, malignant: NDArray[np.bool_], prevalences: Sequence[float]
) -> dict[str, NDArray[np.float64]]:
    """Return the prevalence (K,) of each diagnosis where malignancy has another one, the mix within being the same.

    Besides, one in which all diagnoses that the test contains are equally frequent.
    """
    own = np.bincount(np.asarray(predictions.truth), minlength=len(malignant)).astype(np.float64)
    found = {"equal_prevalences": (own > 0) / np.count_nonzero(own)}
    ill, well = own * malignant, own * ~malignant
    if ill.any() and well.any():
        found |= {
            f"prevalence_{named(share)}": share * ill / ill.sum() + (1 - share) * well / well.sum()
            for share in prevalences
        }
    return found


def checked_prevalences(prevalences: Sequence[float]) -> tuple[float, ...]:
    """Return prevalences in their order, each once.

    Raises:
        UserError: one that is none.
    """
    for each in prevalences:
        if not 0 < each < 1:
            raise UserError(f"{each:g} is no prevalence", where="--prevalence", mend="give a share, such as 0.02")
    return tuple(dict.fromkeys(sorted(prevalences)))


def named(prevalence: float) -> str:
    """Return a prevalence as it stands in names."""
    return f"{prevalence:g}"


def _values_at(
    flagged: NDArray[np.bool_],
    has: NDArray[np.bool_],
    weights: Weights,
    *,
    name: str,
    prevalence: float | None,
) -> dict[Measure, NDArray[np.float64]]:
    """Return predictive values (R,) at a prevalence; at that of each round, where none is stated."""
    found = rates_of(counted(answered(flagged[:, None], has[:, None]), weights))
    share = (weights @ has) / weights.sum(axis=1) if prevalence is None else prevalence
    values = predictive_values(found.sensitivity.ravel(), found.specificity.ravel(), prevalence=share)
    return {Measure(name, "malignant_ppv"): values.positive, Measure(name, "malignant_npv"): values.negative}
