"""Who trains, who tunes, who calibrates and who tests: drawn once, by cluster, and never again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.curate.clusters import cluster_kind
from cutis.curate.draw import FREE, Whole, deal
from cutis.curate.ledger import Ledger, Place
from cutis.curate.row import Row
from cutis.vocabulary.case import SPLITS, Case
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError

TEST = SPLITS.index("test")
ATTEMPTS = 50  # draws, each in another order, before a split is said to be impossible


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """How to split; what was once drawn by it stays."""

    seed: int = 0
    shares: tuple[float, float, float, float] = (0.65, 0.10, 0.10, 0.15)  # train, tune, calibrate, test
    test_from: str | None = None  # ISO date: a cluster with a picture of this day or later is tested on
    test_sites: tuple[str, ...] = ()  # a cluster with a picture from one of these is tested on
    folds: int = 5

    def __post_init__(self) -> None:
        """Refuse what is no plan.

        Raises:
            UserError: shares that are not positive or do not sum to one, fewer than two folds, or no ISO date.
        """
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-6:  # noqa: PLR2004  rounding
            mend = "give four positive shares that sum to one"
            raise UserError(f"{self.shares} are no shares of a whole", where="plan of the split", mend=mend)
        if self.folds < 2:  # noqa: PLR2004  one fold is no cross-validation
            raise UserError(f"{self.folds} folds cannot be drawn", where="plan of the split", mend="give 2 or more")
        try:
            self.first_test_day  # noqa: B018  it is asked for to see whether it is a day
        except ValueError as error:
            mend = "write it as 2024-12-31"
            raise UserError(f"{self.test_from!r} is no day", where="--test-from", mend=mend) from error

    @property
    def first_test_day(self) -> dt.date | None:
        """The day from which on pictures are tested on."""
        return dt.date.fromisoformat(self.test_from) if self.test_from else None

    @property
    def names_the_test(self) -> bool:
        """Whether the test split is said rather than drawn."""
        return bool(self.test_from or self.test_sites)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ledger and proof."""
        return asdict(self) | {"shares": list(self.shares), "test_sites": list(self.test_sites)}


class Split(NamedTuple):
    """Cases with split and fold, the ledger that remembers them, and what had to be moved."""

    cases: list[Case]
    ledger: Ledger
    moved: int  # clusters that a new link joined across splits; they went to the side nearest to training


def meant_for_test(rows: Sequence[Row], plan: SplitPlan) -> frozenset[Path]:
    """Return the files whose clusters the plan names for the test, by their real date and place.

    Raises:
        UserError: there are no dates, or no picture is from a named place.
    """
    first, places = plan.first_test_day, {row.clinic or row.device for row in rows}
    if first and not any(row.date for row in rows):
        mend = "map the column `date` in clinic.toml"
        raise UserError("no picture has a date", where="--test-from", mend=mend)
    unknown = set(plan.test_sites) - places
    if unknown:
        known = ", ".join(sorted(place for place in places if place)) or "none; map `clinic` or `device` in clinic.toml"
        raise UserError(f"no picture is from {', '.join(sorted(unknown))}", where="--test-site", mend=f"known: {known}")
    return frozenset(
        row.source
        for row in rows
        if (first and row.date and row.date >= first) or (row.clinic or row.device) in plan.test_sites
    )


class Drawn(NamedTuple):
    """What the draw needs to know of a case and the case does not tell."""

    lot: str  # decides the turn by chance; from the file's bytes, so that the same archive is split alike everywhere
    tested: bool  # whether the plan names it for the test


def split(
    cases: Sequence[Case], drawn: Sequence[Drawn], *, codes: Sequence[str], plan: SplitPlan, ledger: Ledger
) -> Split:
    """Give every cluster a split, and a fold outside the test; who is in the ledger stays where he was.

    Where a new link joins clusters of several splits, all of them go to the one nearest to training: what was trained
    on is never tested on. The test then loses a cluster, which costs precision and no truth.

    Args:
        cases: with their final clusters and diagnoses.
        drawn: one for each case.
        codes: the diagnoses that no split may lack.
        plan: how to draw newcomers.
        ledger: who is where already.

    Raises:
        UserError: a diagnosis has fewer clusters than there are splits, or the named test is empty.
    """
    clusters = _clusters(cases, drawn, codes, ledger)
    dealt = _deal_splits(clusters, codes, plan, kind=cluster_kind(cases))
    folds = _deal_folds(clusters, dealt, plan)
    places = [Place(SPLITS[at], int(fold) if at != TEST else None) for at, fold in zip(dealt, folds, strict=True)]
    placed = [
        replace(case, split=places[at].split, fold=places[at].fold)
        for case, at in zip(cases, clusters.of_case, strict=True)
    ]
    known = {name: places[at] for at, names in enumerate(clusters.members) for name in names}
    return Split(placed, replace(ledger, places={**ledger.places, **known}), clusters.moved)


class _Clusters(NamedTuple):
    lots: list[str]  # (C,)
    of_case: Whole  # (N,)
    images: Whole  # (C, K + 1) by diagnosis, the indeterminate ones last
    members: list[set[str]]  # under which names each is remembered
    tested: NDArray[np.bool_]  # (C,) whether the plan names it for the test
    splits: Whole  # (C,) as remembered, or FREE
    folds: Whole  # (C,) the same
    moved: int


def _clusters(cases: Sequence[Case], drawn: Sequence[Drawn], codes: Sequence[str], ledger: Ledger) -> _Clusters:
    ids, of_case = np.unique([case.cluster_id for case in cases], return_inverse=True)
    kinds = np.array([len(codes) if case.indeterminate else codes.index(str(case.diagnosis)) for case in cases])
    images = np.zeros((len(ids), len(codes) + 1), dtype=np.int64)
    np.add.at(images, (of_case, kinds), 1)
    members: list[set[str]] = [set() for _ in ids]
    lots: list[set[str]] = [set() for _ in ids]
    for case, at, one in zip(cases, of_case, drawn, strict=True):
        members[at].update(name for name in (case.case_id, case.patient_id, case.lesion_id) if name)
        lots[at].add(one.lot)
    known = [[ledger.places[name] for name in names if name in ledger.places] for names in members]
    splits = [min((SPLITS.index(place.split) for place in places), default=FREE) for places in known]
    folds = [min((place.fold for place in places if place.fold is not None), default=FREE) for places in known]
    return _Clusters(
        lots=[min(own) for own in lots],
        of_case=of_case,
        images=images,
        members=members,
        tested=np.bincount(of_case, weights=[one.tested for one in drawn], minlength=len(ids)) > 0,
        splits=np.array(splits),
        folds=np.array(folds),
        moved=sum(len({place.split for place in places}) > 1 for places in known),
    )


def _deal_splits(clusters: _Clusters, codes: Sequence[str], plan: SplitPlan, *, kind: str) -> Whole:
    shares, placed, strata = np.array(plan.shares), clusters.splits, len(codes)
    drawn = clusters.images[:, :strata] > 0
    if plan.names_the_test:
        shares[TEST] = 0
        placed = np.where(clusters.tested & (placed == FREE), TEST, placed)
        drawn = drawn[placed != TEST]
        if (placed != TEST).all():
            raise UserError("the test split is empty", where="plan of the split", mend="name another day or place")
    splits = int((shares > 0).sum())
    few = {code: int(count) for code, count in zip(codes, drawn.sum(axis=0), strict=True) if count < splits}
    if few:
        raise _scarce(f"fewer {kind}s than splits ({splits})", few)
    for attempt in range(ATTEMPTS):
        order = _order(clusters, plan.seed, "split", attempt)
        dealt = deal(clusters.images, shares=shares, placed=placed, order=order, strata=strata)
        held = np.zeros((len(SPLITS), strata), dtype=np.int64)
        np.add.at(held, dealt, clusters.images[:, :strata])
        lacking = (held == 0) & (shares > 0)[:, None]
        if not lacking.any():
            return dealt
    few = {code: int((held[:, k] > 0).sum()) for k, code in enumerate(codes) if lacking[:, k].any()}
    why = f"their {kind}s were placed earlier, or have other diagnoses as well"
    raise _scarce(f"some diagnoses cannot be in each of {splits} splits, since {why}", few)


def _deal_folds(clusters: _Clusters, dealt: Whole, plan: SplitPlan) -> Whole:
    """Deal what is not tested on into folds for cross-validation; the tested keep `FREE`."""
    outside = dealt != TEST
    folds = np.full(len(dealt), FREE)
    folds[outside] = deal(
        clusters.images[outside],
        shares=np.full(plan.folds, 1 / plan.folds),
        placed=clusters.folds[outside],
        order=_order(clusters, plan.seed, "fold", 0)[outside],
        strata=clusters.images.shape[1] - 1,
    )
    return folds


def _order(clusters: _Clusters, seed: int, purpose: str, attempt: int) -> Whole:
    """Return who is dealt when: the largest first, which balances best, or all by chance where that did not do."""
    by_chance = np.array([seed_of(seed, purpose, attempt, lot) for lot in clusters.lots], dtype=np.uint64)
    sizes = -clusters.images.sum(axis=1) * (attempt == 0)
    return np.lexsort((by_chance, sizes)).argsort()


def _scarce(what: str, few: Mapping[str, int]) -> UserError:
    named = ", ".join(f"{code} ({count})" for code, count in few.items())
    left_out = ", ".join(f'"{code}"' for code in few)
    mend = f"gather more of them, or leave them out: leave_out = [{left_out}] in clinic.toml"
    return UserError(f"{what}: {named}", where="diagnoses of the dataset", mend=mend)
