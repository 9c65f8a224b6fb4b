"""Pictures and diagnoses, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cutis.imaging.prepare import Preparation, normalise
from cutis.train.augment import Changes, apply_changes, draw_changes
from cutis.train.cache import cached_pictures
from cutis.train.config import TrainConfig
from cutis.train.imbalance import order_of_epoch
from cutis.train.ranks import ALONE, Ranks
from cutis.vocabulary.case import Case, Manifest
from cutis.vocabulary.chance import chance

VOTED = {"majority", "adjudicator"}  # what settles a case by opinion, not by proof


class Batch(NamedTuple):
    """Pictures that go through the network together."""

    images: Tensor  # (B, 3, S, S), normalised
    target: Tensor  # (B, K), what is taught: probabilities of the diagnoses
    case_ids: tuple[str, ...]


class Step(NamedTuple):
    """What one step of the optimiser learns from; each process has its own parts of it."""

    parts: tuple[Batch, ...]
    pictures: int  # of the step, over all processes


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Prepared pictures and what they teach; the array lies on disk and is read as needed.

    They lie in the order of their sha256 and chance is keyed by it, not by the pseudonym, which is another in every
    workspace: so a stranger with the same pictures and seed gets the same weights.
    """

    array: NDArray[np.uint8]  # (M, S, S, 3), of which these are N rows
    rows: NDArray[np.int64]  # (N,)
    diagnosis: NDArray[np.int64]  # (N,)
    target: NDArray[np.float32]  # (N, K)
    case_ids: tuple[str, ...]
    sha256s: tuple[str, ...]  # of the picture files
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.case_ids)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many pictures (K,) each diagnosis has."""
        return np.bincount(self.diagnosis, minlength=self.target.shape[1])


def open_pictures(
    dataset: Path,
    manifest: Manifest,
    preparation: Preparation,
    *,
    cache: Path,
    soft_labels: float = 0.0,
    checked: bool = False,
) -> Pictures:
    """Open every picture of a manifest, prepared once and kept on disk; later runs find it again.

    Raises:
        UserError: no room on the disk, or a picture that is not the one that was curated.
    """
    cases = tuple(sorted(manifest.cases, key=lambda case: case.sha256))
    codes = manifest.taxonomy.codes
    return Pictures(
        array=cached_pictures(cases, dataset, preparation, cache=cache, checked=checked),
        rows=np.arange(len(cases)),
        diagnosis=np.array([codes.index(str(case.diagnosis)) for case in cases], dtype=np.int64),
        target=np.stack([target_of(case, codes, soft_labels) for case in cases]),
        case_ids=tuple(case.case_id for case in cases),
        sha256s=tuple(case.sha256 for case in cases),
        preparation=preparation,
    )


def chosen_from(pictures: Pictures, cases: Manifest) -> Pictures:
    """Return the pictures of these cases, in the same order and from the same array."""
    wanted = set(cases.column("case_id"))
    at = np.flatnonzero([case_id in wanted for case_id in pictures.case_ids])
    return replace(
        pictures,
        rows=pictures.rows[at],
        diagnosis=pictures.diagnosis[at],
        target=pictures.target[at],
        case_ids=tuple(pictures.case_ids[each] for each in at),
        sha256s=tuple(pictures.sha256s[each] for each in at),
    )


def target_of(case: Case, codes: Sequence[str], soft_labels: float) -> NDArray[np.float32]:
    """Return what a case teaches (K,): its diagnosis, and to a share of `soft_labels` what its raters said.

    Where histology or any other proof settled the case, the raters' doubts teach nothing.
    """
    target = np.zeros(len(codes), np.float32)
    target[codes.index(str(case.diagnosis))] = 1
    votes = [codes.index(vote.code) for vote in case.votes if vote.code in codes]
    if soft_labels and len(votes) > 1 and case.confirmed_by in VOTED:
        said = np.bincount(votes, minlength=len(codes)) / len(votes)
        target = ((1 - soft_labels) * target + soft_labels * said).astype(np.float32)
    return target


def steps_per_epoch(pictures: int, batch_size: int, *, parts: int = 1) -> int:
    """How many steps an epoch has.

    A last step with a part of fewer than two pictures is left out: it has no statistics to normalise by.
    """
    whole, rest = divmod(pictures, batch_size)
    return whole + (rest >= 2 * parts)


def training_steps(
    pictures: Pictures, config: TrainConfig, *, epoch: int, start: int, device: torch.device, ranks: Ranks = ALONE
) -> Iterator[Step]:
    """Yield the steps of one epoch from step `start` on, of each the parts of this process.

    Order and changes belong to (seed, epoch, picture). A step is cut into processes × accumulate parts in a row, dealt
    to the processes in turn, so that the parts are the same however many processes share them.
    """
    order = order_of_epoch(pictures.diagnosis, config, chance(config.seed, "order", epoch))
    names = _names(pictures, order)
    parts = ranks.world * config.accumulate
    for step in range(start, steps_per_epoch(len(pictures), config.batch_size, parts=parts)):
        places = np.arange(step * config.batch_size, min((step + 1) * config.batch_size, len(order)))
        mine = np.array_split(places, parts)[ranks.rank :: ranks.world]
        batches = (_changed(pictures, order[part], [names[at] for at in part], epoch, config, device) for part in mine)
        yield Step(parts=tuple(batches), pictures=len(places))


def plain_batches(
    pictures: Pictures, batch_size: int, *, device: torch.device, at: NDArray[np.int64] | None = None
) -> Iterator[Batch]:
    """Yield every picture once, or those at these places, unchanged, normalised by the very code that serves."""
    places = np.arange(len(pictures)) if at is None else at
    for start in range(0, len(places), batch_size):
        here = places[start : start + batch_size]
        images = torch.from_numpy(normalise(pictures.array[pictures.rows[here]], pictures.preparation)).to(device)
        yield _batch(pictures, here, images)


def _names(pictures: Pictures, order: NDArray[np.int64]) -> list[str]:
    """Name each showing of an epoch by its picture; a picture that comes again is changed otherwise."""
    seen: Counter[int] = Counter()
    names = []
    for row in order.tolist():
        names.append(pictures.sha256s[row] + "+" * seen[row])
        seen[row] += 1
    return names


def _changed(
    pictures: Pictures,
    at: NDArray[np.int64],
    names: Sequence[str],
    epoch: int,
    config: TrainConfig,
    device: torch.device,
) -> Batch:
    raw = torch.from_numpy(pictures.array[pictures.rows[at]])
    pixels = raw.to(device).permute(0, 3, 1, 2).float().div_(255)
    changes = Changes(*(part.to(device) for part in draw_changes(names, epoch, config)))
    mean, std = (
        pixels.new_tensor(each)[:, None, None] for each in (pictures.preparation.mean, pictures.preparation.std)
    )
    return _batch(pictures, at, (apply_changes(pixels, changes) - mean) / std)


def _batch(pictures: Pictures, at: NDArray[np.int64], images: Tensor) -> Batch:
    return Batch(
        images=images.contiguous(memory_format=torch.channels_last),
        target=torch.from_numpy(pictures.target[at]).to(images.device),
        case_ids=tuple(pictures.case_ids[each] for each in at),
    )
