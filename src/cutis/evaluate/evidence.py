"""From what a network said of the test split to every figure about it. Pure: no file, no network, chance handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.areas import estimate_areas
from cutis.stats.intervals import clusters_in, estimate_mean, estimate_metrics
from cutis.stats.metrics import confusion_matrix
from cutis.stats.proportions import estimate_shares
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions

SEED = 0
UNANSWERED = "a diagnosis is never the answer, or always"


class Evidence(NamedTuple):
    """What is known of a network on settled cases."""

    estimates: dict[str, Estimate]  # by the names of `cutis.stats.metrics.measures`
    support: dict[str, dict[str, int]]  # cases and clusters of each diagnosis
    clusters: int
    confusion: NDArray[np.int64]  # (K, K), rows the truth, columns the answer by arg-max


def chance_of_rounds(dataset_sha256: str) -> np.random.Generator:
    """Return the chance that draws the rounds: it hangs on the dataset alone, so that bundles compare in pairs."""
    return chance(SEED, "bootstrap", dataset_sha256)


def predictions_of(cases: Manifest, probabilities: NDArray[np.float64], *, rater: str) -> Predictions:
    """Join cases of the test split with what was said of them; without a truth where any case is indeterminate."""
    codes = cases.taxonomy.codes
    settled = all(case.indeterminate is None for case in cases.cases)
    return Predictions(
        case_ids=tuple(cases.column("case_id")),
        cluster_ids=tuple(cases.column("cluster_id")),
        cluster_kind=cases.cluster_kind,
        truth=np.array([codes.index(code) for code in cases.column("diagnosis")]) if settled else None,
        probabilities=probabilities,
        codes=codes,
        taxonomy_sha256=cases.taxonomy.sha256,
        split="test",
        rater=rater,
    )


def evidence_of(
    predictions: Predictions,
    *,
    thresholds: NDArray[np.float64],
    generator: np.random.Generator,
    malignant: NDArray[np.bool_] | None = None,
    malignant_threshold: float | None = None,
) -> Evidence:
    """Return every figure of settled cases, with its interval.

    Areas have Obuchowski's interval, shares Wilson's by cluster, all else that of the BCa bootstrap of clusters: as
    `benchmarks/coverage.py` finds them to hold the truth.

    Args:
        predictions: with truth.
        thresholds: (K,) operating points of one-vs-rest.
        generator: the chance that draws the rounds.
        malignant: (K,) which diagnoses are; None where all are alike in it.
        malignant_threshold: for *malignant or not* under one-vs-rest; None: not answered.
    """
    truth, codes = predictions.truth, predictions.codes
    if truth is None:
        raise ValueError("figures need a truth")
    clusters = clusters_in(predictions)
    counts = zip(np.bincount(truth, minlength=len(codes)).tolist(), clusters.having.tolist(), strict=True)
    asked: dict[str, Any] = {"malignant": malignant, "malignant_threshold": malignant_threshold}
    resampled = estimate_metrics(predictions, thresholds=thresholds, generator=generator, interval="bca", **asked)
    areas = estimate_areas(predictions, malignant=malignant)
    shares = estimate_shares(predictions, thresholds=thresholds, **asked)
    return Evidence(
        estimates={name: _explained(estimate) for name, estimate in (resampled | areas | shares).items()},
        support={code: {"cases": n, "clusters": c} for code, (n, c) in zip(codes, counts, strict=True)},
        clusters=len(clusters),
        confusion=confusion_matrix(truth, predictions.probabilities.argmax(axis=1), kinds=len(codes)),
    )


def evidence_beside(
    settled: Predictions, stratum: Manifest, said: Predictions | None, *, generator: np.random.Generator
) -> dict[str, Estimate]:
    """Return what can be said of the indeterminate stratum, which has no settled truth, beside the settled cases.

    How sure the network is of it and of the rest; how often it says what at least one rater said, or the diagnosis
    where only the picture was too poor; and the arg-max accuracy over both if every indeterminate case were wrong,
    which no settling of them can undercut.
    """
    estimates = {"settled/mean_top_probability": _mean(settled.probabilities.max(axis=1), settled, generator)}
    if said is None:
        return estimates
    answers = [said.codes[kind] for kind in said.probabilities.argmax(axis=1)]
    voted = [{vote.code for vote in case.votes} for case in stratum.cases]
    known = [{case.diagnosis} - {None} for case in stratum.cases]
    together = estimate_mean(
        np.concatenate([_is_right(settled), np.zeros(len(said))]),
        [*settled.cluster_ids, *said.cluster_ids],
        cluster_kind=settled.cluster_kind,
        generator=generator,
    )
    return estimates | {
        "indeterminate/mean_top_probability": _mean(said.probabilities.max(axis=1), said, generator),
        "indeterminate/agrees_with_a_rater": _mean(_agreement(answers, voted), said, generator),
        "indeterminate/agrees_with_the_diagnosis": _mean(_agreement(answers, known), said, generator),
        "both/accuracy_if_indeterminate_were_wrong": together,
    }


def reasons(stratum: Manifest) -> dict[str, int]:
    """Count the indeterminate cases by their reason, most frequent first."""
    return dict(Counter(stratum.column("indeterminate")).most_common())


def _explained(estimate: Estimate) -> Estimate:
    """Say why there is no value where no diagnosis is absent, as of predictive values of answers that nobody got."""
    return replace(estimate, note=UNANSWERED) if estimate.value is None and not estimate.note else estimate


def _is_right(predictions: Predictions) -> NDArray[np.float64]:
    return np.where(predictions.probabilities.argmax(axis=1) == predictions.truth, 1.0, 0.0)


def _agreement(answers: Sequence[str], heard: Sequence[set[Any]]) -> NDArray[np.float64]:
    """Return one where the answer was heard and zero where it was not; NaN where nothing was heard."""
    return np.array([float(answer in said) if said else np.nan for answer, said in zip(answers, heard, strict=True)])


def _mean(values: NDArray[np.float64], predictions: Predictions, generator: np.random.Generator) -> Estimate:
    """Average a value per case, over the cases that have one."""
    there = np.flatnonzero(~np.isnan(values))
    kind = predictions.cluster_kind
    if not len(there):
        note = "no case of the stratum has any"
        return Estimate(value=None, low=None, high=None, method="none", clusters=0, cluster_kind=kind, note=note)
    ids = [predictions.cluster_ids[case] for case in there]
    return estimate_mean(values[there], ids, cluster_kind=kind, generator=generator)
