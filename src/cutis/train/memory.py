"""What a training step needs, told before it is run, and what to change where it is too much."""

from __future__ import annotations

import copy
import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from cutis.vocabulary.errors import UserError

FEWEST = 2  # pictures at once; batch normalisation has nothing to compare in one
MEGABYTE, GIGABYTE = 10**6, 10**9
FULL = 4  # bytes of a number in full precision
# Beside what backward keeps, it holds gradients of maps, and convolution its reordered copies. On two cores the peak
# lay 1.1 to 1.5 times as high as what is kept (mobilenetv2, efficientnet_b0 and b4; 32 to 380 px; 2 to 64 pictures),
# and in bf16 higher by as many bytes, since much of this stays in full precision. Not measured on an accelerator.
WORKING_SPACE = 0.5  # of what is kept in full precision
LIBRARIES = 64 * 2**20  # bytes that a first step costs whatever it computes
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed", "bad_alloc")


class Need(NamedTuple):
    """The memory that training takes, in bytes."""

    fixed: int  # however many pictures a step has
    per_picture: int  # and this for each picture that is computed at once

    def total(self, pictures: int) -> int:
        """Return what a step of so many pictures at once takes."""
        return self.fixed + pictures * self.per_picture

    def fits(self, available: int) -> int:
        """Return how many pictures can be computed at once."""
        return max(0, (available - self.fixed) // self.per_picture)


def need_of(network: nn.Module, *, size: int, ema: bool, bytes_per_number: int = FULL) -> Need:
    """Estimate what training needs, without computing anything: shapes alone go through the network.

    Counted are the weights, their gradients, AdamW's two moments and as much again for its intermediate results, the
    average of the weights (`ema`), and all that is kept for the backward pass, the pictures themselves among it.

    Args:
        network: takes pictures (N, 3, size, size); is not changed.
        size: pixels a side.
        ema: whether an average of the weights is kept.
        bytes_per_number: of what is kept for the backward pass; 2 in mixed precision.
    """
    weightless = copy.deepcopy(network).to("meta").train().requires_grad_(requires_grad=True)
    kept = _kept_for_backward(weightless, size, 3) - _kept_for_backward(weightless, size, 2)
    numbers = sum(parameter.numel() for parameter in weightless.parameters())
    state = sum(buffer.nbytes for buffer in weightless.buffers())
    cast = numbers * bytes_per_number if bytes_per_number < FULL else 0  # mixed precision computes with a copy
    return Need(
        fixed=(5 + ema) * numbers * FULL + (1 + ema) * state + cast + LIBRARIES,
        per_picture=max(1, int(kept * (bytes_per_number / FULL + WORKING_SPACE))),
    )


def _kept_for_backward(network: nn.Module, size: int, pictures: int) -> int:
    """Return the bytes that autograd keeps; what is kept twice, in place or as a view, counts once."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[id(storage)] = storage  # held, so that no other gets its id
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.empty(pictures, 3, size, size, device="meta"))
    return sum(storage.nbytes() for storage in kept.values())


def available(*, processes: int = 1) -> int:
    """Return the bytes that are free for this process where training computes.

    On the current accelerator, of which each process has its own; else on this machine, shared by so many `processes`.
    """
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return memory_of_machine() // processes


def memory_of_machine(root: Path = Path("/")) -> int:
    """Return the bytes that this process may still take: what the machine has, and what its control group is lent.

    Args:
        root: below it lie proc and sys.
    """
    told = _table(root / "proc/meminfo").get("MemAvailable:")
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if told is None else told * 1024
    return max(0, min([free, *_left_to_groups(root)]))


def _left_to_groups(root: Path) -> Iterator[int]:
    """Yield what is left of every limit that holds for this process, of version 2 and of version 1."""
    groups = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, place = line.split(":", 2)
        if not controllers:
            yield from _left(groups, place, names=("memory.max", "memory.current", "inactive_file"))
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(groups / "memory", place, names=names)


def _left(top: Path, place: str, *, names: tuple[str, str, str]) -> Iterator[int]:
    limit, usage, idle = names
    group = Path(place.lstrip("/"))
    for folder in dict.fromkeys(top / each for each in (group, *group.parents)):
        lent, used = (next(iter(_lines(folder / name)), "") for name in (limit, usage))
        if lent.isdigit() and used.isdigit():  # "max" is no limit
            yield int(lent) - int(used) + _table(folder / "memory.stat").get(idle, 0)


def _table(path: Path) -> dict[str, int]:
    words = [line.split() for line in _lines(path)]
    return {each[0]: int(each[1]) for each in words if len(each) > 1 and each[1].isdigit()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:  # another system, or another version
        return []


def require_memory(need: Need, batch_size: int, *, available: int, accumulate: int = 1, processes: int = 1) -> None:
    """Refuse to start a step that memory cannot hold.

    Args:
        need: of this network.
        batch_size: pictures of a step, over all processes and parts.
        available: bytes that are free for each process.
        accumulate: parts in which a process computes its share.
        processes: that share the step.

    Raises:
        UserError: it does not fit; says what does.
    """
    pictures = _at_once(batch_size, accumulate, processes)
    if need.total(pictures) > available:
        what = f"{_step(batch_size, pictures)} needs about {spoken_bytes(need.total(pictures))} of memory"
        what += f", and {spoken_bytes(available)} are free"
        fits = need.fits(available)
        raise _too_much(what, fits, batch_size=batch_size, accumulate=accumulate, processes=processes)


@contextmanager
def out_of_memory_is_a_user_error(
    need: Need, batch_size: int, *, available: int, accumulate: int = 1, processes: int = 1
) -> Iterator[None]:
    """Turn the ways in which libraries say *no memory* into the one error that says which batch size would fit.

    That is what `require_memory` would say; where by its count the step should have fitted, half of what failed.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not _says_no_memory(error):
            raise
        pictures, fits = _at_once(batch_size, accumulate, processes), need.fits(available)
        fits = fits if fits < pictures else pictures // 2
        what = f"memory ran out in {_step(batch_size, pictures)}"
        raise _too_much(what, fits, batch_size=batch_size, accumulate=accumulate, processes=processes) from error


def _says_no_memory(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)


def _at_once(batch_size: int, accumulate: int, processes: int) -> int:
    return math.ceil(math.ceil(batch_size / processes) / accumulate)


def _step(batch_size: int, pictures: int) -> str:
    return f"a step of {pictures} pictures{' at once' if pictures < batch_size else ''}"


def _too_much(what: str, fits: int, *, batch_size: int, accumulate: int, processes: int) -> UserError:
    if fits < FEWEST:
        mend = f"choose a smaller size or a smaller network; not even {FEWEST} pictures fit"
        return UserError(what, where="size and network of the recipe", mend=mend)
    parts = math.ceil(math.ceil(batch_size / processes) / fits)
    mend = f"at most batch_size={fits * accumulate * processes} fits, "
    mend += f"or accumulate={parts} parts keep batch_size={batch_size} (--set accumulate={parts})"
    return UserError(what, where="batch_size of the recipe", mend=mend)


def spoken_bytes(count: int) -> str:
    """Say an amount of memory as people do: "41 GB", "3.1 GB", "190 MB"."""
    if count < GIGABYTE:
        return f"{count / MEGABYTE:.0f} MB"
    return f"{count / GIGABYTE:.{0 if count >= 10 * GIGABYTE else 1}f} GB"
