"""How far two raters lie apart on the same cases: each round draws the same clusters for both."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.intervals import ROUNDS, bootstrap, clusters_in, figures_of, known, qualified, with_width
from cutis.stats.metrics import Measure, Weights
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions


class Compared(NamedTuple):
    """One figure of two raters on the same cases; None where it cannot be computed."""

    reference: float | None
    other: float | None
    difference: Estimate  # other − reference


def compare_metrics(
    reference: Predictions,
    other: Predictions,
    *,
    reference_thresholds: NDArray[np.float64],
    other_thresholds: NDArray[np.float64],
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> dict[str, Compared]:
    """Return both values and the difference of every figure of `cutis.stats.metrics.measures`, under its name.

    The difference is taken within each round of the cluster bootstrap, so that what is hard for both cancels out.
    It rests on the same clusters, and carries the same notes, as the figure itself; it is no share, so that where all
    rounds agree it has no interval.

    Args:
        reference: at least one case, with truth.
        other: another rater on the same cases, in the same order.
        reference_thresholds: (K,) operating points of the reference for the one-vs-rest convention.
        other_thresholds: (K,) those of the other.
        generator: the chance that draws the rounds.
        rounds: how many rounds.

    Raises:
        UserError: cases, truth, clusters or diagnoses of the two are not the same.
        ValueError: the predictions have no truth.
    """
    _require_the_same_cases(reference, other)
    clusters = clusters_in(reference)
    of_reference = figures_of(reference, thresholds=reference_thresholds)
    of_other = figures_of(other, thresholds=other_thresholds)

    def differences(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        before, after = of_reference(weights), of_other(weights)
        return {measure: after[measure] - before[measure] for measure in before}

    plain = np.ones((1, len(reference)))
    values, other_values = of_reference(plain), of_other(plain)
    estimates = bootstrap(differences, clusters, rounds=rounds, generator=generator)
    compared = {}
    for measure, estimate in estimates.items():
        paired = replace(estimate, method=f"paired {estimate.method}")
        difference = with_width(qualified(measure, paired, clusters, reference.codes), is_share=False)
        compared[str(measure)] = Compared(known(values[measure][0]), known(other_values[measure][0]), difference)
    return compared


def _require_the_same_cases(reference: Predictions, other: Predictions) -> None:
    same = {
        "cases": reference.case_ids == other.case_ids,
        "clusters": (reference.cluster_kind, reference.cluster_ids) == (other.cluster_kind, other.cluster_ids),
        "diagnoses": reference.codes == other.codes,
        "truth": np.array_equal(np.asarray(reference.truth), np.asarray(other.truth)),
    }
    differing = ", ".join(what for what, is_same in same.items() if not is_same)
    if differing:
        what = f"{reference.rater} and {other.rater} cannot be compared in pairs: they differ in {differing}"
        mend = "let both answer for the same test split, in the same order"
        raise UserError(what, where=f"predictions of {other.rater}", mend=mend)
