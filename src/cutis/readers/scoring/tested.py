"""Every endpoint tested by a method that knows readers and cases, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.readers.protocol import Endpoint
from cutis.readers.scoring.answers import Answers
from cutis.readers.scoring.each import each_reader
from cutis.readers.scoring.pooled import Pooled
from cutis.readers.scoring.questions import ACCURACY, BALANCED, SENSITIVITY, SPECIFICITY, questions_of
from cutis.readers.scoring.table import Table
from cutis.stats.comparisons import holm
from cutis.stats.mrmc.each_reader import OneReader
from cutis.stats.mrmc.each_reader import each_reader as differences_of_readers
from cutis.stats.mrmc.endpoints import Endpoint as Kind
from cutis.stats.mrmc.network import one_network
from cutis.stats.mrmc.outcome import Outcome
from cutis.stats.mrmc.study import Asked
from cutis.stats.mrmc.treatments import two_treatments
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate

NETWORK, READERS, AIDED, UNAIDED = "network", "readers", "aided", "unaided"
AUC = "auc"
CALLED: dict[str, Kind] = {  # what the statistics call them
    ACCURACY: "right",
    BALANCED: "balanced_right",
    SENSITIVITY: "sensitivity",
    SPECIFICITY: "specificity",
    AUC: "auc",
}
ONE_LABEL = "each reader gave one label for a case, and one label has no ROC curve; an area needs a rating of each"


@dataclass(frozen=True, kw_only=True)
class Tested:
    """One endpoint: the two sides, their difference and its test; or why there is none."""

    name: str
    primary: bool
    compared: tuple[str, str]
    sides: Mapping[str, Estimate]
    outcome: Outcome | None
    by_reader: Mapping[str, OneReader] = field(default_factory=dict)  # of the endpoint that counts, with two treatments
    p_adjusted: float | None = None  # by Holm, among the endpoints that are not primary
    refused: str = ""

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        outcome = None
        if self.outcome is not None:
            outcome = asdict(self.outcome) | {"difference": self.outcome.difference.to_dict()}
        return {
            "name": self.name,
            "primary": self.primary,
            "compared": list(self.compared),
            "sides": {who: estimate.to_dict() for who, estimate in self.sides.items()},
            "outcome": outcome,
            "by_reader": [
                {
                    "reader": name,
                    "sides": {who: side.to_dict() for who, side in zip(self.compared, one.figures, strict=True)},
                    "difference": one.difference.to_dict(),
                    "p": one.p,
                }
                for name, one in self.by_reader.items()
            ],
            "p_adjusted": self.p_adjusted,
            "refused": self.refused,
        }


Test = Callable[[Asked], tuple[dict[str, Estimate], Outcome]]


def network_against_readers(
    table: Table, answers: Answers, pooled: Pooled, *, primary: Endpoint | None
) -> tuple[Tested, ...]:
    """Test the network against the mean reader, for every endpoint that the readings can answer.

    Args:
        table: of readings.
        answers: the network's, of the same cases.
        pooled: the two sides by the two-way bootstrap, whose intervals never leave 0 to 1.
        primary: what the protocol names; None where there is none, and every endpoint is one of several.
    """

    def tested(name: str) -> Test:
        truth, readers, network = _sides(table, name, answers)

        def test(asked: Asked) -> tuple[dict[str, Estimate], Outcome]:
            found = one_network(truth, network, readers, asked=asked)
            readers_alone = pooled.readers.get(name, found.mean_reader)
            alone = pooled.network[name] if name == BALANCED else found.network
            return {NETWORK: alone, READERS: readers_alone}, found.outcome

        return test

    return _all(table, tested, primary=primary, compared=(NETWORK, READERS))


def aided_against_unaided(
    unaided: Table, aided: Table, pooled: Mapping[str, Pooled], *, primary: Endpoint | None
) -> tuple[Tested, ...]:
    """Test the mean reader with the network's answer against the mean reader without it.

    Of the primary endpoint, or of accuracy where none was named, each reader is told by himself too.
    """
    counts = primary.measure if primary else ACCURACY

    def tested(name: str) -> Test:
        truth, before, _ = _sides(unaided, name, None)
        _, after, _ = _sides(aided, name, None)

        def test(asked: Asked) -> tuple[dict[str, Estimate], Outcome]:
            found = two_treatments(truth, after, before, asked=asked)
            means = dict(zip((AIDED, UNAIDED), found.means, strict=True))
            return {arm: pooled[arm].readers.get(name, mean) for arm, mean in means.items()}, found.outcome

        return test

    def with_readers(each: Tested) -> Tested:
        if each.name != counts or each.outcome is None:
            return each
        truth, before, _ = _sides(unaided, each.name, None)
        _, after, _ = _sides(aided, each.name, None)
        alone = differences_of_readers(truth, after, before, asked=_asked(unaided, each.name, primary))
        with_it, without = _shares(aided, each.name), _shares(unaided, each.name)
        told = {
            name: one._replace(figures=(with_it.get(name, one.figures[0]), without.get(name, one.figures[1])))
            for name, one in zip(unaided.readers, alone, strict=True)
            if one is not None
        }
        return replace(each, by_reader=told)

    return tuple(map(with_readers, _all(unaided, tested, primary=primary, compared=(AIDED, UNAIDED))))


def _all(
    table: Table, tested: Callable[[str], Test], *, primary: Endpoint | None, compared: tuple[str, str]
) -> tuple[Tested, ...]:
    found = []
    for name in _names(table):
        is_primary = primary is not None and primary.measure == name
        found.append(_one(table, tested, name, primary if is_primary else None, compared=compared))
    others = {each.name: each.outcome.p for each in found if each.outcome is not None and not each.primary}
    adjusted = holm(others)
    return tuple(replace(each, p_adjusted=adjusted.get(each.name)) for each in found)


def _one(
    table: Table,
    tested: Callable[[str], Test],
    name: str,
    primary: Endpoint | None,
    *,
    compared: tuple[str, str],
) -> Tested:
    what = name.partition("/")[0]
    if what == AUC and table.ratings is None:
        return Tested(
            name=name, primary=primary is not None, compared=compared, sides={}, outcome=None, refused=ONE_LABEL
        )
    try:
        sides, outcome = tested(name)(_asked(table, name, primary))
    except UserError as error:
        return Tested(
            name=name,
            primary=primary is not None,
            compared=compared,
            sides={},
            outcome=None,
            refused=f"{error.what}; {error.mend}",
        )
    return Tested(name=name, primary=primary is not None, compared=compared, sides=sides, outcome=outcome)


def _shares(table: Table, name: str) -> dict[str, Estimate]:
    """Return each reader's share with Wilson's interval, as everywhere else; none of what is no share."""
    readers = each_reader(table, questions_of(table, None), {})
    return {reader.name: reader.estimates[name] for reader in readers if name in reader.estimates}


def _asked(table: Table, name: str, primary: Endpoint | None) -> Asked:
    clusters = table.clusters
    asked = Asked(
        endpoint=CALLED[name.partition("/")[0]],
        clusters=clusters if len(clusters) < len(table.cases) else None,
    )
    if primary is None:
        return asked
    return replace(asked, hypothesis=primary.hypothesis, margin=primary.margin or 0.0, level=primary.level)


def _names(table: Table) -> list[str]:
    kinds = [kind for kind in range(len(table.codes)) if table.has(kind).any()]
    codes: Sequence[str] = [table.codes[kind] for kind in kinds]
    return [ACCURACY, BALANCED, *(f"{what}/{code}" for what in (SENSITIVITY, SPECIFICITY, AUC) for code in codes)]


def _sides(
    table: Table, name: str, answers: Answers | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return truth (N,), readers' scores (R, N) with NaN where not read, and the network's (N,); empty without one."""
    what, _, code = name.partition("/")
    nothing = np.empty(0)
    if what in {ACCURACY, BALANCED}:
        network = nothing if answers is None else (answers.answer == table.truth).astype(np.float64)
        return table.truth, np.where(table.read, table.right, np.nan), network
    kind = table.codes.index(code)
    truth = table.has(kind).astype(np.int64)
    if what == AUC:
        ratings = np.empty(0) if table.ratings is None else table.ratings[..., kind]
        return truth, ratings, nothing if answers is None else answers.chances[:, kind]
    network = nothing if answers is None else answers.flagged[:, kind].astype(np.float64)
    return truth, np.where(table.read, table.named[..., kind], np.nan), network
