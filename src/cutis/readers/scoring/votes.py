"""Votes counted per case, without names: what groups of readers said beside the network, image by image.

Counts do not say who voted, so that nothing is known of how readers differ: every interval is conditional on these
readers, and there is no p-value for readers. Each image counts the same, however many voted on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.readers.network import Network, of_cases
from cutis.readers.scoring.collective import plurality
from cutis.readers.scoring.points import read_at, roc
from cutis.readers.scoring.questions import ACCURACY, BALANCED, SENSITIVITY, SPECIFICITY
from cutis.readers.scoring.table import Truth
from cutis.stats.intervals import ROUNDS, bootstrap, with_width
from cutis.stats.metrics import Measure
from cutis.stats.resampling import Clusters, clusters_of
from cutis.stats.weights import Weights, weighted_mean
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.reading import rows_of
from cutis.vocabulary.taxonomy import Taxonomy

READERS, NETWORK, DIFFERENCE, PLURALITY = "readers", "network", "network − readers", "plurality"
CONDITIONAL = "conditional on these readers, whose votes were counted without names"
LESS = "-"  # between the names of two groups: the first without the second


@dataclass(frozen=True, kw_only=True)
class Votes:
    """How many readers of a group chose each of K diagnoses for each of N images."""

    name: str
    case_ids: tuple[str, ...]
    counts: NDArray[np.int64]  # (N, K)


class Group(NamedTuple):
    """What a group said, beside the network on the same images."""

    name: str
    images: int
    clusters: int
    votes: int
    median_votes: float
    estimates: dict[str, Estimate]

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return self._asdict() | {"estimates": plain(self.estimates)}


class Scored(NamedTuple):
    """Everything that is said of votes."""

    groups: tuple[Group, ...]
    between: dict[str, dict[str, Estimate]]  # by the names of two groups: first − second, on the images of both
    network: str

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "network": {"name": self.network},
            "groups": [group.content() for group in self.groups],
            "between": {pair: plain(estimates) for pair, estimates in self.between.items()},
            "conditional": CONDITIONAL,
        }


def read_votes(name: str, path: Path, taxonomy: Taxonomy, *, case: str) -> Votes:
    """Read a CSV with a row for each image and a column for each diagnosis, called by any word that the taxonomy knows.

    Args:
        name: of the group.
        path: of the file.
        taxonomy: of the dataset.
        case: what the column of the images is called.

    Raises:
        UserError: no such file or column, no column of a diagnosis, an image that stands twice, or what is no count.
    """
    header, rows = rows_of(path)
    kinds = {column: code for column in header if (code := taxonomy.find(column))}
    if case not in header or set(kinds.values()) != set(taxonomy.codes):
        missing = case if case not in header else next(code for code in taxonomy.codes if code not in kinds.values())
        mend = f"its columns are {', '.join(header)}; say what the images' is called by --column case_id=COLUMN"
        raise UserError(f"there is no column for {missing!r}", where=str(path), mend=mend)
    counts: dict[str, list[int]] = {}
    for where, row in rows:
        if row[case] in counts:
            raise UserError(f"image {row[case]!r} stands twice", where=where, mend="keep one row of each image")
        own = dict.fromkeys(taxonomy.codes, 0)
        for column, code in kinds.items():
            own[code] += _count(row[column], where)
        counts[row[case]] = list(own.values())
    if not counts:
        raise UserError("there are no votes", where=str(path), mend="give a row for each image")
    return Votes(name=name, case_ids=tuple(counts), counts=np.array(list(counts.values()), dtype=np.int64))


def less(name: str, whole: Votes, part: Votes) -> Votes:
    """Return the votes of a group without those of another one that is in it.

    Raises:
        UserError: the second has votes that the first has not.
    """
    own = dict(zip(part.case_ids, part.counts, strict=True))
    none = np.zeros(whole.counts.shape[1], dtype=np.int64)
    left = whole.counts - np.stack([own.get(case, none) for case in whole.case_ids])
    if (left < 0).any() or set(own) - set(whole.case_ids):
        what = f"{part.name!r} is no part of {whole.name!r}: it has votes that the other has not"
        raise UserError(what, where="--votes", mend="name the larger group first")
    return Votes(name=name, case_ids=whole.case_ids, counts=left)


def renamed(votes: Votes, case_ids: Mapping[str, str]) -> Votes:
    """Return the votes with the images called otherwise; who has no other name keeps his."""
    return replace(votes, case_ids=tuple(case_ids.get(case, case) for case in votes.case_ids))


def scored_votes(
    groups: Sequence[Votes],
    network: Network,
    truth: Truth,
    *,
    between: Sequence[tuple[str, str]] = (),
    rounds: int = ROUNDS,
) -> Scored:
    """Score every group beside the network, on the images that both answered, and pairs of groups beside one another.

    Args:
        groups: of voters; they may overlap.
        network: what it said, with the diagnoses in the order of the counts.
        truth: of the images.
        between: names of groups, to be compared in pairs.
        rounds: of the bootstrap.

    Raises:
        UserError: a group and the network have no image in common.
    """
    by_name = {group.name: _answered(group, network, truth) for group in groups}
    found = [_group(votes, network, truth, rounds=rounds) for votes in by_name.values()]
    pairs = {
        f"{first} − {second}": _between(by_name[first], by_name[second], network, truth, rounds=rounds)
        for first, second in between
    }
    return Scored(tuple(found), pairs, network.predictions.rater)


def _answered(votes: Votes, network: Network, truth: Truth) -> Votes:
    """Return the votes on images with one vote or more, a truth, and an answer of the network."""
    known = set(network.predictions.case_ids)
    keep = [
        number
        for number, case in enumerate(votes.case_ids)
        if case in known and case in truth.diagnosis and votes.counts[number].sum()
    ]
    if not keep:
        what = f"none of {len(votes.case_ids):,} images of {votes.name!r} was answered by the network"
        mend = "say how the images are called in the dataset, by --pictures CLINIC_DIR"
        raise UserError(what, where="--votes", mend=mend)
    return replace(votes, case_ids=tuple(votes.case_ids[number] for number in keep), counts=votes.counts[keep])


class _Seen(NamedTuple):
    """Votes, network and truth of the same N images."""

    shares: NDArray[np.float64]  # (N, K) of the votes
    leading: NDArray[np.float64]  # (N,) how right the most frequent answer is
    chances: NDArray[np.float64]  # (N, K) of the network
    truth: NDArray[np.int64]
    clusters: Clusters
    codes: tuple[str, ...]


def _seen(votes: Votes, network: Network, truth: Truth) -> _Seen:
    codes = network.predictions.codes
    true = np.array([codes.index(truth.diagnosis[case]) for case in votes.case_ids])
    return _Seen(
        shares=votes.counts / votes.counts.sum(axis=1, keepdims=True),
        leading=plurality(votes.counts, true),
        chances=of_cases(network.predictions, votes.case_ids, where="--votes").probabilities,
        truth=true,
        clusters=clusters_of(
            [truth.cluster[case] for case in votes.case_ids], true, kind=truth.cluster_kind, diagnoses=len(codes)
        ),
        codes=codes,
    )


def _group(votes: Votes, network: Network, truth: Truth, *, rounds: int) -> Group:
    seen = _seen(votes, network, truth)
    said = np.eye(len(seen.codes))[seen.chances.argmax(axis=1)]

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        readers, beside = _figures(seen, seen.shares, weights), _figures(seen, said, weights)
        found = {f"{READERS}/{name}": value for name, value in readers.items()}
        found |= {f"{NETWORK}/{name}": value for name, value in beside.items()}
        found |= {f"{DIFFERENCE}/{name}": beside[name] - value for name, value in readers.items()}
        found[f"{PLURALITY}/{ACCURACY}"] = weighted_mean(seen.leading, weights)
        found[f"network − {PLURALITY}/{ACCURACY}"] = beside[ACCURACY] - found[f"{PLURALITY}/{ACCURACY}"]
        found |= _at_their_specificity(seen, readers, weights)
        return {Measure(None, name): value for name, value in found.items()}

    return Group(
        name=votes.name,
        images=len(votes.case_ids),
        clusters=len(seen.clusters),
        votes=int(votes.counts.sum()),
        median_votes=float(np.median(votes.counts.sum(axis=1))),
        estimates=_estimated(figures, seen.clusters, what=votes.name, rounds=rounds),
    )


def _between(first: Votes, second: Votes, network: Network, truth: Truth, *, rounds: int) -> dict[str, Estimate]:
    common = [case for case in first.case_ids if case in set(second.case_ids)]
    one, other = (_seen(_of(votes, common), network, truth) for votes in (first, second))

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        before, after = _figures(other, other.shares, weights), _figures(one, one.shares, weights)
        return {Measure(None, name): after[name] - before[name] for name in before}

    return _estimated(figures, one.clusters, what=f"{first.name} − {second.name}", rounds=rounds)


def _figures(seen: _Seen, said: NDArray[np.float64], weights: Weights) -> dict[str, NDArray[np.float64]]:
    """Return accuracy, sensitivities and specificities of shares of answers (N, K), each image counting the same."""
    own = said[np.arange(len(said)), seen.truth]
    found, sensitivities = {ACCURACY: weighted_mean(own, weights)}, []
    for kind, code in enumerate(seen.codes):
        has = seen.truth == kind
        if has.any():
            found[f"{SENSITIVITY}/{code}"] = weighted_mean(said[has, kind], weights[:, has])
            found[f"{SPECIFICITY}/{code}"] = weighted_mean(1 - said[~has, kind], weights[:, ~has])
            sensitivities.append(found[f"{SENSITIVITY}/{code}"])
    return found | {BALANCED: np.mean(sensitivities, axis=0)}


def _at_their_specificity(
    seen: _Seen, readers: Mapping[str, NDArray[np.float64]], weights: Weights
) -> dict[str, NDArray[np.float64]]:
    """Return the network's sensitivity where it is as specific as the readers are in the same round."""
    found = {}
    for kind, code in enumerate(seen.codes):
        if f"{SPECIFICITY}/{code}" in readers:
            curve = roc(seen.chances[:, kind], seen.truth == kind, weights)
            wanted = 1 - readers[f"{SPECIFICITY}/{code}"][:, None]
            at = read_at(curve.false_positive, wanted, curve.sensitivity)[:, 0]
            found[f"{DIFFERENCE}/sensitivity_at_specificity/{code}"] = at - readers[f"{SENSITIVITY}/{code}"]
    return found


def _estimated(figures: Any, clusters: Clusters, *, what: str, rounds: int) -> dict[str, Estimate]:
    generator = chance("readers", "votes", what)
    found = bootstrap(figures, clusters, rounds=rounds, generator=generator)
    return {
        str(measure): replace(with_width(each, is_share=False), method=f"{each.method}, {CONDITIONAL}")
        for measure, each in found.items()
    }


def _of(votes: Votes, case_ids: Sequence[str]) -> Votes:
    at = {case: number for number, case in enumerate(votes.case_ids)}
    return replace(votes, case_ids=tuple(case_ids), counts=votes.counts[[at[case] for case in case_ids]])


def _count(cell: str, where: str) -> int:
    if not cell.isascii() or not cell.isdigit():
        raise UserError(f"{cell!r} is no count of votes", where=where, mend="write whole numbers, and 0 for none")
    return int(cell)


def names_of(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each ``NAME=VALUE``.

    Raises:
        UserError: one is none, or a name stands twice.
    """
    seen = set[str]()
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value or name in seen:
            what = f"{name!r} stands twice" if name in seen else f"{text!r} names nothing"
            raise UserError(what, where="cutis readers score", mend="write NAME=VALUE, each name once")
        seen.add(name)
        yield name, value
