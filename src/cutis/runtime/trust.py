"""When not to answer: three signals of a picture's answer, each the higher, the less it is to be trusted.

*Uncertainty* is one less the probability of the answer: once calibrated, the chance that the answer is wrong, and the
best there is to decide by as long as a picture is like those that were learned from (Chow, IEEE Transactions on
Information Theory 16:41, 1970). *Disagreement* is how much the answer depends on which depth of the network is asked;
what all depths are undecided about alike is not in it. *Distance* is how far the features lie from those that were
learned from: the Mahalanobis distance of their direction and length. It needs averages alone, where neighbours would
put a row of every patient into the bundle; and unlike the relative distance it grows with all that is unusual.
`benchmarks/held_out.py` measures them beside each other.

The signals are joined by how unusual each is among the clinic's own `calibrate` pictures (`cutis.stats.tails`). Numpy
alone is imported on the way to an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.calibration import softmax
from cutis.stats.distance import Gaussian, direction_and_length, fit_gaussian, mahalanobis
from cutis.stats.tails import Tail, fewest_clusters, highest_accepted, most_unusual, tail_of, tail_probability
from cutis.vocabulary.outputs import Outputs

ACCEPTED = 0.95
LEARNED = "learned"


class Signals(NamedTuple):
    """What speaks against trusting each of N answers; none is NaN, and what is no number is infinite."""

    uncertainty: NDArray[np.float64]  # (N,) 0 to 1
    disagreement: NDArray[np.float64]  # (N,) nats, 0 to ln of the number of classifiers
    distance: NDArray[np.float64]  # (N,) squared Mahalanobis, to the nearest diagnosis


class Abstentions(NamedTuple):
    """Which of N pictures are not answered, and why."""

    abstained: NDArray[np.bool_]  # (N,)
    reasons: tuple[tuple[str, ...], ...]  # N; the weightiest first, empty where it is answered


class Ground(NamedTuple):
    """One signal that would have sufficed to abstain."""

    signal: str  # of `Signals`
    chance: float  # how often an own picture is at least as unusual


SAID = {
    "uncertainty": "its most probable diagnosis is less probable",
    "disagreement": "the depths of the network disagree more",
    "distance": "it is farther from what was learned",
}


@dataclass(frozen=True, kw_only=True)
class TrustReference:
    """Where the features of the training pictures lie: averages alone, no row of any patient."""

    learned: Gaussian  # of direction and length, F + 1 numbers a picture; a mean for each diagnosis

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return everything as arrays that `reference_from` reads back, to the bit."""
        return {
            f"{LEARNED}.{name}": np.array(value, dtype=np.float32, order="C")
            for name, value in self.learned._asdict().items()
        }


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """How unusual an answer may be, by the clinic's own pictures that nothing was learned from or chosen by."""

    share: float  # of own pictures that are answered, each cluster counted once
    abstain_above: float | None  # of `combined`; None: too few clusters, everything is answered
    tails: tuple[Tail, ...]  # one for each of `Signals`
    clusters: int
    cluster_kind: str  # "patient" or "lesion"

    @property
    def warning(self) -> str:
        """What must stand beside every answer; empty where it abstains as it should."""
        if self.abstain_above is not None:
            return ""
        needed = fewest_clusters(self.share, signals=len(self.tails))
        kind = self.cluster_kind
        return (
            f"It answers every picture: {self.clusters} {kind}s are too few to say which are unusual "
            f"({needed} are needed)."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `acceptance_from` reads back, but for the tensors."""
        return {
            "share": self.share,
            "abstain_above": self.abstain_above,
            "clusters": self.clusters,
            "cluster_kind": self.cluster_kind,
        }

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        """Return the tails as arrays: sorted values of each signal, and the share of clusters at or above each."""
        return {
            f"{signal}.{name}": np.ascontiguousarray(getattr(tail, name))  # safetensors keeps no strides
            for signal, tail in zip(Signals._fields, self.tails, strict=True)
            for name in ("values", "at_or_above")
        }


def reference_from(tensors: Mapping[str, NDArray[np.floating]]) -> TrustReference:
    """Read what `TrustReference.tensors` gave; other tensors may lie beside them.

    Raises:
        KeyError: names what is missing.
    """
    arrays = {name: tensors[f"{LEARNED}.{name}"] for name in ("means", "directions", "deviations")}
    return TrustReference(learned=Gaussian(**arrays, rest=float(tensors[f"{LEARNED}.rest"])))


def acceptance_from(content: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float64]]) -> Acceptance:
    """Read what `Acceptance.to_dict` and `Acceptance.tensors` gave.

    Raises:
        KeyError: names what is missing.
    """
    clusters = int(content["clusters"])
    return Acceptance(
        share=content["share"],
        abstain_above=content["abstain_above"],
        tails=tuple(
            Tail(tensors[f"{signal}.values"], tensors[f"{signal}.at_or_above"], clusters) for signal in Signals._fields
        ),
        clusters=clusters,
        cluster_kind=content["cluster_kind"],
    )


def fit_reference(features: NDArray[np.floating], diagnosis: NDArray[np.int64], *, kinds: int) -> TrustReference:
    """Return the reference of training pictures: features (N, F) and the index of the diagnosis (N,).

    Raises:
        ValueError: a diagnosis has no picture.
    """
    fitted = TrustReference(learned=fit_gaussian(direction_and_length(features), diagnosis, kinds=kinds))
    return reference_from(fitted.tensors())  # rounded as it is kept, so that thresholds are fitted on what will answer


def signals_of(
    outputs: Outputs[NDArray[np.floating]],
    reference: TrustReference,
    *,
    probabilities: NDArray[np.float64],
    temperatures: Sequence[float],
) -> Signals:
    """Return the three signals of N answers.

    Args:
        outputs: what the network says, without maps or with them.
        reference: what the features are measured against.
        probabilities: (N, K), the calibrated answer.
        temperatures: one for each auxiliary classifier, and the final one's last.
    """
    said = [
        softmax(logits, temperature)
        for logits, temperature in zip((*outputs.auxiliary_logits, outputs.logits), temperatures, strict=True)
    ]
    with np.errstate(invalid="ignore"):  # what comes of it is refused
        distance = mahalanobis(direction_and_length(outputs.features), reference.learned)
    each = (1 - probabilities.max(axis=1), disagreement(said), distance)
    return Signals(*(np.where(np.isnan(signal), np.inf, signal) for signal in each))


def disagreement(said: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the generalised Jensen–Shannon divergence (N,) of what classifiers say (N, K) each, in nats.

    It is what the answer would tell of which classifier gave it: 0 where all say the same (Lin, IEEE Transactions on
    Information Theory 37:145, 1991, equation 5.1, with equal weights).
    """
    mean: NDArray[np.float64] = np.mean(said, axis=0)
    apart = _entropy(mean) - np.mean([_entropy(each) for each in said], axis=0)
    above_rounding: NDArray[np.float64] = np.maximum(apart, 0.0)
    return above_rounding


def choose_acceptance(
    signals: Signals, cluster_ids: Sequence[str], *, cluster_kind: str, share: float = ACCEPTED
) -> Acceptance:
    """Return how unusual an answer may be, so that `share` of the pictures of a new cluster will be answered.

    Args:
        signals: of the `calibrate` split.
        cluster_ids: its N clusters; each counts once, whatever number of pictures it has.
        cluster_kind: "patient" or "lesion".
        share: more than 0 and less than 1.
    """
    tails = tuple(tail_of(signal, cluster_ids) for signal in signals)
    return Acceptance(
        share=share,
        abstain_above=highest_accepted(signals, tails, cluster_ids, share=share),
        tails=tails,
        clusters=tails[0].clusters,
        cluster_kind=cluster_kind,
    )


def combined(signals: Signals, acceptance: Acceptance) -> NDArray[np.float64]:
    """Return the three signals as one (N,), 0 to 1: how unusual the most unusual of them is for this clinic."""
    return most_unusual(signals, acceptance.tails)


def abstentions(signals: Signals, acceptance: Acceptance) -> Abstentions:
    """Say which pictures are not answered, and why: every signal that would have sufficed, the most unusual first."""
    grounds = grounds_of(signals, acceptance)
    reasons = tuple(
        tuple(f"{SAID[each.signal]} than in {_own_pictures(each.chance, acceptance)}" for each in of_picture)
        for of_picture in grounds
    )
    return Abstentions(np.array([bool(of_picture) for of_picture in grounds], dtype=np.bool_), reasons)


def grounds_of(signals: Signals, acceptance: Acceptance) -> tuple[tuple[Ground, ...], ...]:
    """Return why each of N pictures is not answered, the most unusual signal first; nothing where it is answered."""
    limit = acceptance.abstain_above
    if limit is None:
        return ((),) * len(signals.distance)
    chances = np.stack(
        [tail_probability(signal, tail) for signal, tail in zip(signals, acceptance.tails, strict=True)], axis=1
    )
    return tuple(
        tuple(
            Ground(Signals._fields[signal], float(chance[signal]))
            for signal in np.argsort(chance, kind="stable")
            if 1 - chance[signal] > limit
        )
        for chance in chances
    )


def is_beyond_all(chance: float, acceptance: Acceptance) -> bool:
    """Say whether nothing among the clinic's own pictures is as unusual as what has this chance."""
    return math.isclose(chance, 1 / (acceptance.clusters + 1))


def _own_pictures(chance: float, acceptance: Acceptance) -> str:
    clusters = acceptance.clusters
    if is_beyond_all(chance, acceptance):
        return f"all pictures of the {clusters} {acceptance.cluster_kind}s that it is compared with"
    return f"{math.floor(1000 * (1 - chance)) / 10:.1f} % of the clinic's own pictures"


def _entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    entropy: NDArray[np.float64] = -(probabilities * logs).sum(axis=1)
    return entropy
