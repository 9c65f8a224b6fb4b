"""Readings as arrays: who said what of which case, beside the truth. Bad readings end here, each with a clear error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cutis.stats.resampling import Clusters, clusters_of
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.reading import NONE_OF_THESE, Reading

UNREAD = -1
FEWEST_READERS = 2


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What each case has, and whom it belongs to."""

    diagnosis: Mapping[str, str]  # code by case
    cluster: Mapping[str, str]  # patient or lesion by case
    cluster_kind: str
    where: str  # names where it comes from in an error


@dataclass(frozen=True, kw_only=True)
class Table:
    """The answers of R readers to N cases of K diagnoses, in one arm and on one occasion."""

    readers: tuple[str, ...]
    cases: tuple[str, ...]
    codes: tuple[str, ...]
    truth: NDArray[np.int64]  # (N,) index into codes; K for another one
    cluster_ids: tuple[str, ...]
    cluster_kind: str
    said: NDArray[np.int64]  # (R, N) the first choice; K for none of these, UNREAD where it was not read
    named: NDArray[np.bool_]  # (R, N, K) every choice that counts
    confidence: NDArray[np.float64]  # (R, N), NaN where not told
    seconds: NDArray[np.float64]  # (R, N), the same
    position: NDArray[np.float64]  # (R, N), the same
    ratings: NDArray[np.float64] | None  # (R, N, K); None where not every answer was rated

    @property
    def read(self) -> NDArray[np.bool_]:
        """Which cases (R, N) each reader read."""
        read: NDArray[np.bool_] = self.said != UNREAD
        return read

    @property
    def is_crossed(self) -> bool:
        """Whether everybody read everything."""
        return bool(self.read.all())

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the first choice (R, N) is the truth."""
        right: NDArray[np.bool_] = self.said == self.truth
        return right

    @property
    def clusters(self) -> Clusters:
        """Which cases belong together."""
        kinds = len(self.codes) + 1
        return clusters_of(self.cluster_ids, self.truth, kind=self.cluster_kind, diagnoses=kinds)

    def has(self, kind: int) -> NDArray[np.bool_]:
        """Which cases (N,) have a diagnosis."""
        has: NDArray[np.bool_] = self.truth == kind
        return has

    def of_cases(self, cases: Sequence[str]) -> Table:
        """Return the table of some cases alone, in this order."""
        place = {case: number for number, case in enumerate(self.cases)}
        at = [place[case] for case in cases]
        return replace(
            self,
            cases=tuple(cases),
            truth=self.truth[at],
            cluster_ids=tuple(self.cluster_ids[number] for number in at),
            said=self.said[:, at],
            named=self.named[:, at],
            confidence=self.confidence[:, at],
            seconds=self.seconds[:, at],
            position=self.position[:, at],
            ratings=None if self.ratings is None else self.ratings[:, at],
        )


def require_sound(
    readings: Sequence[Reading],
    *,
    codes: Sequence[str],
    truth: Truth,
    where: str,
    protocol_sha256: str | None = None,
    drop_without_truth: bool = False,
) -> tuple[Reading, ...]:
    """Return the readings that can be scored.

    Raises:
        UserError: an unknown case or diagnosis, a case without truth (unless these are dropped), or fewer than two
            readers.
        SafetyRefusal: readings under another protocol than the one that is there.
    """
    _require_protocol(readings, protocol_sha256, where=where)
    unknown = sorted({reading.case_id for reading in readings} - truth.cluster.keys())
    if unknown:
        what = f"unknown case {unknown[0]!r}{_and_more(unknown)}"
        mend = f"give the readings of cases that stand in {truth.where}, or their truth"
        raise UserError(what, where=where, mend=mend)
    known = {*codes, NONE_OF_THESE}
    foreign = sorted({code for reading in readings for code in (reading.diagnosis, *reading.further)} - known)
    if foreign:
        mend = f"use one of: {', '.join(codes)}, {NONE_OF_THESE}; or say what it means by --means '{foreign[0]}=CODE'"
        raise UserError(f"unknown diagnosis {foreign[0]!r}{_and_more(foreign)}", where=where, mend=mend)
    without = sorted({reading.case_id for reading in readings} - truth.diagnosis.keys())
    if without and not drop_without_truth:
        what = f"case {without[0]!r} has no truth{_and_more(without)}"
        raise UserError(what, where=where, mend="tell its diagnosis, or leave such cases out by --drop-without-truth")
    kept = tuple(reading for reading in readings if reading.case_id in truth.diagnosis)
    people = {reading.reader_id for reading in kept}
    if len(people) < FEWEST_READERS:
        what = "one reader only" if people else "no reading of a case with a truth"
        mend = "give two or more: from one nothing can be said of readers"
        raise UserError(what, where=where, mend=mend)
    return kept


def table_of(
    readings: Sequence[Reading],
    *,
    codes: Sequence[str],
    truth: Truth,
    readers: Sequence[str] = (),
    count_further: bool = False,
) -> Table:
    """Arrange sound readings of one arm and occasion.

    Args:
        readings: at most one of each reader and case.
        codes: of the diagnoses.
        truth: of every case.
        readers: their order; that of their names, if not given.
        count_further: whether a second and third choice count as said in questions of yes or no.
    """
    people = tuple(readers) or tuple(sorted({reading.reader_id for reading in readings}))
    cases = tuple(sorted({reading.case_id for reading in readings}))
    row, column = ({name: place for place, name in enumerate(names)} for names in (people, cases))
    kind = {code: place for place, code in enumerate(codes)} | {NONE_OF_THESE: len(codes)}
    shape, kinds = (len(people), len(cases)), len(codes)
    said = np.full(shape, UNREAD)
    named = np.zeros((*shape, kinds + 1), dtype=np.bool_)
    numbers = {name: np.full(shape, np.nan) for name in ("confidence", "seconds", "position")}
    ratings = np.full((*shape, kinds), np.nan)
    for reading in readings:
        at = row[reading.reader_id], column[reading.case_id]
        said[at] = kind[reading.diagnosis]
        for code in (reading.diagnosis, *(reading.further if count_further else ())):
            named[(*at, kind[code])] = True
        for name, values in numbers.items():
            value = getattr(reading, name)
            values[at] = np.nan if value is None else value
        if reading.ratings is not None:
            ratings[at] = [reading.ratings.get(code, np.nan) for code in codes]
    rated = not np.isnan(ratings[said != UNREAD]).any()
    return Table(
        readers=people,
        cases=cases,
        codes=tuple(codes),
        truth=np.array([kind.get(truth.diagnosis[case], kinds) for case in cases], dtype=np.int64),
        cluster_ids=tuple(truth.cluster[case] for case in cases),
        cluster_kind=truth.cluster_kind,
        said=said,
        named=named[..., :kinds],
        ratings=ratings if rated and len(readings) else None,
        confidence=numbers["confidence"],
        seconds=numbers["seconds"],
        position=numbers["position"],
    )


def _require_protocol(readings: Sequence[Reading], protocol_sha256: str | None, *, where: str) -> None:
    under = sorted({reading.protocol_sha256 for reading in readings if reading.protocol_sha256 is not None})
    wrong = under if len(under) > 1 else [one for one in under if protocol_sha256 not in {None, one}]
    if wrong:
        was = " and ".join(one[:12] for one in under)
        now = f", and the one here is {protocol_sha256[:12]}" if protocol_sha256 else ""
        what = f"the protocol was changed after the first reading: these were given under {was}{now}"
        mend = "restore the plan.json under which they were given; readings of two protocols are never mixed"
        raise SafetyRefusal(what, where=where, mend=mend)


def _and_more(names: Sequence[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""
