"""From readings to everything that is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cutis.progress import say
from cutis.readers.protocol import Endpoint
from cutis.readers.scoring.agreement import Agreement, between_readers, with_network, within_readers
from cutis.readers.scoring.answers import Answers, answers_of
from cutis.readers.scoring.collective import Vote, votes_of
from cutis.readers.scoring.each import Reader, each_reader, network_figures
from cutis.readers.scoring.material import Material
from cutis.readers.scoring.points import Points, points_of
from cutis.readers.scoring.pooled import Pooled, pooled_of
from cutis.readers.scoring.questions import questions_of
from cutis.readers.scoring.switches import Switches, switches_of
from cutis.readers.scoring.table import Table, table_of
from cutis.readers.scoring.tested import Tested, aided_against_unaided, network_against_readers
from cutis.readers.scoring.time import Pace, pace_of
from cutis.stats.intervals import ROUNDS
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.reading import AIDED, ARMS, UNAIDED

NOT_TOLD = "not told"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What readers did without the network's answer, or with it."""

    name: str
    table: Table
    readers: tuple[Reader, ...]
    pooled: Pooled
    pace: Pace
    between: Agreement
    within: Agreement | None
    votes: tuple[Vote, ...]
    with_network: Agreement | None
    points: tuple[Points, ...]
    tested: tuple[Tested, ...]  # network against readers

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        table = self.table
        return {
            "readers": [reader.content() for reader in self.readers],
            "cases": len(table.cases),
            "answers": int(table.read.sum()),
            "crossed": table.is_crossed,
            "cases_by_diagnosis": dict(Counter(_named(table, kind) for kind in table.truth.tolist())),
            "pooled": self.pooled.content(),
            "pace": self.pace.content(),
            "agreement": {
                "between": self.between.content(),
                "within": self.within.content() if self.within else None,
                "with_network": self.with_network.content() if self.with_network else None,
            },
            "votes": [vote.content() for vote in self.votes],
            "points": [points.content() for points in self.points],
            "tested": [each.content() for each in self.tested],
        }


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Everything that is said of a reader study."""

    arms: dict[str, Arm]
    answers: Answers | None
    network: dict[str, Estimate]  # on all cases of the first arm
    in_full: dict[str, Estimate]  # the same of its full answer; empty where it knows no more than the study asks for
    aided: tuple[Tested, ...]  # aided against unaided
    switches: Switches | None
    groups: dict[str, dict[str, Any]]  # of readers, by what they have in common

    @property
    def first(self) -> Arm:
        """The arm without the network's answer, or the only one."""
        return next(iter(self.arms.values()))

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        answers, network = self.answers, None
        if answers is not None:
            network = {
                "name": answers.name,
                "knows": answers.knows,
                "restricted": answers.is_restricted,
                "operating_points": answers.rule,
                "estimates": plain(self.network),
                "in_full": plain(self.in_full),
            }
        return {
            "network": network,
            "arms": {name: arm.content() for name, arm in self.arms.items()},
            "aided_against_unaided": [each.content() for each in self.aided],
            "switches": self.switches.content() if self.switches else None,
            "groups": self.groups,
        }


def scored(material: Material, *, by: str, count_further: bool = False, rounds: int = ROUNDS) -> Scores:
    """Score readings.

    Args:
        material: readings, truth, network.
        by: the column of the readers' profiles that makes groups.
        count_further: whether a second and third choice count as said in questions of yes or no.
        rounds: of every bootstrap.
    """
    people = tuple(sorted({reading.reader_id for reading in material.readings}))
    tables = {
        (arm, occasion): _table(material, arm, occasion, readers=people, count_further=count_further)
        for arm in ARMS
        for occasion in (1, 2)
        if any(reading.arm == arm and reading.occasion == occasion for reading in material.readings)
    }
    arms: dict[str, Arm] = {}
    answers: Answers | None = None
    primary = material.protocol.endpoint if material.protocol else None
    both = (UNAIDED, 1) in tables and (AIDED, 1) in tables
    for arm in (arm for arm in ARMS if (arm, 1) in tables):
        own = None if both else primary
        arms[arm] = _arm(material, arm, tables, by=by, primary=own, rounds=rounds)
    first = next(iter(arms.values())).table
    if material.network is not None:
        answers = answers_of(material.network, first, where=material.where)
    questions = questions_of(first, answers)
    switches: Switches | None = None
    aided: tuple[Tested, ...] = ()
    if both:
        say("aided against unaided")
        unaided, after = _on_the_same_cases(tables[UNAIDED, 1], tables[AIDED, 1])
        pooled = {name: arm.pooled for name, arm in arms.items()}
        aided = aided_against_unaided(unaided, after, pooled, primary=primary)
        if material.network is not None:
            seen = answers_of(material.network, unaided, where=material.where)
            switches = switches_of(unaided, after, seen, generator=chance("readers", "switches"), rounds=rounds)
    is_restricted = answers is not None and answers.is_restricted
    return Scores(
        arms=arms,
        answers=answers,
        network=network_figures(first, questions),
        in_full=network_figures(first, questions_of(first, answers, in_full=True)) if is_restricted else {},
        aided=aided,
        switches=switches,
        groups=_told_of_groups(first, material, by),
    )


def groups_of(readers: Sequence[str], profiles: Mapping[str, Mapping[str, str]], by: str) -> dict[str, list[int]]:
    """Return the places of readers by a cell of their profiles; none where nobody told it."""
    found: dict[str, list[int]] = {}
    for place, reader in enumerate(readers):
        found.setdefault(profiles.get(reader, {}).get(by, NOT_TOLD), []).append(place)
    return {} if set(found) == {NOT_TOLD} else dict(sorted(found.items()))


def _arm(
    material: Material,
    arm: str,
    tables: Mapping[tuple[str, int], Table],
    *,
    by: str,
    primary: Endpoint | None,
    rounds: int,
) -> Arm:
    table = tables[arm, 1]
    say(f"scoring {len(table.readers)} readers, {arm}, on {len(table.cases)} cases")
    answers = answers_of(material.network, table, where=material.where) if material.network else None
    questions = questions_of(table, answers)
    groups = groups_of(table.readers, material.profiles, by)

    def by_chance(what: str) -> np.random.Generator:
        return chance("readers", arm, what)

    again = tables.get((arm, 2))
    pooled = pooled_of(table, questions, generator=by_chance("pooled"), rounds=rounds)
    return Arm(
        name=arm,
        table=table,
        readers=each_reader(table, questions, material.profiles),
        pooled=pooled,
        pace=pace_of(table),
        between=between_readers(table),
        within=within_readers(table, again, generator=by_chance("within"), rounds=rounds) if again else None,
        votes=votes_of(table, questions[0].network, generator=by_chance("votes"), rounds=rounds),
        with_network=with_network(table, answers, generator=by_chance("with network"), rounds=rounds)
        if answers
        else None,
        points=points_of(table, answers, groups=groups, generator=by_chance("points"), rounds=rounds)
        if answers
        else (),
        tested=network_against_readers(table, answers, pooled, primary=primary) if answers else (),
    )


def _table(material: Material, arm: str, occasion: int, *, readers: tuple[str, ...], count_further: bool) -> Table:
    chosen = [each for each in material.readings if each.arm == arm and each.occasion == occasion]
    return table_of(chosen, codes=material.codes, truth=material.truth, readers=readers, count_further=count_further)


def _on_the_same_cases(unaided: Table, aided: Table) -> tuple[Table, Table]:
    """Return both tables with the cases that are in both, in the same order."""
    common = [case for case in unaided.cases if case in set(aided.cases)]
    return unaided.of_cases(common), aided.of_cases(common)


def _told_of_groups(table: Table, material: Material, by: str) -> dict[str, dict[str, Any]]:
    groups = groups_of(table.readers, material.profiles, by)
    return {name: {"by": by, "readers": [table.readers[place] for place in places]} for name, places in groups.items()}


def _named(table: Table, kind: int) -> str:
    return table.codes[kind] if kind < len(table.codes) else "another diagnosis"
