"""What *malignant or not* is worth where it is used: net benefit, and predictive values at a stated prevalence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.stats.decisions import at_prevalence, decision_curve, predictive_values
from cutis.stats.intervals import ROUNDS, Clusters, Figures, bootstrap, clusters_in, qualified, with_width
from cutis.stats.metrics import Measure, Weights
from cutis.stats.proportions import estimate_share
from cutis.stats.rates import answered, counted, rates_of
from cutis.stats.support import RESAMPLED, SUCH_AN_ANSWER, caution, joined, sides_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate, plain
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
    meant_for: float | None = None,
    rounds: int = ROUNDS,
) -> Decisions | None:
    """Return what *malignant or not* is worth; None where the test has only one of the two.

    At the test's own prevalence probabilities are taken as they are; at a stated one they are those for it. Resampling
    keeps the mix of the test, so that its own prevalence is as fixed as a stated one.

    Args:
        predictions: with truth.
        malignant: (K,) which diagnoses are.
        threshold: from which summed probability on the answer is yes; None: no predictive values.
        prevalences: of malignancy, at which it is asked beside the test's own.
        generator: the chance that draws the rounds.
        meant_for: the prevalence of malignancy that the probabilities are those of; the test's own, where not known.
        rounds: how many rounds.
    """
    score, has = predictions.probabilities[:, malignant].sum(axis=1), malignant[np.asarray(predictions.truth)]
    if has.all() or not has.any():
        return None
    own, stated = float(has.mean()), {named(prevalence): prevalence for prevalence in prevalences}
    before = own if meant_for is None else meant_for
    moved = {OWN: score} | {name: at_prevalence(score, before=before, after=at) for name, at in stated.items()}
    flagged = None if threshold is None else score >= threshold
    clusters = clusters_in(predictions)
    drawn = bootstrap(_figures(moved, flagged, has, stated), clusters, rounds=rounds, generator=generator)
    resting = {
        measure: qualified(measure, each, clusters, predictions.codes, malignant=malignant, is_difference=False)
        for measure, each in drawn.items()
    }
    return Decisions(
        own=own,
        prevalences=tuple(prevalences),
        threshold=threshold,
        net_benefit={
            name: {
                whom: [with_width(resting[_benefit(name, whom, limit)], is_share=False) for limit in THRESHOLDS]
                for whom in ("network", "all")
            }
            for name in moved
        },
        predictive_values={}
        if flagged is None
        else {OWN: _own_values(flagged, has, clusters)}
        | {
            name: {what: _made_of_rates(drawn[_value(name, what)], flagged, has, clusters) for what in ("ppv", "npv")}
            for name in stated
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


def _benefit(name: str, whom: str, limit: float) -> Measure:
    return Measure(name, f"malignant_{whom}@{limit:g}")


def _value(name: str, what: str) -> Measure:
    return Measure(name, f"malignant_{what}")


def _figures(
    scores: Mapping[str, NDArray[np.float64]],
    flagged: NDArray[np.bool_] | None,
    has: NDArray[np.bool_],
    stated: Mapping[str, float],
) -> Figures:
    """Return what answers weights (R, N) with every net benefit, and with predictive values at stated prevalences.

    Args:
        scores: probabilities of malignancy (N,) by the name of a prevalence.
        flagged: (N,) who is called malignant; None: no predictive values.
        has: (N,) who is malignant.
        stated: prevalences by their names; whatever else has scores is the test's own.
    """
    limits = np.array(THRESHOLDS)
    answers = None if flagged is None else answered(flagged[:, None], has[:, None])

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        found: dict[Measure, NDArray[np.float64]] = {}
        for name, score in scores.items():
            curve = decision_curve(score, has, thresholds=limits, weights=weights, prevalence=stated.get(name))
            for whom, line in (("network", curve.by_network), ("all", curve.treat_all)):
                found |= {_benefit(name, whom, limit): line[:, place] for place, limit in enumerate(THRESHOLDS)}
        if answers is None:
            return found
        rates = rates_of(counted(answers, weights))
        for name, at in stated.items():
            values = predictive_values(rates.sensitivity.ravel(), rates.specificity.ravel(), prevalence=at)
            found |= {_value(name, "ppv"): values.positive, _value(name, "npv"): values.negative}
        return found

    return figures


def _own_values(flagged: NDArray[np.bool_], has: NDArray[np.bool_], clusters: Clusters) -> dict[str, Estimate]:
    """Return the predictive values of the test as it is: shares of those who got the answer."""
    return {
        "ppv": estimate_share(has, clusters, among=flagged, of_whom=SUCH_AN_ANSWER),
        "npv": estimate_share(~has, clusters, among=~flagged, of_whom=SUCH_AN_ANSWER),
    }


def _made_of_rates(
    estimate: Estimate, flagged: NDArray[np.bool_], has: NDArray[np.bool_], clusters: Clusters
) -> Estimate:
    """Say where a predictive value at a stated prevalence rests on too few: it is made of two shares, and is none."""
    nobody = f"no {clusters.kind}s {SUCH_AN_ANSWER}" if estimate.value is None else ""
    notes = [
        caution(
            {f"{clusters.kind}s {whom}": len(np.unique(clusters.of_case[among]))},
            RESAMPLED["share"],
            value=float(right[among].mean()),
        )
        for whom, among, right in zip(sides_of(None), (has, ~has), (flagged, ~flagged), strict=True)
    ]
    return with_width(replace(estimate, note=joined(nobody, estimate.note, *notes)), is_share=False)
