"""Maps from what the classifiers say together to what it means, fitted and chosen on the tune split.

A map acts on probabilities (N, K) as `answer_of` gives them. A fitted one is frozen plain data, and numpy alone applies
it. From the simplest to the most pliable:

    identity      leaves everything as it is
    temperature   softmax(ln p / T)                      (Guo et al., ICML 2017)
    vector        softmax(scale · ln p + bias)           (Guo et al., ICML 2017), a scale and a bias per diagnosis
    isotonic      a rising step curve per diagnosis      (Zadrozny and Elkan, KDD 2002), then made to sum to one
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.calibration import fit_temperature, log_probabilities, softmax
from cutis.stats.metrics import log_losses, one_hot

Values = tuple[tuple[float, ...], ...]
Fit = Callable[[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]], Values]
Apply = Callable[[NDArray[np.float64], Values], NDArray[np.float64]]

FOLDS = 5
# A Gaussian prior of this precision around scale 1 and bias 0: as much as one case can move them, so that a diagnosis
# with a handful of cases cannot run away, and 1,000 cases hardly feel it.
RIDGE = 1.0
ENOUGH_FOR_ISOTONIC = 1000  # independent clusters; with fewer it overfits (Niculescu-Mizil and Caruana, ICML 2005)


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """A fitted map as plain data.

    `values` holds for *identity* nothing, for *temperature* ``((T,),)``, for *vector* the scales and the biases, for
    *isotonic* two rows per diagnosis: probabilities as said, rising, and what they mean.
    """

    kind: str
    values: Values = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `recalibration_from` reads back."""
        return asdict(self)


class Trial(NamedTuple):
    """What one kind of map reached on cases that it had not seen."""

    kind: str
    log_loss: float  # mean over cases
    above_best: float  # how much higher than that of the best kind
    standard_error: float  # of that difference, from its sums by cluster


class Chosen(NamedTuple):
    """The map that was chosen, fitted on all cases, and what it was chosen by."""

    recalibration: Recalibration
    trials: tuple[Trial, ...]  # from the simplest kind to the most pliable that was tried


def recalibration_from(content: Mapping[str, Any]) -> Recalibration:
    """Build a map from plain data.

    Raises:
        ValueError: a kind that is not known.
    """
    if content["kind"] not in MAPS:
        raise ValueError(f"no such recalibration: {content['kind']!r}; known are {', '.join(MAPS)}")
    return Recalibration(kind=content["kind"], values=tuple(tuple(map(float, row)) for row in content["values"]))


def recalibrated(probabilities: NDArray[np.float64], recalibration: Recalibration) -> NDArray[np.float64]:
    """Return what probabilities (N, K) mean by this map; rows sum to one."""
    return MAPS[recalibration.kind].apply(probabilities, recalibration.values)


def fit_recalibration(
    kind: str,
    probabilities: NDArray[np.float64],
    *,
    truth: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> Recalibration:
    """Fit one kind of map to probabilities (N, K) and truth (N,); `weights` (N,) say how much each case counts."""
    counts = np.ones(len(truth)) if weights is None else weights * len(truth) / weights.sum()
    return Recalibration(kind=kind, values=MAPS[kind].fit(probabilities, truth, counts))


def choose_recalibration(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    of_case: NDArray[np.int64],
    generator: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> Chosen:
    """Return the map that is chosen by cross-validated log loss, fitted on all cases.

    Among the kinds whose log loss lies within one standard error of the lowest, the simplest is chosen: a difference
    that chance explains is no reason for a curve that nobody can check by hand (the one-standard-error rule of Breiman
    et al., Classification and Regression Trees, 1984, on the paired difference, since the same cases are hard for all).
    Isotonic curves are tried from `ENOUGH_FOR_ISOTONIC` clusters on.

    Args:
        probabilities: (N, K) as `answer_of` gives them, on tune.
        truth: (N,) index of the diagnosis.
        of_case: (N,) index of the patient or lesion; a cluster is never in two folds.
        generator: the chance that deals the clusters into folds.
        weights: (N,) how much each case counts; all alike without them.

    Raises:
        ValueError: there are fewer than two clusters, so that none can stay unseen.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    clusters = len(np.unique(of_case))
    if clusters < 2:  # noqa: PLR2004 -- one to fit on, one to be unseen
        raise ValueError("cross-validation needs at least two clusters")
    kinds = [kind for kind in MAPS if kind != "isotonic" or clusters >= ENOUGH_FOR_ISOTONIC]
    folds = _dealt(of_case, generator)
    losses = {kind: _losses_unseen(kind, probabilities, truth, weights=weights, folds=folds) for kind in kinds}
    trials = _compared(losses, weights=weights, of_case=of_case)
    kind = next(trial.kind for trial in trials if trial.above_best <= trial.standard_error)
    return Chosen(fit_recalibration(kind, probabilities, truth=truth, weights=weights), trials)


def _dealt(of_case: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Deal clusters into folds of equally many; return the fold (N,) of each case."""
    _, compact = np.unique(of_case, return_inverse=True)
    fold_of_cluster = generator.permutation(np.arange(compact.max() + 1) % FOLDS)
    fold: NDArray[np.int64] = fold_of_cluster[compact]
    return fold


def _losses_unseen(
    kind: str,
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    *,
    weights: NDArray[np.float64],
    folds: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the log loss (N,) of each case by the map that was fitted without its fold."""
    losses = np.empty(len(truth))
    for fold in np.unique(folds):
        unseen = folds == fold
        fitted = fit_recalibration(kind, probabilities[~unseen], truth=truth[~unseen], weights=weights[~unseen])
        losses[unseen] = log_losses(recalibrated(probabilities[unseen], fitted), truth[unseen])
    return losses


def _compared(
    losses: Mapping[str, NDArray[np.float64]], *, weights: NDArray[np.float64], of_case: NDArray[np.int64]
) -> tuple[Trial, ...]:
    """Set each kind beside the best; the standard error sums the differences within clusters first."""
    means = {kind: float(np.average(loss, weights=weights)) for kind, loss in losses.items()}
    best = min(means, key=lambda kind: means[kind])
    trials = []
    for kind, loss in losses.items():
        above = means[kind] - means[best]
        apart = np.bincount(of_case, weights * (loss - losses[best] - above)) / weights.sum()
        trials.append(Trial(kind, means[kind], above, float(np.sqrt((apart**2).sum()))))
    return tuple(trials)


def _no_values(_probabilities: NDArray[np.float64], _truth: NDArray[np.int64], _weights: NDArray[np.float64]) -> Values:
    return ()


def _unchanged(probabilities: NDArray[np.float64], _values: Values) -> NDArray[np.float64]:
    return probabilities


def _fit_temperature(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]
) -> Values:
    return ((fit_temperature(log_probabilities(probabilities), truth, weights),),)


def _tempered(probabilities: NDArray[np.float64], values: Values) -> NDArray[np.float64]:
    ((temperature,),) = values
    return softmax(log_probabilities(probabilities), temperature)


def _fit_vector(probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]) -> Values:
    """Minimise the summed log loss and RIDGE / 2 · (|scale − 1|² + |bias|²); convex, so there is one minimum."""
    from scipy.optimize import minimize

    logs, kinds = log_probabilities(probabilities), probabilities.shape[1]
    has, unmoved = one_hot(truth, kinds), np.repeat((1.0, 0.0), kinds)

    def loss_and_slope(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scales, biases = parameters[:kinds], parameters[kinds:]
        scores = scales * logs + biases
        surplus = weights[:, None] * (softmax(scores) - has)
        moved = parameters - unmoved
        losses = np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(truth)), truth]
        loss = float(weights @ losses) + RIDGE / 2 * float(moved @ moved)
        return loss, np.concatenate([(surplus * logs).sum(axis=0), surplus.sum(axis=0)]) + RIDGE * moved

    # A negative scale would turn an order round: the less probable, the more so.
    bounds = [(0.0, None)] * kinds + [(None, None)] * kinds
    options = {"maxiter": 1000, "gtol": 1e-9, "ftol": 1e-15}
    found = minimize(loss_and_slope, unmoved, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return tuple(map(float, found[:kinds])), tuple(map(float, found[kinds:]))


def _rescaled(probabilities: NDArray[np.float64], values: Values) -> NDArray[np.float64]:
    scales, biases = np.array(values)
    return softmax(scales * log_probabilities(probabilities) + biases)


def _fit_isotonic(probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]) -> Values:
    """Fit a rising curve per diagnosis against the rest, with a floor under it.

    No curve says less than 1 / (N + 2), Laplace's rule for an event that N cases did not show.
    """
    floor = 1 / (len(truth) + 2)
    values: list[tuple[float, ...]] = []
    for kind in range(probabilities.shape[1]):
        said, meant = _rising(probabilities[:, kind], truth == kind, weights)
        values += [tuple(map(float, said)), tuple(map(float, np.maximum(meant, floor)))]
    return tuple(values)


def _rising(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of the rising curve nearest to who has it, by weighted squares; equal scores are one."""
    from scipy.optimize import isotonic_regression

    said, which = np.unique(scores, return_inverse=True)
    total = np.bincount(which, weights)
    meant = isotonic_regression(np.bincount(which, weights * positive) / total, weights=total).x
    corners = np.ones(len(said), dtype=np.bool_)
    corners[1:-1] = (meant[1:-1] != meant[:-2]) | (meant[1:-1] != meant[2:])
    return said[corners], meant[corners]


def _stepped(probabilities: NDArray[np.float64], values: Values) -> NDArray[np.float64]:
    """Read each diagnosis off its curve, straight between corners and level beyond them, and let rows sum to one."""
    meant = np.column_stack(
        [
            np.interp(probabilities[:, kind], values[2 * kind], values[2 * kind + 1])
            for kind in range(probabilities.shape[1])
        ]
    )
    shared: NDArray[np.float64] = meant / meant.sum(axis=1, keepdims=True)
    return shared


class Map(NamedTuple):
    """How a kind of map is fitted, and how its values are applied."""

    fit: Fit
    apply: Apply


MAPS = {
    "identity": Map(_no_values, _unchanged),
    "temperature": Map(_fit_temperature, _tempered),
    "vector": Map(_fit_vector, _rescaled),
    "isotonic": Map(_fit_isotonic, _stepped),
}
