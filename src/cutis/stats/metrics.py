"""How right a rater is: every figure of what was said and the truth, for any weights of the cases.

A measure is a pure function answering weights (R, N) with a figure (R,): a row of ones for the plain figure, or a row
per round of a bootstrap, all at once. N cases, K diagnoses. What cannot be computed, such as the sensitivity of a
diagnosis nobody has, is NaN. What the figures are made of stands in `weights`, `rates`, `ranking` and `scores`, and
can be asked for here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.agreement import cohen_kappa
from cutis.stats.ranking import (
    Areas,
    PrecisionRecallCurve,
    RocCurve,
    areas,
    auc,
    auc_by_diagnosis,
    average_precision,
    precision_recall_curve,
    ranked,
    ranked_together,
    roc_curve,
)
from cutis.stats.rates import Rates, accuracy, answered, by_prevalence, counted, rates, rates_of
from cutis.stats.scores import brier_scores, log_losses, named_before
from cutis.stats.weights import SideBySide, Weights, one_hot, ratio, rounds_side_by_side, weighted_mean

__all__ = [
    "ARGMAX",
    "ONE_VS_REST",
    "SHARES",
    "ByMeasure",
    "Measure",
    "Measuring",
    "PrecisionRecallCurve",
    "Rates",
    "RocCurve",
    "Weights",
    "accuracy",
    "auc",
    "auc_by_diagnosis",
    "average_precision",
    "brier_scores",
    "confusion_matrix",
    "log_losses",
    "matthews_correlation",
    "measures",
    "measuring",
    "one_hot",
    "precision_recall_curve",
    "rates",
    "roc_curve",
    "weighted_mean",
]

ARGMAX = "argmax"
ONE_VS_REST = "one_vs_rest"
AMONG_THE_FIRST = (2, 3)
# What is a share of some cases, each of them right or wrong; an average of shares is none.
SHARES = frozenset(
    {"sensitivity", "specificity", "accuracy", "ppv", "npv"}
    | {f"malignant_{what}" for what in ("sensitivity", "specificity", "accuracy", "ppv", "npv")}
    | {f"top_{first}_accuracy" for first in AMONG_THE_FIRST}
)


class Measure(NamedTuple):
    """The name of a figure: under which convention, what, and of which diagnosis (none: of all together)."""

    convention: str | None
    what: str
    diagnosis: str | None = None

    def __str__(self) -> str:
        return "/".join(filter(None, self))


ByMeasure = dict[Measure, NDArray[np.float64]]  # figures, each of them (R,)
Measuring = Callable[[Weights], ByMeasure]


def measures(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    codes: Sequence[str],
    thresholds: NDArray[np.float64],
    weights: Weights,
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
) -> ByMeasure:
    """Return every figure (R,) of a rater who gives probabilities (N, K), for these weights alone: see `measuring`."""
    figures = measuring(
        probabilities,
        truth,
        codes=codes,
        thresholds=thresholds,
        malignant=malignant,
        malignant_threshold=malignant_threshold,
    )
    return figures(weights)


def measuring(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    codes: Sequence[str],
    thresholds: NDArray[np.float64],
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
) -> Measuring:
    """Return what answers any weights with every figure of a rater; what needs no weights, such as sorting, is done.

    *argmax*: the most probable diagnosis is the answer; accuracy is the share of right answers, balanced accuracy the
    mean sensitivity (as ISIC scores). *one_vs_rest*: each diagnosis on its own, yes at or above its threshold. Areas,
    log loss, Brier score and *among the first two or three* need no convention; equally probable diagnoses are named
    in the order of the taxonomy.

    A *macro* figure is the mean over the diagnoses that the truth contains, a *weighted* one their mean by how many
    have each, a *pooled* one takes all questions, K for each case, as one. Where one of those diagnoses has no figure,
    such as the predictive value of an answer never given, macro and weighted are NaN too.

    *Malignant or not* is one more question: its score is the summed probability of the malignant diagnoses, its answer
    by arg-max whether the most probable diagnosis is malignant.

    Args:
        probabilities: (N, K).
        truth: (N,) index of the diagnosis.
        codes: names of the diagnoses.
        thresholds: (K,) operating points of one-vs-rest.
        malignant: (K,) which diagnoses are malignant; without it nothing is said of it.
        malignant_threshold: yes at or above it, for *malignant or not* under one-vs-rest; without it not answered.
    """
    said, diagnoses = probabilities.argmax(axis=1), _Diagnoses(tuple(codes), np.unique(truth))
    parts = [
        _agreement(said, truth, kinds=len(codes)),
        _answers(ARGMAX, one_hot(said, len(codes)) > 0, truth, diagnoses=diagnoses),
        _answers(ONE_VS_REST, probabilities >= thresholds, truth, diagnoses=diagnoses),
        _rankings(probabilities, truth, diagnoses=diagnoses, malignant=malignant),
        _means(probabilities, truth),
    ]
    if malignant is not None:
        parts.append(_malignant(probabilities, truth, malignant=malignant, threshold=malignant_threshold))

    def figures(weights: Weights) -> ByMeasure:
        weights = np.asarray(weights, dtype=np.float64)
        side_by_side = rounds_side_by_side(weights, times=len(codes))
        found = [part(weights, side_by_side) for part in parts]
        named = [(measure, figure) for figures in found for measure, figure in figures.items()]
        return dict(sorted(named, key=lambda figure: figure[0].diagnosis is not None))

    return figures


def matthews_correlation(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation (R,) of truth and answer, from how often (R, K, K) each truth (row) got each answer.

    Matthews' coefficient for many diagnoses (Gorodkin, Computational Biology and Chemistry 28:367, 2004); NaN where
    all cases have one diagnosis, or all got one answer.
    """
    has, said, total = confusion.sum(axis=2), confusion.sum(axis=1), confusion.sum(axis=(1, 2))
    # Σ p (1 − p), without a difference: exactly zero where all are of one kind.
    others = 1 - np.eye(confusion.shape[1])
    spread = (has * (has @ others)).sum(axis=1) * (said * (said @ others)).sum(axis=1)
    together = total * np.trace(confusion, axis1=1, axis2=2) - (has * said).sum(axis=1)
    return ratio(together, np.sqrt(spread))


def confusion_matrix(truth: NDArray[np.int64], said: NDArray[np.int64], *, kinds: int) -> NDArray[np.int64]:
    """Return how many cases (K, K) of each truth (row) were called each diagnosis (column)."""
    return np.bincount(truth * kinds + said, minlength=kinds * kinds).reshape(kinds, kinds)


_Part = Callable[[Weights, SideBySide], ByMeasure]


class _Diagnoses(NamedTuple):
    codes: tuple[str, ...]
    present: NDArray[np.int64]  # those that the truth contains


def _answers(convention: str, flagged: NDArray[np.bool_], truth: NDArray[np.int64], *, diagnoses: _Diagnoses) -> _Part:
    """Each diagnosis as a question of its own, answered yes where flagged (N, K)."""
    answers = answered(flagged, one_hot(truth, len(diagnoses.codes)) > 0)

    def figures(weights: Weights, _: SideBySide) -> ByMeasure:
        counts = counted(answers, weights)
        each, pooled = rates_of(counts), rates_of(counts.pooled)
        balanced = (each.sensitivity + each.specificity) / 2
        found = _averaged(convention, each, pooled, positive=counts.positive, diagnoses=diagnoses)
        if convention == ONE_VS_REST:
            found[Measure(convention, "macro_balanced_accuracy")] = balanced[:, diagnoses.present].mean(axis=1)
        return found

    return figures


def _rankings(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    diagnoses: _Diagnoses,
    malignant: NDArray[np.bool_] | None,
) -> _Part:
    """Each diagnosis by its probability against the rest, all of them in one ranking, and the malignant together."""
    kinds = range(len(diagnoses.codes))
    has = one_hot(truth, len(kinds))
    lacks = 1 - has
    rankings = [ranked(probabilities[:, kind], truth == kind) for kind in kinds]
    together = ranked_together(probabilities, truth)
    of_malignant = None if malignant is None else ranked(probabilities[:, malignant].sum(axis=1), malignant[truth])

    def figures(weights: Weights, side_by_side: SideBySide) -> ByMeasure:
        positive, negative = weights @ has, weights @ lacks
        by_kind = [areas(rankings[kind], side_by_side, negative=negative[:, kind]) for kind in kinds]
        each = Areas(*(np.column_stack(column) for column in zip(*by_kind, strict=True)))
        pooled = areas(together, side_by_side, negative=negative.sum(axis=1))
        found = _averaged(None, each, pooled, positive=positive, diagnoses=diagnoses)
        if malignant is not None and of_malignant is not None:
            benign = positive[:, ~malignant].sum(axis=1)
            of_both = areas(of_malignant, side_by_side, negative=benign)
            found |= {Measure(None, f"malignant_{what}"): figure for what, figure in of_both._asdict().items()}
        return found

    return figures


def _agreement(said: NDArray[np.int64], truth: NDArray[np.int64], *, kinds: int) -> _Part:
    """The answer by arg-max beside the truth."""
    from scipy.sparse import csr_array

    pairs, cells = np.arange(kinds**2), truth * kinds + said
    sorted_into = csr_array(
        (np.ones(len(cells), dtype=np.float32), (cells, np.arange(len(cells)))), shape=(kinds**2, len(cells))
    )
    present = np.unique(truth)

    def figures(_: Weights, side_by_side: SideBySide) -> ByMeasure:
        counts = (sorted_into @ side_by_side.T).T.astype(np.float64)
        confusion = counts.reshape(-1, kinds, kinds)
        right = np.diagonal(confusion, axis1=1, axis2=2)
        with np.errstate(invalid="ignore"):  # rounds without any weight
            kappa = cohen_kappa(pairs // kinds, pairs % kinds, kinds=kinds, weights=counts)
        return {
            Measure(ARGMAX, "accuracy"): ratio(right.sum(axis=1), counts.sum(axis=1)),
            Measure(ARGMAX, "balanced_accuracy"): ratio(right, confusion.sum(axis=2))[:, present].mean(axis=1),
            Measure(ARGMAX, "cohen_kappa"): kappa,
            Measure(ARGMAX, "matthews_correlation"): matthews_correlation(confusion),
        }

    return figures


def _means(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> _Part:
    """What is a value per case, averaged."""
    values = {"log_loss": log_losses(probabilities, truth), "brier": brier_scores(probabilities, truth)}
    before = named_before(probabilities, truth)
    for first in AMONG_THE_FIRST:
        if first < probabilities.shape[1]:
            values[f"top_{first}_accuracy"] = (before < first).astype(np.float64)

    def figures(weights: Weights, _: SideBySide) -> ByMeasure:
        return {Measure(None, what): weighted_mean(value, weights) for what, value in values.items()}

    return figures


def _malignant(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    malignant: NDArray[np.bool_],
    threshold: float | None,
) -> _Part:
    """*Malignant or not*, as one question, answered."""
    has, asked = malignant[truth], {ARGMAX: malignant[probabilities.argmax(axis=1)]}
    if threshold is not None:
        asked[ONE_VS_REST] = probabilities[:, malignant].sum(axis=1) >= threshold
    answers = {convention: answered(flagged[:, None], has[:, None]) for convention, flagged in asked.items()}

    def figures(weights: Weights, _: SideBySide) -> ByMeasure:
        return {
            Measure(convention, f"malignant_{what}"): figure.ravel()
            for convention, given in answers.items()
            for what, figure in rates_of(counted(given, weights))._asdict().items()
        }

    return figures


def _averaged(
    convention: str | None,
    each: Rates | Areas,
    pooled: Rates | Areas,
    *,
    positive: NDArray[np.float64],
    diagnoses: _Diagnoses,
) -> ByMeasure:
    """Name what was found of each diagnosis (R, K) and of all pooled (R, 1), and average over the diagnoses."""
    found: ByMeasure = {}
    for what, by_diagnosis, of_all in zip(each._fields, each, pooled, strict=True):
        found[Measure(convention, f"macro_{what}")] = by_diagnosis[:, diagnoses.present].mean(axis=1)
        found[Measure(convention, f"weighted_{what}")] = by_prevalence(by_diagnosis, positive)
        found[Measure(convention, f"pooled_{what}")] = of_all.ravel()
        found |= {Measure(convention, what, code): by_diagnosis[:, kind] for kind, code in enumerate(diagnoses.codes)}
    return found
