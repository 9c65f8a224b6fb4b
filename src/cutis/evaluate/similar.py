"""Whether similar cases are what they are shown for: how often the neighbours of a test case share its diagnosis.

Test cases ask, training cases are found; no neighbour is of the same patient, nor of the same group of duplicates. The
chosen space stands beside raw cosine, and beside neighbours drawn at random from the training cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.neighbours import Index, Likeness, in_space, origin_of
from cutis.stats.intervals import ROUNDS, Clusters, bootstrap, clusters_in, with_width
from cutis.stats.metrics import Measure, Weights, auc, weighted_mean
from cutis.stats.nearness import Step, share_of_step
from cutis.stats.retrieval import NOBODY, Found, by_chance, nearest, precision_at, shared
from cutis.stats.spaces import fit_space, placed
from cutis.stats.support import RESAMPLED, caution, qualified, qualified_mean
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.predictions import Predictions

AT = (1, 5, 10)
MOST = max(AT)
SIMILAR, RAW, CHANCE, GAIN = "similar", "raw", "chance", "gain"
AGREEMENT, CONFIDENCE = "agreement", "confidence"
AREA = "auroc"
MEANINGS = {
    "precision_at_K": "share of the K most similar training cases with the picture's diagnosis, mean over pictures",
    "macro_precision_at_K": "the same, each diagnosis counting the same",
    SIMILAR: "in the space that was chosen",
    RAW: "by the cosine of the features as they are",
    CHANCE: "by training cases drawn at random",
    GAIN: "the chosen space less raw cosine",
    AGREEMENT: f"share of the {MOST} most similar that have the diagnosis which the network answers",
    CONFIDENCE: "calibrated probability of the answer",
    AREA: "how well this tells right answers from wrong ones",
}


@dataclass(frozen=True, kw_only=True)
class Met:
    """A step of what a similarity means, as it was found on calibrate, and what the test says of it."""

    diagnosis: str | None  # of the neighbour; None: those that have no steps of their own
    step: Step
    found: Estimate
    neighbours: int  # on the test


@dataclass(frozen=True, kw_only=True)
class Similar:
    """What the similar cases of a test are worth."""

    likeness: Likeness
    cases: int  # that asked and found a neighbour
    lonely: int  # that found none
    clusters: Clusters
    estimates: dict[str, Estimate]
    met: tuple[Met, ...]

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        likeness = self.likeness.to_dict()
        return {
            "cases": self.cases,
            "without_a_neighbour": self.lonely,
            "clusters": len(self.clusters),
            "cluster_kind": self.clusters.kind,
            "known": likeness["cases"],
            "space": likeness["space"],
            "chosen_on": likeness["chosen_on"],
            "trials": likeness["trials"],
            "meanings": MEANINGS,
            "estimates": plain(self.estimates),
            "nearness": [
                {
                    "diagnosis": met.diagnosis,
                    "similarity": met.step.similarity,
                    "calibrate": met.step.share.to_dict(),
                    "test": met.found.to_dict(),
                    "neighbours": met.neighbours,
                }
                for met in self.met
            ],
        }


def similar_of(
    predictions: Predictions,
    cases: Manifest,
    features: NDArray[np.floating],
    *,
    index: Index,
    likeness: Likeness,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> Similar:
    """Return how often neighbours share the diagnosis, and what else they tell.

    Args:
        predictions: of N test cases, with truth.
        cases: the same, in the same order.
        features: (N, F) of these.
        index: of the training cases.
        likeness: what the bundle says of it.
        generator: the chance that draws the rounds.
        rounds: how many rounds.

    Raises:
        ValueError: there is no truth.
    """
    if predictions.truth is None:
        raise ValueError("neighbours are measured by a truth")
    truth, origin, clusters = predictions.truth, origin_of(cases.cases), clusters_in(predictions)
    found = _found(index, features, cases)
    same = shared(found, truth, index.diagnosis)
    values = {(SIMILAR, f"precision_at_{k}"): precision_at(k, same) for k in AT}
    if index.space.kind != RAW:
        plain_index = in_space(index, fit_space(RAW, index.features, index.diagnosis))
        plainly = shared(_found(plain_index, features, cases), truth, index.diagnosis)
        values |= {(RAW, f"precision_at_{k}"): precision_at(k, plainly) for k in AT}
    values[CHANCE, "precision"] = by_chance(truth, origin, known_diagnosis=index.diagnosis, known_origin=index.origin)
    asked = found.rows[:, 0] != NOBODY
    estimates = _estimates(predictions, clusters, values, asked, generator=generator, rounds=rounds)
    estimates |= _telling(predictions, clusters, found, asked, index=index, generator=generator, rounds=rounds)
    return Similar(
        likeness=likeness,
        cases=int(asked.sum()),
        lonely=int((~asked).sum()),
        clusters=clusters,
        estimates=estimates,
        met=tuple(_met(likeness, found, same, clusters, kinds=index.diagnosis, codes=predictions.codes)),
    )


def _found(index: Index, features: NDArray[np.floating], cases: Manifest) -> Found:
    origin = origin_of(cases.cases)
    places = placed(features, index.space)
    return nearest(places, index.places, k=MOST, origin=origin, known_origin=index.origin)


def _estimates(
    predictions: Predictions,
    clusters: Clusters,
    values: Mapping[tuple[str, str], NDArray[np.float64]],
    asked: NDArray[np.bool_],
    *,
    generator: np.random.Generator,
    rounds: int,
) -> dict[str, Estimate]:
    """Return means over the pictures that asked: of all, of each diagnosis, and over the diagnoses."""
    truth, codes = np.asarray(predictions.truth), predictions.codes
    having = {code: asked & (truth == kind) for kind, code in enumerate(codes)}

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        found: dict[Measure, NDArray[np.float64]] = {}
        for (ranking, what), value in values.items():
            found[Measure(ranking, what)] = _mean(value, weights, asked)
            each = {code: _mean(value, weights, among) for code, among in having.items() if among.any()}
            found |= {Measure(ranking, what, code): mean for code, mean in each.items()}
            found[Measure(ranking, f"macro_{what}")] = np.mean(list(each.values()) or [_nothing(weights)], axis=0)
        gains = [measure for measure in found if measure.convention == RAW and measure.diagnosis is None]
        return found | {
            measure._replace(convention=GAIN): found[measure._replace(convention=SIMILAR)] - found[measure]
            for measure in gains
        }

    drawn = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    carrying = {code: len(np.unique(clusters.of_case[among])) for code, among in having.items()}
    return {
        str(measure): _resting(measure, estimate, clusters, codes, carrying=carrying)
        for measure, estimate in drawn.items()
    }


def _telling(
    predictions: Predictions,
    clusters: Clusters,
    found: Found,
    asked: NDArray[np.bool_],
    *,
    index: Index,
    generator: np.random.Generator,
    rounds: int,
) -> dict[str, Estimate]:
    """Return how well the neighbours' agreement with the answer tells right from wrong, beside its probability."""
    said = predictions.probabilities.argmax(axis=1)
    right = (said == predictions.truth)[asked]
    scores = {
        AGREEMENT: precision_at(MOST, shared(found, said, index.diagnosis))[asked],
        CONFIDENCE: predictions.probabilities.max(axis=1)[asked],
    }

    def figures(weights: Weights) -> Mapping[Measure, NDArray[np.float64]]:
        areas = {name: auc(score, right, weights[:, asked]) for name, score in scores.items()}
        gain = areas[AGREEMENT] - areas[CONFIDENCE]
        return {Measure(name, AREA): area for name, area in (areas | {"agreement_gain": gain}).items()}

    drawn = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    few = {
        f"{clusters.kind}s {whom}": len(np.unique(clusters.of_case[asked][which]))
        for whom, which in (("answered rightly", right), ("answered wrongly", ~right))
    }
    note = caution(few, RESAMPLED["other"])
    return {str(measure): replace(estimate, note=note or estimate.note) for measure, estimate in drawn.items()}


def _met(
    likeness: Likeness,
    found: Found,
    same: NDArray[np.float64],
    clusters: Clusters,
    *,
    kinds: NDArray[np.int64],
    codes: tuple[str, ...],
) -> Iterator[Met]:
    """Hold every step against the neighbours of the test."""
    if likeness.nearness is None:
        return
    of_diagnosis = likeness.nearness.of_diagnosis
    there = found.rows != NOBODY
    code = np.array(codes)[kinds[found.rows]]
    of_case = np.broadcast_to(clusters.of_case[:, None], there.shape)
    groups: list[tuple[str | None, tuple[Step, ...]]] = [*of_diagnosis.items(), (None, likeness.nearness.of_the_others)]
    for diagnosis, steps in groups:
        own = code == diagnosis if diagnosis else ~np.isin(code, list(of_diagnosis))
        ends = [*(step.similarity for step in steps[1:]), np.inf][: len(steps)]  # none where there is no step
        for place, (step, end) in enumerate(zip(steps, ends, strict=True)):
            start = step.similarity if place else -np.inf
            here = there & own & (found.similarities >= start) & (found.similarities < end)
            share = share_of_step(same[here].astype(np.bool_), of_case[here], kind=clusters.kind)
            yield Met(diagnosis=diagnosis, step=step, found=share, neighbours=int(here.sum()))


def _resting(
    measure: Measure,
    estimate: Estimate,
    clusters: Clusters,
    codes: tuple[str, ...],
    *,
    carrying: Mapping[str, int],
) -> Estimate:
    """Say on how many clusters a figure rests, and where they are too few; what chance gives is no share of theirs."""
    if measure.diagnosis is None and (measure.what.startswith("macro_") or measure.convention == GAIN):
        return with_width(qualified(measure, estimate, clusters, codes), is_share=False)
    is_share = measure.convention != CHANCE
    resting = replace(estimate, clusters=carrying.get(measure.diagnosis or "", estimate.clusters))
    return with_width(qualified_mean(resting, is_share=is_share), is_share=is_share)


def _mean(values: NDArray[np.float64], weights: Weights, among: NDArray[np.bool_]) -> NDArray[np.float64]:
    return weighted_mean(values[among], weights[:, among]) if among.any() else _nothing(weights)


def _nothing(weights: Weights) -> NDArray[np.float64]:
    return np.full(len(weights), np.nan)
