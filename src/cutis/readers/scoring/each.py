"""Each reader by himself, and the network beside: shares with Wilson's interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.scoring.questions import ACCURACY, Question
from cutis.readers.scoring.table import Table
from cutis.stats.proportions import estimate_share
from cutis.stats.resampling import Clusters
from cutis.vocabulary.estimate import Estimate, plain


class Reader(NamedTuple):
    """One reader."""

    name: str
    cases: int
    profile: Mapping[str, str]
    estimates: dict[str, Estimate]
    median_seconds: float | None
    outperformed: bool | None  # whether the network was right more often on the same cases; None without a network

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return self._asdict() | {"profile": dict(self.profile), "estimates": plain(self.estimates)}


def each_reader(
    table: Table, questions: Sequence[Question], profiles: Mapping[str, Mapping[str, str]]
) -> tuple[Reader, ...]:
    """Return every reader's figures on the cases that he read, with Wilson's intervals.

    Args:
        table: of readings.
        questions: about it.
        profiles: what is known of the readers, by their names.
    """
    clusters = table.clusters
    return tuple(_reader(table, questions, place, clusters, profiles) for place in range(len(table.readers)))


def network_figures(table: Table, questions: Sequence[Question]) -> dict[str, Estimate]:
    """Return the network's figures on all cases, with the same intervals."""
    clusters = table.clusters
    return {
        each.name: estimate_share(each.network, clusters, among=each.among, of_whom=each.of_whom)
        for each in questions
        if each.network is not None
    }


def _reader(
    table: Table,
    questions: Sequence[Question],
    place: int,
    clusters: Clusters,
    profiles: Mapping[str, Mapping[str, str]],
) -> Reader:
    read, name = table.read[place], table.readers[place]
    estimates = {
        each.name: estimate_share(each.readers[place], clusters, among=each.among & read, of_whom=each.of_whom)
        for each in questions
        if (each.among & read).any()
    }
    seconds = table.seconds[place][read]
    told = seconds[~np.isnan(seconds)]
    return Reader(
        name=name,
        cases=int(read.sum()),
        profile=profiles.get(name, {}),
        estimates=estimates,
        median_seconds=float(np.median(told)) if len(told) else None,
        outperformed=_outperformed(questions[0], read, place),
    )


def _outperformed(accuracy: Question, read: NDArray[np.bool_], place: int) -> bool | None:
    assert accuracy.name == ACCURACY
    if accuracy.network is None:
        return None
    return bool(accuracy.network[read].mean() > accuracy.readers[place][read].mean())
