"""Pictures and diagnoses, batch by batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cutis.imaging.prepare import Preparation, normalise
from cutis.progress import track_parallel
from cutis.train.augment import Changes, apply_changes, draw_changes
from cutis.train.config import TrainConfig
from cutis.train.pictures import prepared_case
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.files import written_aside
from cutis.workspace import require_room


class Batch(NamedTuple):
    """What one step learns from."""

    images: Tensor  # (B, 3, S, S), normalised
    diagnosis: Tensor  # (B,), index into the taxonomy
    case_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The prepared pictures of one split; the array lies on disk and is read as needed.

    They lie in the order of their sha256 and chance is keyed by it, not by the pseudonym, which is another in every
    workspace: so a stranger with the same pictures and seed gets the same weights.
    """

    array: NDArray[np.uint8]  # (N, S, S, 3)
    diagnosis: NDArray[np.int64]  # (N,)
    case_ids: tuple[str, ...]
    sha256s: tuple[str, ...]  # of the picture files
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.case_ids)


def open_pictures(dataset: Path, manifest: Manifest, preparation: Preparation, *, cache: Path, what: str) -> Pictures:
    """Prepare every picture once, into one array on disk that later runs find again.

    Raises:
        UserError: no room on the disk, or a picture that is not the one that was curated.
    """
    cases = sorted(manifest.cases, key=lambda case: case.sha256)
    sha256s = tuple(case.sha256 for case in cases)
    path = cache / f"pictures-{_fingerprint(sha256s, preparation)}.npy"
    shape = (len(cases), preparation.size, preparation.size, 3)
    if not path.exists():
        require_room(cache, int(np.prod(shape)))
        with written_aside(path) as aside:
            array = np.lib.format.open_memmap(aside, mode="w+", dtype=np.uint8, shape=shape)
            prepare = partial(prepared_case, dataset=dataset, preparation=preparation)
            for row, picture in enumerate(track_parallel(prepare, cases, what)):
                array[row] = picture
            array.flush()
    codes = manifest.taxonomy.codes
    return Pictures(
        array=np.load(path, mmap_mode="r"),
        diagnosis=np.array([codes.index(str(case.diagnosis)) for case in cases], dtype=np.int64),
        case_ids=tuple(case.case_id for case in cases),
        sha256s=sha256s,
        preparation=preparation,
    )


def steps_per_epoch(pictures: Pictures, batch_size: int) -> int:
    """How many batches an epoch has; a last batch of one is left out, since it has no statistics to normalise by."""
    whole, rest = divmod(len(pictures), batch_size)
    return whole + (rest > 1)


def training_batches(
    pictures: Pictures, config: TrainConfig, *, epoch: int, start: int, device: torch.device
) -> Iterator[Batch]:
    """Yield the batches of one epoch from step `start` on: shuffled and changed by (seed, epoch, picture)."""
    order = chance(config.seed, "order", epoch).permutation(len(pictures))
    for step in range(start, steps_per_epoch(pictures, config.batch_size)):
        rows = np.sort(order[step * config.batch_size : (step + 1) * config.batch_size])
        changes = draw_changes([pictures.sha256s[row] for row in rows], epoch, config)
        raw = torch.from_numpy(pictures.array[rows]).to(device).permute(0, 3, 1, 2).float() / 255
        changed = apply_changes(raw, Changes(*(part.to(device) for part in changes)))
        mean, std = (
            raw.new_tensor(each)[:, None, None] for each in (pictures.preparation.mean, pictures.preparation.std)
        )
        yield _batch(pictures, rows, (changed - mean) / std)


def plain_batches(pictures: Pictures, batch_size: int, *, device: torch.device) -> Iterator[Batch]:
    """Yield every picture once, in order and unchanged, normalised by the very code that serves."""
    for start in range(0, len(pictures), batch_size):
        rows = np.arange(start, min(start + batch_size, len(pictures)))
        images = torch.from_numpy(normalise(pictures.array[rows], pictures.preparation)).to(device)
        yield _batch(pictures, rows, images)


def _batch(pictures: Pictures, rows: NDArray[np.int64], images: Tensor) -> Batch:
    return Batch(
        images=images.contiguous(memory_format=torch.channels_last),
        diagnosis=torch.from_numpy(pictures.diagnosis[rows]).to(images.device),
        case_ids=tuple(pictures.case_ids[row] for row in rows),
    )


def _fingerprint(sha256s: Sequence[str], preparation: Preparation) -> str:
    parts = [json.dumps(preparation.to_dict()), *sha256s]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
