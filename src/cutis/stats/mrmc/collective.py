"""What groups of readers say together: the diagnosis that most of k readers name, beside the network.

A group is drawn at random from all readers; where several diagnoses are named equally often, each of them counts as
said in part. The figure of k readers is the mean over all groups, of which many are drawn. In each round of the
bootstrap, groups are drawn anew from the readers and on the cases of that round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.two_way import Rounds, estimate_rounds
from cutis.stats.resampling import LEVEL
from cutis.stats.weights import ratio
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate

GROUPS = 400  # that are drawn for the figure itself
GROUPS_A_ROUND = 25
GAPS_ARE = "where readers read different cases, no group has read a case as a whole"


class Vote(NamedTuple):
    """What k readers have together, and the network beside them."""

    readers: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    network_ahead: Estimate | None  # accuracy of the network − theirs, within each round
    network_ahead_balanced: Estimate | None


def estimate_votes(
    truth: NDArray[np.int64],
    readers: NDArray[np.int64],
    rounds: Rounds,
    *,
    sizes: Sequence[int],
    kinds: int,
    generator: np.random.Generator,
    network: NDArray[np.int64] | None = None,
    level: float = LEVEL,
) -> list[Vote]:
    """Return the figures of groups of each size.

    Args:
        truth: (N,) index of the diagnosis.
        readers: (R, N) index of what each said, all of them of all cases.
        rounds: by `draw_rounds`, of these readers and cases.
        sizes: of groups, each 1 to R.
        kinds: how many labels there are, *none of these* counted.
        generator: the chance that draws groups.
        network: (N,) what it says.
        level: of the intervals.

    Raises:
        UserError: some readers did not read all cases, or a group is larger than all readers.
    """
    if (readers < 0).any():
        raise UserError(f"no votes of groups: {GAPS_ARE}", where="readings", mend="use a design with all cases for all")
    if not sizes or min(sizes) < 1 or max(sizes) > len(readers):
        raise UserError(
            f"groups of {', '.join(map(str, sizes))} of {len(readers)} readers",
            where="sizes of groups",
            mend=f"use sizes from 1 to {len(readers)}",
        )
    own = None if network is None else _figures((network == truth)[None].astype(np.float64), truth, rounds)
    return [
        _vote(
            _credits(truth, readers, rounds, size=size, kinds=kinds, generator=generator),
            truth,
            rounds,
            own,
            size,
            level,
        )
        for size in sizes
    ]


def _vote(
    credit: NDArray[np.float64],
    truth: NDArray[np.int64],
    rounds: Rounds,
    own: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    size: int,
    level: float,
) -> Vote:
    theirs = [_centred(figure) for figure in _figures(credit, truth, rounds)]
    accuracy, balanced = (estimate_rounds(each, rounds, is_share=True, level=level) for each in theirs)
    ahead: list[Estimate | None] = [None, None]
    if own is not None:
        ahead = [
            estimate_rounds(network - group, rounds, is_share=False, level=level)
            for network, group in zip(own, theirs, strict=True)
        ]
    return Vote(size, accuracy, balanced, *ahead)


def _centred(figure: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the rounds (1 + B,) to the figure: a reader who was drawn twice may vote twice, which groups never do."""
    moved: NDArray[np.float64] = figure - np.nanmean(figure[1:]) + figure[0]
    moved[0] = figure[0]
    return moved


def _credits(
    truth: NDArray[np.int64],
    readers: NDArray[np.int64],
    rounds: Rounds,
    *,
    size: int,
    kinds: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return in each round how right (1 + B, N) groups are in the mean."""
    several = rounds.readers_are_random and size < len(readers)
    first = _group_credit(
        truth, readers, np.ones(len(readers)), GROUPS if size < len(readers) else 1, size, kinds, generator
    )
    if not rounds.readers_are_random:
        return first[None]
    return np.stack(
        [
            first,
            *(
                _group_credit(truth, readers, drawn, GROUPS_A_ROUND if several else 1, size, kinds, generator)
                for drawn in rounds.readers[1:]
            ),
        ]
    )


def _group_credit(
    truth: NDArray[np.int64],
    readers: NDArray[np.int64],
    drawn: NDArray[np.float64],
    groups: int,
    size: int,
    kinds: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return how right (N,) groups of readers are in the mean, each reader in the pool as often as he was drawn."""
    pool = np.repeat(np.arange(len(readers)), drawn.astype(np.int64))
    take = min(size, len(pool))
    picked = pool[np.argsort(generator.random((groups, len(pool))), axis=1)[:, :take]]  # (G, k)
    named = readers[picked]  # (G, k, N)
    votes = np.stack([(named == kind).sum(axis=1) for kind in range(kinds)])  # (K, G, N)
    most = votes.max(axis=0)
    right = np.take_along_axis(votes, np.broadcast_to(truth, votes.shape[1:])[None], axis=0)[0] == most
    credit: NDArray[np.float64] = (right / (votes == most).sum(axis=0)).mean(axis=0)
    return credit


def _figures(
    credit: NDArray[np.float64], truth: NDArray[np.int64], rounds: Rounds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return accuracy and balanced accuracy (1 + B,) of credit (1 + B, N), or of one row for all rounds."""
    weights = rounds.cases.astype(np.float64)
    weighted = weights * credit
    kinds = np.unique(truth)
    each = [ratio(weighted[:, truth == kind].sum(axis=1), weights[:, truth == kind].sum(axis=1)) for kind in kinds]
    return ratio(weighted.sum(axis=1), weights.sum(axis=1)), np.mean(each, axis=0)
