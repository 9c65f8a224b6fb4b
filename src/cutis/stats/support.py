"""On how many clusters a figure rests, and how few are too few for its interval: the one place where this rule stands.

The limits are read from a simulation (`benchmarks/coverage.py`): of figures that keep clear of them, about 93 of 100
intervals of 95 % held the truth or more, of those that do not, fewer. They count clusters on each side that a figure
rests on: a sensitivity rests on those with the diagnosis, a specificity on those without it, a predictive value on
those with such an answer, an area on both sides. And they count *misses*, the part of the clusters that a share or an
area falls short of 1 by, or exceeds 0 by: what lies near an end is decided by very few clusters, and the next few may
tell otherwise. Formulas whose interval is made for few clusters and for the ends need less of both than resampling
does. Figures over all diagnoses average the doubt about each, and name those that fewer than `FEWEST_CLUSTERS` carry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.metrics import ARGMAX, ONE_VS_REST, SHARES, Measure
from cutis.stats.resampling import Clusters
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

FEWEST_CLUSTERS = 10  # what fewer carry does not speak for itself
AREAS = {"auc"}
MALIGNANT = "malignant_"
SUCH_AN_ANSWER = "with such an answer"
NO_WIDTH = 1e-12


class Least(NamedTuple):
    """What an interval needs to be trusted."""

    clusters: int  # on each side that the figure rests on
    misses: float  # of the side with fewer clusters, how many at least count for neither 0 nor 1


RESAMPLED = {"share": Least(40, 5), "area": Least(40, 2), "other": Least(20, 0)}
BY_FORMULA = {"share": Least(10, 0), "area": Least(10, 2)}


class Question(NamedTuple):
    """*Has this case it, or not*, and what was answered."""

    convention: str
    prefix: str  # of the names of its figures
    diagnosis: str | None
    flagged: NDArray[np.bool_]  # (N,)
    has: NDArray[np.bool_]  # (N,)

    def measure(self, what: str) -> Measure:
        """Return the name of one of its figures."""
        return Measure(self.convention, f"{self.prefix}{what}", self.diagnosis)

    @property
    def sides(self) -> tuple[str, str]:
        """What is said of those who have it, and of those who have it not."""
        return sides_of(self.diagnosis)


def caution(
    counts: Mapping[str, int], least: Least, *, value: float | None = None, why: str = "too few to rely on the interval"
) -> str:
    """Say of which clusters there are too few for an interval, or that the value lies too near an end for them.

    Args:
        counts: how many clusters, by what they are called, such as "patients with MEL".
        least: what the interval needs.
        value: a share or an area, 0 to 1; None for any other figure, and for differences.
        why: what is said of too few.

    Returns:
        A note; empty where nothing is to be said.
    """
    absent = [f"no {what}" for what, count in counts.items() if not count]
    few = absent or [
        f"only {_numbered(count, what)}: {why}" for what, count in counts.items() if count < least.clusters
    ]
    if few or value is None or np.isnan(value):
        return "; ".join(few)
    what, count = min(counts.items(), key=lambda each: each[1])
    if count * min(value, 1 - value) >= least.misses:
        return ""
    return f"too near {round(value)} for {_numbered(count, what)} to rely on the interval"


def lacks_width(estimate: Estimate) -> bool:
    """Return whether there is an interval, and all rounds agreed on it."""
    return estimate.low is not None and estimate.high is not None and estimate.high - estimate.low <= NO_WIDTH


def qualified(
    measure: Measure,
    estimate: Estimate,
    clusters: Clusters,
    codes: Sequence[str],
    *,
    malignant: NDArray[np.bool_] | None = None,
    answering: Mapping[Measure, int] | None = None,
    is_difference: bool = True,
) -> Estimate:
    """Say on how many clusters a resampled figure rests, and where they are too few for it.

    Args:
        measure: which figure.
        estimate: its interval.
        clusters: of the whole test.
        codes: of the diagnoses.
        malignant: (K,) which of them are; for *malignant or not*.
        answering: by `answering_clusters`, how many a predictive value rests on.
        is_difference: whether the estimate is a difference of two such figures, so that none of it lies near an end.
    """
    kind = _kind_of(measure)
    value = None if is_difference or kind == "other" else estimate.value
    counts = _sides(measure, clusters, codes, malignant)
    if answering is not None and measure in answering:
        counts = {f"{clusters.kind}s {SUCH_AN_ANSWER}": answering[measure]}
    by_formula = kind == "share" and not is_difference and lacks_width(estimate)  # it gets Wilson's
    note = caution(counts, (BY_FORMULA if by_formula else RESAMPLED)[kind], value=value)
    if measure.diagnosis is None and not measure.what.startswith(MALIGNANT):
        note = joined(_rare(clusters, codes), note)
    resting = next(iter(counts.values())) if len(counts) == 1 else len(clusters)
    return replace(estimate, clusters=resting, note=joined(estimate.note, note))


def qualified_mean(estimate: Estimate, *, is_share: bool) -> Estimate:
    """Say where too few clusters carry a resampled mean of a value per case."""
    kind = "share" if is_share else "other"
    least = (BY_FORMULA if is_share and lacks_width(estimate) else RESAMPLED)[kind]
    counts = {f"{estimate.cluster_kind}s": estimate.clusters}
    return replace(
        estimate, note=joined(estimate.note, caution(counts, least, value=estimate.value if is_share else None))
    )


def questions_of(
    predictions: Predictions,
    *,
    thresholds: NDArray[np.float64],
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
) -> list[Question]:
    """Return every question of yes or no that `cutis.stats.metrics.measures` has figures of, with its answers.

    Raises:
        ValueError: the predictions have no truth.
    """
    chances, truth = predictions.probabilities, predictions.truth
    if truth is None:
        raise ValueError("figures need a truth")
    said = chances.argmax(axis=1)
    questions = []
    for kind, code in enumerate(predictions.codes):
        has = truth == kind
        questions.append(Question(ARGMAX, "", code, said == kind, has))
        questions.append(Question(ONE_VS_REST, "", code, chances[:, kind] >= thresholds[kind], has))
    if malignant is not None:
        has = malignant[truth]
        questions.append(Question(ARGMAX, MALIGNANT, None, malignant[said], has))
        if malignant_threshold is not None:
            flagged = chances[:, malignant].sum(axis=1) >= malignant_threshold
            questions.append(Question(ONE_VS_REST, MALIGNANT, None, flagged, has))
    return questions


def answering_clusters(questions: Sequence[Question], clusters: Clusters) -> dict[Measure, int]:
    """Return in how many clusters a question is answered with yes, which a ppv rests on, or with no, for an npv."""
    return {
        question.measure(what): len(np.unique(clusters.of_case[answered]))
        for question in questions
        for what, answered in (("ppv", question.flagged), ("npv", ~question.flagged))
    }


def sides_of(diagnosis: str | None) -> tuple[str, str]:
    """Return what is said of those who have a diagnosis, or a malignant one, and of those who have it not."""
    if diagnosis is None:
        return "with a malignant diagnosis", "with a benign diagnosis"
    return f"with {diagnosis}", f"without {diagnosis}"


def joined(*notes: str) -> str:
    """Return several notes as one."""
    return "; ".join(dict.fromkeys(filter(None, notes)))


def _numbered(count: int, what: str) -> str:
    """Count things whose name begins with a plural, such as "patients with MEL"."""
    things, space, said = what.partition(" ")
    return f"{count} {things.removesuffix('s') if count == 1 else things}{space}{said}"


def _kind_of(measure: Measure) -> str:
    if measure.what in SHARES:
        return "share"
    return "area" if measure.what.removeprefix(MALIGNANT) in AREAS else "other"


def _sides(
    measure: Measure, clusters: Clusters, codes: Sequence[str], malignant: NDArray[np.bool_] | None
) -> dict[str, int]:
    """Return how many clusters each side of a figure has, by what they are called."""
    unit, what = f"{clusters.kind}s", measure.what.removeprefix(MALIGNANT)
    if measure.diagnosis is not None:
        asked = np.array(codes) == measure.diagnosis
    elif what != measure.what and malignant is not None:
        asked = malignant
    else:
        return {unit: len(clusters)}
    having, lacking = (f"{unit} {side}" for side in sides_of(measure.diagnosis))
    sides = {
        having: int(clusters.presence[:, asked].any(axis=1).sum()),
        lacking: int(clusters.presence[:, ~asked].any(axis=1).sum()),
    }
    match what:
        case "sensitivity":
            return {having: sides[having]}
        case "specificity":
            return {lacking: sides[lacking]}
        case "accuracy":
            return {unit: len(clusters)} | {side: count for side, count in sides.items() if not count}
        case _:
            return sides


def _rare(clusters: Clusters, codes: Sequence[str]) -> str:
    """Say which diagnoses are absent, and which are too rare to carry their share of the doubt."""
    having = dict(zip(codes, clusters.having.tolist(), strict=True))
    absent = ", ".join(code for code, count in having.items() if count == 0)
    rare = ", ".join(f"{code} ({count})" for code, count in having.items() if 0 < count < FEWEST_CLUSTERS)
    return joined(
        absent and f"not in this test: {absent}",
        rare and f"fewer than {FEWEST_CLUSTERS} {clusters.kind}s: {rare}",
    )
