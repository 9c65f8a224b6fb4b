"""How far two raters lie apart on the same cases: each round draws the same clusters for both.

The p-value of a difference inverts its percentile interval: it is one less the level of the widest such interval that
leaves 0 out (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 15.4). So it claims no more than the
interval beside it, errs as often as that one fails to cover, and is given only where there is one. It is never 0: each
side is counted with one round more than was drawn on it (Davison and Hinkley, Bootstrap Methods and their Application,
1997, section 4.2), so that 2,000 rounds end at 0.001.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.intervals import ROUNDS, Figures, RoundsKind, estimate_of_rounds, known, with_width
from cutis.stats.mcnemar import McNemar, mcnemar
from cutis.stats.metrics import ARGMAX, Measure
from cutis.stats.resampling import LEVEL, Clusters, clusters_in, resample
from cutis.stats.support import qualified, questions_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions


class Compared(NamedTuple):
    """One figure of two raters on the same cases; None where it cannot be computed."""

    reference: float | None
    other: float | None
    difference: Estimate  # other − reference
    p: float | None = None  # two-sided, that there is no difference; not corrected for the number of figures


def compare_figures(
    reference: Figures,
    other: Figures,
    *,
    clusters: Clusters,
    codes: Sequence[str],
    malignant: NDArray[np.bool_] | None = None,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
    level: float = LEVEL,
) -> dict[str, Compared]:
    """Return both values and the difference of every figure that two raters have on the same cases, under its name.

    The difference is taken within each round of the cluster bootstrap, so that what is hard for both cancels out.
    It rests on the same clusters, and carries the same notes, as the figure itself; it is no share, so that where all
    rounds agree it has no interval.

    Args:
        reference: answers weights (R, N) with its figures: `cutis.stats.intervals.figures_of`.
        other: answers with the same figures of the other rater.
        clusters: which of the N cases belong together.
        codes: of the diagnoses.
        malignant: (K,) which of them are, where there are figures of *malignant or not*.
        generator: the chance that draws the rounds.
        rounds: how many rounds.
        level: of the intervals.
    """
    plain = np.ones((1, len(clusters.of_case)))
    values, other_values = reference(plain), other(plain)
    blocks = []
    for weights in resample(clusters, rounds=rounds, generator=generator):
        before, after = reference(weights), other(weights)
        blocks.append({measure: after[measure] - before[measure] for measure in before})
    compared = {}
    for measure, value in values.items():
        drawn = np.concatenate([block[measure] for block in blocks])
        spread = estimate_of_rounds(
            float(other_values[measure][0] - value[0]),
            drawn,
            clusters=len(clusters),
            cluster_kind=clusters.kind,
            kind=RoundsKind(level=level, paired=True),
        )
        difference = with_width(qualified(measure, spread, clusters, codes, malignant=malignant), is_share=False)
        compared[str(measure)] = Compared(
            reference=known(value[0]),
            other=known(other_values[measure][0]),
            difference=difference,
            p=None if difference.low is None else inverted_p(drawn[~np.isnan(drawn)]),
        )
    return compared


def compare_shares(
    reference: Predictions,
    other: Predictions,
    *,
    reference_thresholds: NDArray[np.float64],
    other_thresholds: NDArray[np.float64],
    malignant: NDArray[np.bool_] | None = None,
) -> dict[str, McNemar]:
    """Return McNemar's test of each figure that is a share of right answers, under its name in `compare_figures`.

    A sensitivity is one of the cases with the diagnosis alone, a specificity one of those without it. Predictive values
    are none of them: the two raters give a *yes* on different cases.

    Args:
        reference: at least one case, with truth.
        other: another rater on the same cases, in the same order.
        reference_thresholds: (K,) operating points of the reference for the one-vs-rest convention.
        other_thresholds: (K,) those of the other.
        malignant: (K,) which diagnoses are; without it nothing is said of *malignant or not*.

    Raises:
        UserError: cases, truth, clusters or diagnoses of the two are not the same.
        ValueError: the predictions have no truth.
    """
    require_the_same_cases(reference, other)
    clusters = clusters_in(reference)
    questions = zip(
        questions_of(reference, thresholds=reference_thresholds, malignant=malignant),
        questions_of(other, thresholds=other_thresholds, malignant=malignant),
        strict=True,
    )
    right, also = (each.probabilities.argmax(axis=1) == each.truth for each in (reference, other))
    tested = {str(Measure(ARGMAX, "accuracy")): mcnemar(right, also, clusters=clusters)}
    for before, after in questions:
        right, also = before.flagged == before.has, after.flagged == before.has
        for what, among in (("accuracy", None), ("sensitivity", before.has), ("specificity", ~before.has)):
            tested[str(before.measure(what))] = mcnemar(right, also, clusters=clusters, among=among)
    return tested


def require_the_same_cases(reference: Predictions, other: Predictions) -> None:
    """Refuse to set two raters beside each other who did not answer the same.

    Raises:
        UserError: cases, truth, clusters or diagnoses differ; what differs is named.
    """
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


def inverted_p(drawn: NDArray[np.float64]) -> float:
    """Return the two-sided p of no difference, from the differences (R,) that the rounds of a bootstrap drew.

    See the top of this file; rounds of exactly 0 count on both sides.
    """
    rounds = len(drawn)
    not_above, not_below = np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0)
    return float(min(1.0, 2 * (1 + min(not_above, not_below)) / (1 + rounds)))


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return p-values adjusted for their number, step by step from the smallest (Holm, Scand J Statistics 6:65, 1979).

    To call everything shown whose adjusted p is at most 5 % errs once or more in at most 5 % of all such families.
    What has no p was not tested, belongs to no family and stays without one.

    Raises:
        ValueError: a p that is no probability.
    """
    tested = sorted((p, name) for name, p in p_values.items() if p is not None)
    if not all(0 <= p <= 1 for p, _ in tested):
        raise ValueError("a p-value lies between 0 and 1")
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for step, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - step)))
        adjusted[name] = highest
    return adjusted
