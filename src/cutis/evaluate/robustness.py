"""What is left of a network's figures where pictures are saved smaller, out of focus, lit otherwise, turned or hairy.

Each picture is opened once and disturbed before it is prepared, as it would come from the clinic; all its disturbed
copies are answered together. What is compared are the same pictures, and each round of resampling draws the same
clusters for both, so that what is hard about a picture anyway cancels out.

A large test is not disturbed as a whole: clusters are drawn from it until the pictures are enough, each stratum (by its
rarest diagnosis) about as often as it is in the test, and no diagnosis is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.evidence import SEED, chance_of_rounds, predictions_of
from cutis.evaluate.material import Material
from cutis.imaging.decode import decode
from cutis.imaging.disturbances import DISTURBANCES, Disturbance, disturbed
from cutis.imaging.prepare import normalise, prepare
from cutis.progress import track
from cutis.runtime.engines import Engine
from cutis.runtime.predict import probabilities, seen_from_all_sides
from cutis.stats.intervals import (
    PAIRED,
    ROUNDS,
    Clusters,
    clusters_in,
    clusters_of,
    estimate_of_rounds,
    qualified,
    resample,
    with_width,
)
from cutis.stats.metrics import ARGMAX, Measure, Weights, accuracy, auc_by_diagnosis, log_losses, weighted_mean
from cutis.stats.reliability import calibration_errors
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.predictions import Predictions

MOST = 500  # pictures; each of them is answered once for every disturbance
FIGURES = {
    Measure(None, "macro_auc"): "macro AUC",
    Measure(ARGMAX, "balanced_accuracy"): "balanced accuracy, arg-max",
    Measure(ARGMAX, "accuracy"): "accuracy, arg-max",
    Measure(None, "log_loss"): "log loss",
    Measure(None, "expected_calibration_error"): "expected calibration error of the answer",
    Measure(None, "overconfidence"): "mean probability of the answer less the share of right answers",
}
ERROR = "expected_calibration_error"
TOO_LARGE = "chance alone makes this figure larger than it is, and resampling once more"
MOSTLY_CANCELS = "chance makes both errors larger than they are; in the difference most of that cancels"


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """What the same pictures give under one disturbance."""

    disturbance: Disturbance
    estimates: dict[str, Estimate]
    differences: dict[str, Estimate]  # less the undisturbed
    changed: Estimate  # share of pictures with another answer

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "kind": self.disturbance.kind.name,
            "strength": self.disturbance.strength,
            "said": str(self.disturbance),
            "estimates": plain(self.estimates),
            "differences": plain(self.differences),
            "changed": self.changed.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """What disturbances do to a network's figures."""

    cases: int  # that were disturbed
    clusters: int
    of_cases: int  # in the whole test
    of_clusters: int
    cluster_kind: str
    undisturbed: dict[str, Estimate]
    disturbed: tuple[Disturbed, ...]

    def content(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        counts = ("cases", "clusters", "of_cases", "of_clusters", "cluster_kind")
        return {count: getattr(self, count) for count in counts} | {
            "chosen": "all" if self.cases == self.of_cases else "by chance, every diagnosis kept",
            "figures": {str(measure): label for measure, label in FIGURES.items()},
            "undisturbed": plain(self.undisturbed),
            "disturbed": [each.content() for each in self.disturbed],
        }


def robustness_of(
    material: Material,
    engine: Engine,
    *,
    most: int = MOST,
    disturbances: Sequence[Disturbance] = DISTURBANCES,
    rounds: int = ROUNDS,
) -> Robustness:
    """Disturb the settled test pictures in every way, let a network answer, and measure what is left.

    Args:
        material: the bundle and its test.
        engine: runs the bundle's network.
        most: how many pictures at most, as far as every diagnosis can stay; fewer are all disturbed.
        disturbances: one or more.
        rounds: of resampling.

    Raises:
        UnreadablePicture: a file is no picture.
    """
    whole = material.settled
    cases = some_of(whole, most, generator=chance(SEED, "robustness", material.dataset_sha256))
    said = np.stack(list(answers_under(material, engine, cases, disturbances)), axis=1)  # (1 + W, N, K)
    first = predictions_of(cases, said[0], rater=material.bundle.name)
    estimates = _estimates(first, said, generator=chance_of_rounds(material.dataset_sha256), rounds=rounds)
    return Robustness(
        cases=len(cases),
        clusters=len(set(first.cluster_ids)),
        of_cases=len(whole),
        of_clusters=len(set(whole.column("cluster_id"))),
        cluster_kind=whole.cluster_kind,
        undisturbed=estimates[0].values,
        disturbed=tuple(
            Disturbed(
                disturbance=disturbance,
                estimates=found.values,
                differences=found.differences,
                changed=found.changed,
            )
            for disturbance, found in zip(disturbances, estimates[1:], strict=True)
        ),
    )


def some_of(cases: Manifest, most: int, *, generator: np.random.Generator) -> Manifest:
    """Return settled cases of randomly drawn clusters, whole ones, in their order: at most so many, or all.

    Each diagnosis keeps one of its clusters, even where `most` is too small for that.
    """
    if len(cases) <= most:
        return cases
    codes = cases.taxonomy.codes
    truth = np.array([codes.index(code) for code in cases.column("diagnosis")])
    clusters = clusters_of(cases.column("cluster_id"), truth, kind=cases.cluster_kind, diagnoses=len(codes))
    sizes, taken, count = np.bincount(clusters.of_case), set[int](), 0
    for needed, cluster in _in_turn(clusters, generator):
        if cluster not in taken and (needed or count + sizes[cluster] <= most):
            taken.add(cluster)
            count += sizes[cluster]
    drawn = np.isin(clusters.of_case, sorted(taken)).tolist()
    kept = {case.case_id for case, is_in in zip(cases.cases, drawn, strict=True) if is_in}
    return cases.where(lambda case: case.case_id in kept)


def _in_turn(clusters: Clusters, generator: np.random.Generator) -> Iterator[tuple[bool, int]]:
    """Yield one cluster of each diagnosis, needed; then all, so that every stratum comes at its own pace."""
    shuffled = generator.permutation(len(clusters))
    for has in clusters.presence.T:
        if has.any():
            yield True, int(next(cluster for cluster in shuffled if has[cluster]))
    strata, pace = clusters.strata, np.empty(len(clusters))
    for stratum in np.unique(strata):
        members = shuffled[strata[shuffled] == stratum]
        pace[members] = (np.arange(len(members)) + 0.5) / len(members)
    for cluster in np.lexsort((np.argsort(shuffled), pace)):
        yield False, int(cluster)


def answers_under(
    material: Material, engine: Engine, cases: Manifest, disturbances: Sequence[Disturbance]
) -> Iterator[NDArray[np.float64]]:
    """Yield the probabilities (1 + W, K) of each picture: as it is, and under each disturbance."""
    bundle, paths = material.bundle, material.pictures(cases)
    preparation = bundle.preparation
    for case, path in track(zip(cases.cases, paths, strict=True), "disturbing test pictures", total=len(cases)):
        picture = decode(path)
        changed = (disturbed(picture, disturbance, seed=case.sha256) for disturbance in disturbances)
        prepared = np.stack([prepare(each, preparation) for each in (picture, *changed)])
        yield probabilities(bundle, seen_from_all_sides(engine, bundle, normalise(prepared, preparation)))


class _Found(NamedTuple):
    values: dict[str, Estimate]
    differences: dict[str, Estimate]
    changed: Estimate


def _estimates(
    first: Predictions, said: NDArray[np.float64], *, generator: np.random.Generator, rounds: int
) -> list[_Found]:
    """Return the figures of what was said (1 + W, N, K), the undisturbed first, all from the same rounds."""
    clusters = clusters_in(first)
    plain = _figures(first, said, clusters, np.ones((1, len(first))))
    resampled = resample(clusters, rounds=rounds, generator=generator)
    drawn = np.concatenate([_figures(first, said, clusters, weights) for weights in resampled], axis=-1)
    return [
        _found(values[:, 0], spread, (plain[0, :, 0], drawn[0]), clusters=clusters, codes=first.codes)
        for values, spread in zip(plain, drawn, strict=True)
    ]


def _figures(
    first: Predictions, said: NDArray[np.float64], clusters: Clusters, weights: Weights
) -> NDArray[np.float64]:
    """Return the figures, and the share of changed answers last: (1 + W, figures + 1, R)."""
    truth, answers = np.asarray(first.truth), said.argmax(axis=2)
    present = np.unique(truth)
    found = []
    for chances, answer in zip(said, answers, strict=True):
        right = answer == truth
        recalls = [weighted_mean(right[truth == kind].astype(float), weights[:, truth == kind]) for kind in present]
        areas = auc_by_diagnosis(chances, truth, weights)[:, present]
        confidence = chances.max(axis=1)
        errors = calibration_errors(confidence, right, of_case=clusters.of_case, weights=weights)
        found.append(
            (
                areas.mean(axis=1),
                np.mean(recalls, axis=0),
                accuracy(right, weights),
                weighted_mean(log_losses(chances, truth), weights),
                errors.expected,
                weighted_mean(confidence - right, weights),
                accuracy(answer != answers[0], weights),
            )
        )
    return np.array(found)


def _found(
    values: NDArray[np.float64],
    drawn: NDArray[np.float64],
    before: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    clusters: Clusters,
    codes: Sequence[str],
) -> _Found:
    """Join the figures of one disturbance (figures + 1,) with their rounds (figures + 1, R)."""
    counted: dict[str, Any] = {"clusters": len(clusters), "cluster_kind": clusters.kind}
    estimates, differences = {}, {}
    for place, measure in enumerate(FIGURES):
        is_share, is_error = measure.what == "accuracy", measure.what == ERROR
        value, rounds = values[place], drawn[place]
        estimate = estimate_of_rounds(value, rounds, note=TOO_LARGE * is_error, **counted)
        estimate = with_width(estimate, is_share=is_share)
        if is_error:
            estimate = replace(estimate, low=None, high=None)
        apart = (value - before[0][place], rounds - before[1][place])
        difference = estimate_of_rounds(*apart, kind=PAIRED, note=MOSTLY_CANCELS * is_error, **counted)
        difference = with_width(difference, is_share=False)
        estimates[str(measure)] = qualified(measure, estimate, clusters, codes, is_difference=False)
        differences[str(measure)] = qualified(measure, difference, clusters, codes)
    changed = with_width(estimate_of_rounds(values[-1], drawn[-1], **counted), is_share=True)
    return _Found(estimates, differences, changed)
