"""How many readers and cases a study needs, by invented studies that are analysed as the real one will be.

A plan says what is asked, and what is true: the figure of the reference (the mean reader, or the unaided one), and how
much better the other is. Studies are drawn by a named structure of Roe and Metz, each is analysed by `one_network` or
`two_treatments`, and the share of them in which the hypothesis is shown is the power. Its interval is that of the
simulation alone; that the truth may be another than the plan says is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.hypotheses import Verdict
from cutis.stats.mrmc.endpoints import AUC, Endpoint
from cutis.stats.mrmc.network import one_network
from cutis.stats.mrmc.roe_metz import (
    STRUCTURES,
    Structure,
    invent_network_and_readers,
    invent_ratings,
    variances_of,
)
from cutis.stats.mrmc.study import FEWEST_CASES, Asked, require_known
from cutis.stats.mrmc.treatments import two_treatments
from cutis.stats.proportions import wilson
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate

Design = Literal["network", "aided"]

DESIGNS: dict[Design, str] = {
    "network": "one network against the mean reader",
    "aided": "readers with the network's answer against the same readers without it",
}
SIMULATED: tuple[Endpoint, ...] = ("auc", "accuracy", "sensitivity", "specificity", "balanced_accuracy")
STUDIES, STUDIES_AT_ONCE = 1000, 50
AREA_OF_A_SHARE = 0.855  # at which the readers' variance is taken, where the endpoint is no area
WHERE = "the plan of the study"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked of a study, and what is taken to be true."""

    asked: Asked = field(default_factory=Asked)
    design: Design = "network"
    reference: float  # expected figure of the mean reader, or of the unaided one
    gain: float = 0.0  # of the other, in truth
    structure: Structure = "HL"
    healthy_per_diseased: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated.

        Raises:
            UserError: something is unknown, or no figure between 0 and 1, or for an area one half.
        """
        for what, given, known in (
            ("design", self.design, tuple(DESIGNS)),
            ("structure", self.structure, tuple(STRUCTURES)),
            ("endpoint", self.asked.endpoint, SIMULATED),
        ):
            if given not in known:
                _refuse(f"unknown {what} {given!r}", f"use one of: {', '.join(known)}")
        require_known(self.asked)
        least = 0.5 if self.asked.endpoint == AUC else 0.0
        for what, figure in (("reference", self.reference), ("reference with the gain", self.reference + self.gain)):
            if not least < figure < 1:
                _refuse(f"a {what} of {figure:g} is not between {least:g} and 1", "give one that is")
        if not self.healthy_per_diseased > 0:
            _refuse("no healthy cases", "give at least some for each diseased one")


class Tried(NamedTuple):
    """The power of one size."""

    readers: int
    cases: int  # that the endpoint is of: the diseased of an area, a sensitivity or an accuracy; else the healthy
    others: int  # on the other side; 0 where the endpoint has none
    power: Estimate  # share of studies in which it was shown; its interval is that of the simulation


def power_of(plan: Plan, *, readers: int, cases: int, studies: int = STUDIES, seed: int = 0) -> Tried:
    """Return how often a study of this size shows what is asked.

    Args:
        plan: what is asked, and what is true.
        readers: how many.
        cases: of the side that the endpoint is of; the other side follows by `healthy_per_diseased`.
        studies: how many are invented.
        seed: another seed, other studies; the same one gives the same.

    Raises:
        UserError: a size for which there is no sound analysis.
    """
    shown, truth = 0, _truth(plan, cases)
    for start in range(0, studies, STUDIES_AT_ONCE):
        block = min(STUDIES_AT_ONCE, studies - start)
        generator = chance("power", seed, plan.design, plan.asked.endpoint, readers, cases, start)
        shown += sum(verdict.shown for verdict in _verdicts(plan, truth, readers, block, generator))
    ends = wilson(shown, studies)
    power = Estimate(
        value=shown / studies,
        low=ends.low,
        high=ends.high,
        method=f"{studies} invented studies, Roe–Metz {plan.structure}, Wilson",
        clusters=studies,
        cluster_kind="study",
    )
    return Tried(readers, cases, len(truth) - cases, power)


def search(
    plan: Plan,
    *,
    readers: int,
    power: float = 0.8,
    most: int = 2000,
    studies: int = STUDIES,
    seed: int = 0,
) -> Iterator[Tried]:
    """Yield sizes as they are tried; the last of them with enough power is the smallest, within a twentieth.

    The number of cases is doubled until the power is reached, and then halved towards it. Where `most` cases do not
    reach it, more readers are needed; the last size tried says what there is.

    Args:
        plan: what is asked, and what is true.
        readers: how many.
        power: how often it is to be shown.
        most: the largest number of cases that is tried.
        studies: how many are invented for each size.
        seed: as of `power_of`.
    """
    short, enough = 0, None
    cases = min(20, most)
    while enough is None or enough - short > max(1, enough // 20):
        tried = power_of(plan, readers=readers, cases=cases, studies=studies, seed=seed)
        yield tried
        if (tried.power.value or 0.0) >= power:
            enough = cases
        else:
            short = cases
            if cases == most:
                return
        cases = min(most, 2 * cases) if enough is None else (short + enough) // 2
        if cases < FEWEST_CASES:
            return


def smallest(tried: list[Tried], *, power: float) -> Tried | None:
    """Return the smallest size that reached the power; None where none did."""
    reached = [each for each in tried if (each.power.value or 0.0) >= power]
    return min(reached, key=lambda each: each.cases) if reached else None


def _truth(plan: Plan, cases: int) -> NDArray[np.int64]:
    others = max(2, round(cases * plan.healthy_per_diseased))
    match plan.asked.endpoint:
        case "sensitivity" | "accuracy":
            return np.ones(cases, dtype=np.int64)
        case "specificity":
            return np.zeros(cases, dtype=np.int64)
        case _:
            return np.repeat(np.array([1, 0]), [cases, others])


def _verdicts(
    plan: Plan, truth: NDArray[np.int64], readers: int, studies: int, generator: np.random.Generator
) -> Iterator[Verdict]:
    """Invent studies and analyse each."""
    first, second = (_means(plan, truth, figure, is_network=is_network) for figure, is_network in _sides(plan))
    area = plan.reference if plan.asked.endpoint == AUC else AREA_OF_A_SHARE
    variances = variances_of(plan.structure, area=area)
    if plan.design == "network":
        network, theirs = invent_network_and_readers(
            truth, (first, second), variances, studies=studies, readers=readers, generator=generator
        )
        for own, each in zip(_answers(plan, network), _answers(plan, theirs), strict=True):
            yield one_network(truth, own, each, asked=plan.asked).outcome.verdict
        return
    ratings = invent_ratings(
        truth, np.stack([first, second]), variances, studies=studies, readers=readers, generator=generator
    )
    for aided, unaided in _answers(plan, ratings):
        yield two_treatments(truth, aided, unaided, asked=plan.asked).outcome.verdict


def _sides(plan: Plan) -> tuple[tuple[float, bool], tuple[float, bool]]:
    return (plan.reference + plan.gain, plan.design == "network"), (plan.reference, False)


def _means(plan: Plan, truth: NDArray[np.int64], figure: float, *, is_network: bool) -> NDArray[np.float64]:
    """Return what is added to the rating of each case (N,): of a share, how far it lies on the right side of 0."""
    if plan.asked.endpoint == AUC:
        variances = variances_of(plan.structure, area=plan.reference)
        return variances.mean_for_area(figure, is_network=is_network) * truth.astype(np.float64)
    variances = variances_of(plan.structure, area=AREA_OF_A_SHARE)
    return variances.mean_for_share(figure, is_network=is_network) * np.where(truth > 0, 1.0, -1.0)


def _answers(plan: Plan, ratings: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratings if plan.asked.endpoint == AUC else (ratings > 0).astype(np.float64)


def _refuse(what: str, mend: str) -> None:
    raise UserError(what, where=WHERE, mend=mend)
