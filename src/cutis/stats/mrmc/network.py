"""One network against N readers on the same cases: is it better, no worse, as good as the mean reader?

The figure of each reader is taken from the network's, and the mean of these differences is tested as the mean of a
single treatment (Hillis, Statistics in Medicine 33:330, 2014). The same comes out of two treatments of which one has
the network's answers for every reader; where not every reader read every case, that is how it is done, by the
one-shot method, the network judged on each reader's cases.

Two things are changed where Hillis' degrees of freedom, which count readers, promise more than few cases hold
(`benchmarks/mrmc_error.md`). A share that rests on fewer than 20 expected misses gets the interval of `few_cases`. All
else, with fewer cases on a side than readers and fewer than 50, counts the cases for the degrees of freedom too. The
plain test is told beside it, as `classical`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.areas import estimate_area
from cutis.stats.mrmc.components import Components, components_of
from cutis.stats.mrmc.contrasts import Contrast, of_one_mean
from cutis.stats.mrmc.endpoints import AUC, cases_of, measure_raters, strata_of, worth
from cutis.stats.mrmc.few_cases import FEWEST_MISSES, Shares
from cutis.stats.mrmc.one_shot import OneShot, one_shot
from cutis.stats.mrmc.outcome import Outcome, figure_of, judged, outcome_of
from cutis.stats.mrmc.study import Asked, Study, checked, refuse_the_method
from cutis.stats.proportions import effective_trials, estimate_share
from cutis.stats.resampling import clusters_of
from cutis.stats.support import joined
from cutis.vocabulary.estimate import Estimate

OF_NETWORK, OF_READERS = np.array([1.0, 0.0]), np.array([0.0, 1.0])
ONE_STRATUM = frozenset({"accuracy", "sensitivity", "specificity", "right"})


class _Pieces(NamedTuple):
    """What either method gives."""

    method: str
    hillis: Contrast  # network − mean reader
    counting_cases: Contrast  # the same, with other degrees of freedom
    mean: Contrast  # reader
    by_reader: NDArray[np.float64]
    covariance: float  # of network and mean reader
    components: Components | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkAgainstReaders:
    """What is found; every difference is network − mean reader."""

    network: Estimate
    mean_reader: Estimate
    by_reader: NDArray[np.float64]  # (R,); NaN where a reader has no case to be judged by
    outcome: Outcome  # what to report
    classical: Outcome  # with Hillis' degrees of freedom, however few the cases
    components: Components | None  # of the differences; None of the one-shot method


def one_network(
    truth: NDArray[np.int64] | NDArray[np.bool_],
    network: NDArray[np.float64],
    readers: NDArray[np.float64],
    *,
    asked: Asked | None = None,
) -> NetworkAgainstReaders:
    """Hold a network against the mean of R readers.

    Args:
        truth: (N,) 0 or 1, or any diagnoses for "right" and "balanced_right".
        network: (N,) its ratings, or answers of 0 and 1, of every case.
        readers: (R, N) theirs, NaN where a reader did not read a case.
        asked: how; AUC, superiority, readers and cases random, if not given.

    Raises:
        UserError: something is unknown, or there is no sound method for it; the reason is told.
    """
    asked = asked or Asked()
    network, readers = np.asarray(network, dtype=np.float64), np.atleast_2d(np.asarray(readers, dtype=np.float64))
    if network.shape != readers.shape[-1:] or np.isnan(network).any():
        refuse_the_method("the network must have answered every case", "leave out cases without its answer")
    checked(truth, readers[None], asked)
    both = np.stack([np.broadcast_to(network, readers.shape), readers])
    study = checked(truth, np.where(np.isnan(readers), np.nan, both), asked)
    crossed = not np.isnan(readers).any()
    if asked.method == "one-shot" or (asked.method is None and not crossed):
        return _by_one_shot(study, network)
    if not crossed:
        refuse_the_method(
            "Obuchowski and Rockette's test of a network is one of readers who read every case",
            'leave the method open, or ask for "one-shot"',
        )
    return _by_components(study, network)


def _by_components(study: Study, network: NDArray[np.float64]) -> NetworkAgainstReaders:
    asked, readers = study.asked, study.scores[1]
    measured = measure_raters(
        np.concatenate([network[None], readers]),
        study.truth,
        endpoint=asked.endpoint,
        covariance=asked.covariance,
        of_case=asked.of_case,
    )
    values, covariance = measured
    lead = np.concatenate([np.ones((len(readers), 1)), -np.eye(len(readers))], axis=1)
    parts = components_of((lead @ values)[None], lead @ covariance @ lead.T)
    theirs = components_of(values[None, 1:], covariance[1:, 1:])
    apart = np.asarray((lead @ values).mean())
    cases = min(study.units)
    pieces = _Pieces(
        method=f"Obuchowski–Rockette, single treatment, {asked.covariance}",
        hillis=of_one_mean(apart, parts, random=asked.random),
        counting_cases=of_one_mean(apart, parts, random=asked.random, cases=cases),
        mean=of_one_mean(np.asarray(values[1:].mean()), theirs, random=asked.random, cases=counted_cases(study)),
        by_reader=values[1:],
        covariance=float(covariance[0, 1:].mean()),
        components=parts,
    )
    return _found(study, network, pieces)


def _by_one_shot(study: Study, network: NDArray[np.float64]) -> NetworkAgainstReaders:
    found, random = by_one_shot(study), study.asked.random
    lead = OF_NETWORK - OF_READERS
    pieces = _Pieces(
        method=f"one-shot U-statistics, every {study.asked.weighting.removesuffix('s')} counting alike",
        hillis=found.contrast(lead, random=random),
        counting_cases=found.contrast(lead, random=random, cases=min(study.units)),
        mean=found.contrast(OF_READERS, random=random, cases=counted_cases(study)),
        by_reader=found.by_reader[1],
        covariance=float(found.both[0, 1]),
        note=joined(
            f"paired with each reader's cases, the network has {found.values[0]:.3f}", found.remark(lead, random=random)
        ),
    )
    return _found(study, network, pieces)


def by_one_shot(study: Study) -> OneShot:
    """Return the means of a study's treatments, or say why the one-shot method has none.

    Raises:
        UserError: the endpoint has several strata, or an area's cases are clustered.
    """
    asked = study.asked
    if asked.endpoint != AUC and asked.endpoint not in ONE_STRATUM:
        refuse_the_method(
            f"there is no one-shot variance of {asked.endpoint}, a mean over diagnoses, where readers read parts",
            "ask for each diagnosis by itself, or use the two-way bootstrap",
        )
    if asked.endpoint == AUC and asked.of_case is not None and len(asked.clusters or ()) < len(study.truth):
        refuse_the_method(
            f"there is no one-shot variance of an area where a {asked.unit} has several cases",
            "use the two-way bootstrap, or one case of each",
        )
    return one_shot(
        study.scores, study.truth, endpoint=asked.endpoint, weighting=asked.weighting, of_case=asked.of_case
    )


def _found(study: Study, network: NDArray[np.float64], pieces: _Pieces) -> NetworkAgainstReaders:
    asked, units = study.asked, min(study.units)
    named = f"{pieces.method}, {named_random(study)}"
    classical = outcome_of(pieces.hillis, asked, method=f"{named}, {HILLIS}", units=units, note=pieces.note)
    outcome = classical
    if study.counts_cases:
        note = joined(few_cases_note(study), pieces.note)
        outcome = outcome_of(pieces.counting_cases, asked, method=f"{named}, {COUNTING_CASES}", units=units, note=note)
    if asked.endpoint in ONE_STRATUM and asked.random != "readers" and asked.method is None and asked.degrees is None:
        shares = _shares(study, network, pieces)
        outcome = _from_few(shares, study, classical) if shares.rests_on_few else outcome
    return NetworkAgainstReaders(
        network=_of_network(study, network),
        mean_reader=figure_of(pieces.mean, asked, method=named, units=units),
        by_reader=pieces.by_reader,
        outcome=outcome,
        classical=classical,
        components=pieces.components,
    )


def _shares(study: Study, network: NDArray[np.float64], pieces: _Pieces) -> Shares:
    """Return the two shares; the mean reader's is kept, the network's is that which makes up the difference."""
    right = worth(network, study.truth, endpoint=study.asked.endpoint)
    counted = strata_of(study.truth, endpoint=study.asked.endpoint) >= 0
    owner = np.arange(len(right)) if study.asked.of_case is None else study.asked.of_case
    _, owner, trials = np.unique(owner[counted], return_inverse=True, return_counts=True)
    successes = np.bincount(owner, weights=right[counted]).astype(np.float64)
    single = len(trials) == int(trials.sum())
    return Shares(
        network=_within(pieces.mean.difference + pieces.hillis.difference),
        readers=_within(pieces.mean.difference),
        network_cases=float(len(trials)) if single else effective_trials(successes, trials.astype(np.float64)),
        readers_variance=float(pieces.mean.standard_error) ** 2,
        covariance=pieces.covariance,
        cases=len(trials),
    )


def _within(share: NDArray[np.float64]) -> float:
    """Take back what rounding added."""
    return min(1.0, max(0.0, float(share)))


def _from_few(shares: Shares, study: Study, classical: Outcome) -> Outcome:
    asked = study.asked
    low, high = shares.interval(asked.interval_level)
    note = (
        f"fewer than {FEWEST_MISSES} cases of {min(study.units)} {asked.unit}s are expected to go wrong, or right: the "
        "normal test would err too often, and the interval is put together from Wilson's of network and readers"
    )
    difference = replace(
        classical.difference,
        value=shares.difference,
        low=low,
        high=high,
        method=f"Wilson's intervals joined, {named_random(study)}",
        note=joined(note, classical.difference.note if classical.difference.low is not None else ""),
    )
    two_sided = min(1.0, 2 * min(shares.one_sided(0.0, 1), shares.one_sided(0.0, -1)))
    return Outcome(
        difference=difference,
        standard_error=None,
        statistic=None,
        degrees_of_freedom=float(shares.cases - 1),
        p=two_sided,
        verdict=judged(difference, asked, shares.one_sided),
    )


HILLIS = "Hillis' degrees of freedom"
COUNTING_CASES = "degrees of freedom that count readers and cases"


def counted_cases(study: Study) -> float:
    """Return how many cases count for the degrees of freedom; infinitely many where these are Hillis'."""
    return min(study.units) if study.counts_cases else math.inf


def named_random(study: Study) -> str:
    """Say what was drawn at random, and how much of it there is."""
    readers, cases = study.scores.shape[1], sum(cases_of(study.truth, endpoint=study.asked.endpoint))
    return {
        "readers and cases": f"{readers} readers and {cases} cases random",
        "cases": f"{readers} readers fixed, {cases} cases random",
        "readers": f"{readers} readers random, {cases} cases fixed",
    }[study.asked.random]


def few_cases_note(study: Study) -> str:
    """Say why the cases count for the degrees of freedom."""
    readers, fewest = study.scores.shape[1], min(study.units)
    return (
        f"{fewest} {study.asked.unit}s on the smaller side against {readers} readers: Hillis' degrees of freedom count "
        "readers alone, so the cases were counted too"
        if study.asked.degrees is None
        else ""
    )


def _of_network(study: Study, network: NDArray[np.float64]) -> Estimate:
    """Return the network's own figure, on all cases."""
    asked, truth = study.asked, study.truth
    clusters = asked.clusters or clusters_of([f"{number:09}" for number in range(len(truth))], kind="case")
    if asked.endpoint == AUC:
        return estimate_area(network, truth > 0, clusters, level=asked.interval_level)
    right = worth(network, truth, endpoint=asked.endpoint)
    if asked.endpoint in ONE_STRATUM:
        among = strata_of(truth, endpoint=asked.endpoint) >= 0
        return estimate_share(right > 0, clusters, among=among, level=asked.interval_level)
    measured = measure_raters(network[None], truth, endpoint=asked.endpoint, of_case=asked.of_case)
    alone = Contrast(measured.values[0], np.sqrt(measured.covariance[0, 0]), np.asarray(float(min(study.units) - 1)))
    return figure_of(alone, asked, method="mean over diagnoses, Student's t", units=min(study.units))
