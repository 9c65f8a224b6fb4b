"""Whether a signal tells foreign pictures from a clinic's own: other diseases, or no dermoscopy at all.

A signal is the higher, the less its picture is to be trusted. `weights` is (R, N), as in `cutis.stats.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cutis.stats.intervals import ROUNDS, Clusters, bootstrap, clusters_of, with_width
from cutis.stats.metrics import Measure, Weights, auc
from cutis.vocabulary.estimate import Estimate

OWN_ANSWERED = 0.95
AUROC = "auroc"
FALSE_POSITIVE_RATE = "fpr95"
ROUNDING = 1e-9


def foreign_auroc(signal: NDArray[np.float64], foreign: NDArray[np.bool_], weights: Weights) -> NDArray[np.float64]:
    """Return how often (R,) a foreign picture has the higher signal of a pair with an own one, ties counted one half.

    Which of the two sides is called positive makes no difference to it.
    """
    return auc(signal, foreign, weights)


def foreign_answered(
    signal: NDArray[np.float64], foreign: NDArray[np.bool_], weights: Weights, *, own_answered: float = OWN_ANSWERED
) -> NDArray[np.float64]:
    """Return the share (R,) of foreign pictures that are answered where at least this share of the own ones is.

    Known as FPR at 95 % TPR, an own picture being the positive and an answer the yes (Hendrycks and Gimpel, ICLR 2017;
    Liang, Li and Srikant, ICLR 2018). All pictures up to a signal are answered, the fewest that make up the share; own
    and foreign ones with the very signal of the last enter together.
    """
    own = ~foreign
    values, at = np.unique(signal[own], return_inverse=True)
    order = np.argsort(at, kind="stable")
    reached = np.cumsum(weights[:, own][:, order], axis=1)[:, np.cumsum(np.bincount(at)) - 1]
    enough = reached >= (own_answered - ROUNDING) * reached[:, -1:]
    threshold = values[enough.argmax(axis=1)]
    of_foreign = weights[:, foreign]
    rounds = np.arange(len(weights))
    by_signal = np.argsort(signal[foreign], kind="stable")
    beneath = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(of_foreign[:, by_signal], axis=1)], axis=1)
    answered = beneath[rounds, np.searchsorted(signal[foreign][by_signal], threshold, side="right")]
    there = (beneath[:, -1] > 0) & (reached[:, -1] > 0)
    share = np.full(len(weights), np.nan)
    np.divide(answered, beneath[:, -1], out=share, where=there)
    return share


def foreign_measures(
    signals: Mapping[str, NDArray[np.float64]], foreign: NDArray[np.bool_], weights: Weights
) -> dict[Measure, NDArray[np.float64]]:
    """Return AUROC and FPR at 95 % TPR (R,) of each signal (N,), under names such as ``distance/auroc``."""
    found = {}
    for name, signal in signals.items():
        found[Measure(name, AUROC)] = foreign_auroc(signal, foreign, weights)
        found[Measure(name, FALSE_POSITIVE_RATE)] = foreign_answered(signal, foreign, weights)
    return found


def estimate_foreign(
    signals: Mapping[str, NDArray[np.float64]],
    foreign: NDArray[np.bool_],
    cluster_ids: Sequence[str],
    *,
    cluster_kind: str,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> dict[str, Estimate]:
    """Return `foreign_measures` with intervals by resampling clusters, own and foreign ones apart.

    Args:
        signals: (N,) each.
        foreign: (N,) which of the pictures are, at least one on either side.
        cluster_ids: of the pictures; no cluster has both sides.
        cluster_kind: "patient" or "lesion".
        generator: the chance that draws the rounds.
        rounds: how many rounds.

    Raises:
        ValueError: there is no own or no foreign picture.
    """
    if foreign.all() or not foreign.any():
        raise ValueError("own and foreign pictures are needed")
    clusters = clusters_of(cluster_ids, foreign.astype(np.int64), kind=cluster_kind, diagnoses=2)

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        return foreign_measures(signals, foreign, weights)

    estimates = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    return {str(measure): _resting(measure, estimate, clusters) for measure, estimate in estimates.items()}


def _resting(measure: Measure, estimate: Estimate, clusters: Clusters) -> Estimate:
    """Say how many clusters a figure rests on: a share of foreign pictures on those, an area on both sides."""
    own, foreign = clusters.having.tolist()
    if measure.what == FALSE_POSITIVE_RATE:
        return with_width(replace(estimate, clusters=foreign), is_share=True)
    note = f"{own} own and {foreign} foreign {clusters.kind}s"
    return with_width(replace(estimate, note=note), is_share=False)
