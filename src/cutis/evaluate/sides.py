"""What some of a test's cases give, figure by figure, where enough clusters carry it.

A figure has parts: a macro figure one for each diagnosis, any other a single one. A part speaks where at least
`FEWEST_CLUSTERS` clusters carry it: a diagnosis of a single case would weigh as much in a macro figure as one of a
hundred, and resampling would show no doubt about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.intervals import FEWEST_CLUSTERS, clusters_of
from cutis.stats.metrics import Weights, auc, log_losses, weighted_mean
from cutis.stats.support import RESAMPLED, caution, joined
from cutis.vocabulary.predictions import Predictions

FIGURES = {
    "macro_auc": "macro AUC",
    "argmax/balanced_accuracy": "balanced accuracy, arg-max",
    "argmax/accuracy": "accuracy, arg-max",
    "argmax/malignant_sensitivity": "share of malignant cases called malignant, arg-max",
    "argmax/malignant_specificity": "share of benign cases called benign, arg-max",
    "log_loss": "log loss",
    "overconfidence": "mean probability of the answer less the share of right answers",
}
AREA, BALANCED, *OF_CASES = FIGURES  # means over diagnoses, and means over cases
SHARES = {name for name in OF_CASES if name.startswith("argmax/")}
OF_WHOM = {
    "argmax/malignant_sensitivity": " with a malignant diagnosis",
    "argmax/malignant_specificity": " with a benign diagnosis",
}  # of all else


class Mean(NamedTuple):
    """A figure that is the mean of a value per case."""

    values: NDArray[np.float64]  # (N,)
    among: NDArray[np.bool_]  # (N,) the cases that it is the mean of


class Judged(NamedTuple):
    """What was said of N cases, held against their truth, as the figures need it."""

    predictions: Predictions
    truth: NDArray[np.int64]  # (N,)
    right: NDArray[np.float64]  # (N,) one where the answer is right
    means: dict[str, Mean]  # by the names of OF_CASES


class Side(NamedTuple):
    """Some of the cases, and how many clusters carry each part of each figure."""

    key: bytes
    members: NDArray[np.int64]  # (n,) of N
    clusters: int
    kind: str  # of cluster
    carrying: dict[str, NDArray[np.int64]]  # (K,) or (1,)

    def speaks(self, figure: str) -> NDArray[np.bool_]:
        """Which parts of a figure are carried by enough clusters."""
        return self.carrying[figure] >= FEWEST_CLUSTERS

    def resting(self, figure: str) -> int:
        """On how many clusters a figure rests: all of them, where it is a mean over diagnoses."""
        return int(self.carrying[figure][0]) if figure in OF_CASES else self.clusters


def judged_by_truth(predictions: Predictions, *, malignant: NDArray[np.bool_]) -> Judged:
    """Return predictions as the figures need them; `malignant` (K,) says which diagnoses are.

    Raises:
        ValueError: the predictions have no truth.
    """
    truth, probabilities = predictions.truth, predictions.probabilities
    if truth is None:
        raise ValueError("figures need a truth")
    said, every = probabilities.argmax(axis=1), np.ones(len(truth), dtype=np.bool_)
    right, called = (said == truth).astype(np.float64), malignant[said].astype(np.float64)
    means = (
        Mean(right, every),
        Mean(called, malignant[truth]),
        Mean(1 - called, ~malignant[truth]),
        Mean(log_losses(probabilities, truth), every),
        Mean(probabilities.max(axis=1) - right, every),
    )
    return Judged(predictions, truth, right, dict(zip(OF_CASES, means, strict=True)))


def side_of(members: NDArray[np.bool_], judged: Judged) -> Side:
    """Return the side of these cases (N,)."""
    at, predictions = np.flatnonzero(members), judged.predictions
    ids = [predictions.cluster_ids[case] for case in at]
    kinds = len(predictions.codes)
    clusters = clusters_of(ids, judged.truth[at], kind=predictions.cluster_kind, diagnoses=kinds)
    carrying = {AREA: np.minimum(clusters.having, clusters.lacking), BALANCED: clusters.having} | {
        name: np.array([len(np.unique(clusters.of_case[mean.among[at]]))]) for name, mean in judged.means.items()
    }
    return Side(members.tobytes(), at, len(clusters), clusters.kind, carrying)


def parts_of(side: Side, judged: Judged, weights: Weights) -> dict[str, NDArray[np.float64]]:
    """Return the parts (R, K) or (R, 1) of each figure, from the weights (R, n) of a side's members.

    A part that does not speak is NaN, and so is one that a round happens to have no case for; with enough clusters
    that is one round in twenty thousand.
    """
    truth, right = judged.truth[side.members], judged.right[side.members]
    probabilities = judged.predictions.probabilities[side.members]
    parts = {figure: np.full((len(weights), len(carrying)), np.nan) for figure, carrying in side.carrying.items()}
    for kind in np.flatnonzero(side.speaks(AREA)):
        parts[AREA][:, kind] = auc(probabilities[:, kind], truth == kind, weights)
    for kind in np.flatnonzero(side.speaks(BALANCED)):
        parts[BALANCED][:, kind] = weighted_mean(right[truth == kind], weights[:, truth == kind])
    for figure, mean in judged.means.items():
        if side.speaks(figure).all():
            among = mean.among[side.members]
            parts[figure][:, 0] = weighted_mean(mean.values[side.members][among], weights[:, among])
    return parts


def mean_of(parts: NDArray[np.float64], speaks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean (R,) of the parts that speak; NaN where none does."""
    return parts[:, speaks].mean(axis=1) if speaks.any() else np.full(len(parts), np.nan)


def said_of(side: Side, figure: str, codes: Sequence[str], *, value: float) -> str:
    """Say over which diagnoses a figure of one side is the mean, and what too few clusters carry; often nothing."""
    if figure in OF_CASES:
        return _caution({f"{side.kind}s{OF_WHOM.get(figure, '')}": side.resting(figure)}, figure, value=value)
    return joined(_of_diagnoses(side, figure, codes), _caution({f"{side.kind}s": side.clusters}, figure))


def said_of_both(group: Side, rest: Side, figure: str, codes: Sequence[str]) -> str:
    """Say the same of a gap between two sides."""
    sides, whom = {"in this group": group, "among the others": rest}, OF_WHOM.get(figure, "")
    note = _caution({f"{group.kind}s{whom} {where}": side.resting(figure) for where, side in sides.items()}, figure)
    shared = group.speaks(figure) & rest.speaks(figure)
    return note if figure in OF_CASES or shared.all() else joined(f"{_mean_over(shared, codes)} on both sides", note)


def _caution(counts: dict[str, int], figure: str, *, value: float | None = None) -> str:
    """Say that too few clusters carry a mean, by the limits of all intervals; too few to speak, where they are."""
    least = RESAMPLED["share" if figure in SHARES else "other"]
    if figure in OF_CASES and min(counts.values()) < FEWEST_CLUSTERS:
        return caution(counts, least._replace(clusters=FEWEST_CLUSTERS), why="too few to speak")
    return caution(counts, least, value=value if figure in SHARES else None)


def _of_diagnoses(side: Side, figure: str, codes: Sequence[str]) -> str:
    speaks = side.speaks(figure)
    if speaks.all():
        return ""
    counted = list(zip(codes, side.carrying[figure].tolist(), side.carrying[BALANCED].tolist(), speaks, strict=True))
    absent = ", ".join(code for code, _, having, _ in counted if not having)
    rare = ", ".join(f"{code} ({count})" for code, count, having, enough in counted if having and not enough)
    few = f"fewer than {FEWEST_CLUSTERS} {side.kind}s {'with or without' if figure == AREA else 'with'} it"
    return joined(_mean_over(speaks, codes), absent and f"absent: {absent}", rare and f"{few}: {rare}")


def _mean_over(speaks: NDArray[np.bool_], codes: Sequence[str]) -> str:
    speaking = ", ".join(code for code, enough in zip(codes, speaks, strict=True) if enough)
    return f"mean over {speaking}" if speaking else "no diagnosis can speak"
