"""Readers with two treatments, such as aided and unaided, or with more: which is the better for the mean reader?

Obuchowski and Rockette's test with Hillis' degrees of freedom, for all designs in which any two readers share all
their cases or none: all readers with all cases; groups of readers with cases of their own (split-plot); each reader, or
each treatment, with cases of its own. Where each reader has one treatment only, two groups of readers are compared. Any
other design is one for the one-shot method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.components import Components, components_of
from cutis.stats.mrmc.contrasts import Contrast, between_groups, between_treatments, of_one_mean
from cutis.stats.mrmc.endpoints import Measured, measure_raters
from cutis.stats.mrmc.network import COUNTING_CASES, HILLIS, by_one_shot, counted_cases, few_cases_note, named_random
from cutis.stats.mrmc.outcome import Outcome, figure_of, outcome_of
from cutis.stats.mrmc.study import Asked, Study, checked, refuse_the_method
from cutis.stats.support import joined
from cutis.vocabulary.estimate import Estimate

CONSTRAINED = "two readers vary together no more with one treatment than with two: the difference was taken as 0"


@dataclass(frozen=True, kw_only=True)
class Overall:
    """Whether any of T treatments differ: an F-test, of fixed readers a chi-square divided by its degrees."""

    statistic: float | None
    numerator: int  # degrees of freedom
    denominator: float | None  # None: infinite
    p: float | None


@dataclass(frozen=True, kw_only=True)
class Treatments:
    """What is found of T treatments."""

    means: tuple[Estimate, ...]  # of each treatment over its readers
    by_reader: NDArray[np.float64]  # (T, R); NaN where a reader has nothing to be judged by
    differences: dict[tuple[int, int], Outcome]  # first − second
    overall: Overall | None  # of readers who all have all treatments
    components: Components | None

    @property
    def outcome(self) -> Outcome:
        """The first treatment less the second."""
        return self.differences[0, 1]


def two_treatments(
    truth: NDArray[np.int64] | NDArray[np.bool_],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    asked: Asked | None = None,
) -> Treatments:
    """Hold a treatment against another, such as aided against unaided, with the same R readers or with other ones.

    Args:
        truth: (N,) 0 or 1, or any diagnoses for "right" and "balanced_right".
        first: (R, N) what the readers said with it, NaN where one did not read a case.
        second: (R, N) with its reference.
        asked: how; AUC, superiority, readers and cases random, if not given.

    Raises:
        UserError: something is unknown, or there is no sound method for it; the reason is told.
    """
    if np.shape(first) != np.shape(second):
        refuse_the_method(
            f"readings of shapes {np.shape(first)} and {np.shape(second)} are not of the same readers and cases",
            "give both as readers × cases, with NaN for what was not read",
        )
    return several_treatments(truth, np.stack([np.atleast_2d(first), np.atleast_2d(second)]), asked=asked)


def several_treatments(
    truth: NDArray[np.int64] | NDArray[np.bool_], scores: NDArray[np.float64], *, asked: Asked | None = None
) -> Treatments:
    """Hold each of T treatments against each other one, as `two_treatments` does with two.

    Args:
        truth: (N,).
        scores: (T, R, N).
        asked: how.

    Raises:
        UserError: as `two_treatments`.
    """
    asked = asked or Asked()
    study = checked(truth, scores, asked)
    has: NDArray[np.bool_] = np.asarray(study.read.any(axis=2))
    if not has.any(axis=1).all():
        refuse_the_method("there is a treatment with which nobody read anything", "leave it out")
    if asked.method == "one-shot":
        return _by_one_shot(study)
    measured = measure_raters(
        study.scores.reshape(-1, len(study.truth)),
        study.truth,
        endpoint=asked.endpoint,
        covariance=asked.covariance,
        of_case=asked.of_case,
    )
    there = has.reshape(-1)
    known = np.isfinite(measured.values[there]).all() and np.isfinite(measured.covariance[np.ix_(there, there)]).all()
    sound = bool(known) and study.is_in_blocks
    if sound and has.all():
        return _crossed(study, measured)
    if sound and (has.sum(axis=0) == 1).all():
        return _grouped(study, measured, has)
    if asked.method is None:
        return _by_one_shot(study)
    refuse_the_method(
        "Obuchowski and Rockette's test is for readers of whom any two share all their cases or none, and who have all "
        "treatments or one, with cases enough to be judged by",
        'leave the method open, or ask for "one-shot"',
    )
    raise AssertionError


def _crossed(study: Study, measured: Measured) -> Treatments:
    asked, (treatments, readers) = study.asked, study.scores.shape[:2]
    values = measured.values.reshape(treatments, readers)
    cells = measured.covariance.reshape(treatments, readers, treatments, readers)
    parts = components_of(values, measured.covariance)
    own = [components_of(values[None, each], cells[each, :, each]) for each in range(treatments)]
    means = values.mean(axis=1)
    return _found(
        study,
        {
            (first, second): between_treatments(
                means[first] - means[second], parts, random=asked.random, cases=counted_cases(study)
            )
            for first, second in combinations(range(treatments), 2)
        },
        [
            of_one_mean(mean, part, random=asked.random, cases=counted_cases(study))
            for mean, part in zip(means, own, strict=True)
        ],
        method=f"Obuchowski–Rockette, {asked.covariance}",
        by_reader=values,
        components=parts,
        note=CONSTRAINED if parts.is_constrained and asked.random != "readers" else "",
    )


def _grouped(study: Study, measured: Measured, has: NDArray[np.bool_]) -> Treatments:
    """Each reader has one treatment."""
    asked, (treatments, readers) = study.asked, study.scores.shape[:2]
    cells = measured.covariance.reshape(treatments, readers, treatments, readers)
    values = measured.values.reshape(treatments, readers)
    if asked.random != "cases" and (has.sum(axis=1) == 1).any():
        refuse_the_method(
            "a treatment with a single reader says nothing of how its readers differ", 'use random="cases"'
        )
    groups = []
    for each in range(treatments):
        mine = has[each]
        groups.append(components_of(values[None, each, mine], cells[each, :, each][np.ix_(mine, mine)]))
    means = [values[each, has[each]].mean() for each in range(treatments)]
    differences = {
        (first, second): between_groups(
            means[first] - means[second],
            (groups[first], groups[second]),
            together=cells[first, :, second][np.ix_(has[first], has[second])].mean(),
            random=asked.random,
            cases=counted_cases(study),
        )
        for first, second in combinations(range(treatments), 2)
    }
    alone = [
        of_one_mean(mean, group, random=asked.random, cases=counted_cases(study))
        for mean, group in zip(means, groups, strict=True)
    ]
    method = f"Obuchowski–Rockette, other readers with each treatment, {asked.covariance}"
    return _found(study, differences, alone, method=method, by_reader=values)


def _by_one_shot(study: Study) -> Treatments:
    found, asked = by_one_shot(study), study.asked
    alone = np.eye(len(study.scores))
    lead = {pair: alone[pair[0]] - alone[pair[1]] for pair in combinations(range(len(alone)), 2)}
    return _found(
        study,
        {pair: found.contrast(each, random=asked.random, cases=counted_cases(study)) for pair, each in lead.items()},
        [found.contrast(each, random=asked.random, cases=counted_cases(study)) for each in alone],
        method=f"one-shot U-statistics, every {asked.weighting.removesuffix('s')} counting alike",
        by_reader=found.by_reader,
        note=joined(*(found.remark(each, random=asked.random) for each in lead.values())),
    )


def _found(
    study: Study,
    contrasts: dict[tuple[int, int], Contrast],
    means: list[Contrast],
    *,
    method: str,
    by_reader: NDArray[np.float64],
    components: Components | None = None,
    note: str = "",
) -> Treatments:
    asked, units = study.asked, min(study.units)
    named = ", ".join((method, named_random(study), COUNTING_CASES if study.counts_cases else HILLIS))
    note = joined(few_cases_note(study) if study.counts_cases else "", note)
    return Treatments(
        means=tuple(figure_of(mean, asked, method=named, units=units) for mean in means),
        by_reader=by_reader,
        differences={
            pair: outcome_of(each, asked, method=named, units=units, note=note) for pair, each in contrasts.items()
        },
        overall=None if components is None else _overall(study, components),
        components=components,
    )


def _overall(study: Study, parts: Components) -> Overall:
    """Return the F-test of all treatments (Hillis 2007, equations 7 to 9)."""
    from scipy.stats import f as fisher

    freedom = parts.treatments - 1
    # Of any two treatments the variance and its degrees of freedom are the same: the mean square's, times 2 / readers.
    one = between_treatments(np.zeros(()), parts, random=study.asked.random, cases=counted_cases(study))
    mean_square = float(one.standard_error) ** 2 * parts.readers / 2
    if not mean_square > 0 or freedom == 0:
        return Overall(statistic=None, numerator=freedom, denominator=None, p=None)
    statistic = float(parts.ms_treatment) / mean_square
    denominator = float(one.degrees_of_freedom)
    finite = math.isfinite(denominator)
    return Overall(
        statistic=statistic,
        numerator=freedom,
        denominator=denominator if finite else None,
        p=float(fisher.sf(statistic, freedom, denominator if finite else 1e15)),
    )
