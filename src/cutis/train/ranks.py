"""The processes of one training, on one machine or many: who is there, and what they tell each other."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cutis.train.launch import ANOTHER_WAS_LOST, GO_ON
from cutis.vocabulary.errors import UserError

TOLD_BY_LAUNCHERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
MEETING = timedelta(minutes=5)  # for the last process to arrive
PREPARING = timedelta(hours=1)  # for the first to prepare pictures while the others wait
SECONDS_TO_PART = 10.0
PORTS = (15_000, 30_000)  # below those that a system hands out by itself
# What gloo and NCCL say when a peer is gone or silent; what they say of wrong use is our bug and none of these.
SILENCE = re.compile(r"(?i)timeout|timed out|remote|aborted|closed|reset|broken pipe|socket|network|system error")


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The processes of one training; alone, it is one process and no group.

    Two ranks give the same bits whenever they do the same steps, also after a resume, since a + b = b + a. With more,
    the sum of the gradients is taken in an order that depends on how `DistributedDataParallel` bundles them, which
    the first step of a process does otherwise than the later ones: an undisturbed run can be repeated bit by bit, a
    resumed one may differ from it in the last digits. `total` and `gather` keep the order of the ranks always.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0  # among the processes of this machine; where there are graphics cards, which one is its own
    group: Any = None  # a process group with the short timeout

    @property
    def leads(self) -> bool:
        """Whether this is the one process that writes files."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until every rank is here: with the long patience, so that one may prepare pictures meanwhile."""
        if self.world > 1:
            import torch.distributed as dist

            dist.all_reduce(torch.zeros(1))  # on the processor, where a peer that dies is noticed at once

    def total(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return the sum of each value over all ranks, in float64 and in rank order; the same on each rank."""
        mine = torch.tensor(values, dtype=torch.float64)
        heard = [mine] if self.world == 1 else self._all(mine)
        return tuple(np.stack([each.numpy() for each in heard]).sum(axis=0).tolist())

    def gather(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Return each rank's array, in rank order, on every rank; only their first dimensions may differ."""
        if self.world == 1:
            return [array]
        whole = np.ascontiguousarray(array)
        sizes = [int(size[0]) for size in self._all(torch.tensor([whole.nbytes]))]
        padded = torch.zeros(max(1, *sizes), dtype=torch.uint8)
        padded[: whole.nbytes] = torch.from_numpy(np.frombuffer(whole.tobytes(), dtype=np.uint8).copy())
        pieces = (each[:size].numpy() for each, size in zip(self._all(padded), sizes, strict=True))
        row = max(1, int(np.prod(whole.shape[1:])) * whole.itemsize)
        return [
            np.frombuffer(piece.tobytes(), dtype=whole.dtype).reshape(len(piece) // row, *whole.shape[1:])
            for piece in pieces
        ]

    def share(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients are the mean over all ranks after every backward pass; alone, itself.

        All ranks begin with the first one's weights. Only what requires a gradient now is averaged, so share again
        after thawing. Running statistics are broadcast from the first rank before each step, by default and rightly:
        they are those that its checkpoint holds, so a resumed training begins every step as the undisturbed one did.
        """
        if self.world == 1:
            return network
        from torch.nn.parallel import DistributedDataParallel

        on_card = next(network.parameters()).is_cuda
        devices = [torch.cuda.current_device()] if on_card else None
        return DistributedDataParallel(network, device_ids=devices, process_group=self.group)

    def without_sharing(self, network: nn.Module) -> AbstractContextManager[None]:
        """Let backward passes of a shared network only add up here, until one outside of this block is shared."""
        return network.no_sync() if self.world > 1 else nullcontext()  # type: ignore[operator]

    def align(self, network: nn.Module) -> None:
        """Give every rank the first one's running statistics, as before an answer in which each has its part.

        Within a step they drift apart, each by its own part of the batch.
        """
        if self.world > 1:
            import torch.distributed as dist

            for buffer in network.buffers():
                dist.broadcast(buffer, src=0, group=self.group)

    def _all(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        import torch.distributed as dist

        heard = [torch.empty_like(tensor) for _ in range(self.world)]
        dist.all_gather(heard, tensor, group=self.group)
        return heard


ALONE = Ranks()


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where this process sits among the others, and where they meet."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    address: str = ""
    port: int = 0
    by_slurm: bool = False

    def __str__(self) -> str:
        return f"process {self.rank + 1} of {self.world}"


@contextmanager
def joined(*, patience_s: float = 30.0) -> Iterator[Ranks]:
    """Join the processes that were started together, as their environment tells; leave them at the end.

    A step may keep the others waiting for `patience_s` seconds; only `Ranks.wait` waits longer.

    Raises:
        UserError: the environment makes no sense, the processes do not meet, or one of them was lost.
    """
    seat = seat_of(os.environ)
    if seat.world == 1:
        yield ALONE
        return
    try:
        group = _join(seat, patience_s)
        with _a_lost_peer_is_a_user_error(seat):
            own = torch.cuda.current_device() if torch.cuda.is_available() else seat.local_rank
            yield Ranks(rank=seat.rank, world=seat.world, local_rank=own, group=group)
    finally:
        _part()


def is_one_of_several() -> bool:
    """Say whether this process was started together with others.

    Raises:
        UserError: the environment makes no sense.
    """
    return seat_of(os.environ).world > 1


def seat_of(environ: Mapping[str, str]) -> Seat:
    """Read which process this is: as torchrun and `launch` tell it, else as SLURM does, else alone.

    Raises:
        UserError: a variable is missing or cannot be.
    """
    if any(name in environ for name in TOLD_BY_LAUNCHERS):
        return _told_by_launcher(environ)
    if {"SLURM_PROCID", "SLURM_NTASKS"} <= environ.keys() and _number(environ, "SLURM_NTASKS", least=1) > 1:
        return _told_by_slurm(environ)
    return Seat()


def _told_by_launcher(environ: Mapping[str, str]) -> Seat:
    world = _number(environ, "WORLD_SIZE", least=1)
    return Seat(
        rank=_number(environ, "RANK", below=world),
        world=world,
        local_rank=_number(environ, "LOCAL_RANK", below=world),
        address=_text(environ, "MASTER_ADDR"),
        port=_number(environ, "MASTER_PORT", least=1, below=2**16),
    )


def _told_by_slurm(environ: Mapping[str, str]) -> Seat:
    world = _number(environ, "SLURM_NTASKS")
    lowest, highest = PORTS
    if "MASTER_PORT" in environ:
        port = _number(environ, "MASTER_PORT", least=1, below=2**16)
    else:
        port = lowest + _number(environ, "SLURM_JOB_ID") % (highest - lowest)
    nodes = "SLURM_STEP_NODELIST" if environ.get("SLURM_STEP_NODELIST") else "SLURM_JOB_NODELIST"
    return Seat(
        rank=_number(environ, "SLURM_PROCID", below=world),
        world=world,
        local_rank=_number(environ, "SLURM_LOCALID", below=world),
        address=environ.get("MASTER_ADDR") or first_host(_text(environ, nodes)),
        port=port,
        by_slurm=True,
    )


def first_host(nodes: str) -> str:
    """Return the first of SLURM's node list: "node1", "node[01-04,07]" or "a,b"."""
    first = re.match(r"(?:[^,\[]|\[[^\]]*\])*", nodes.strip())
    return re.sub(r"\[([^\],-]*)[^\]]*\]", r"\1", first.group() if first else "")


def _number(environ: Mapping[str, str], name: str, *, least: int = 0, below: int | None = None) -> int:
    text = _text(environ, name)
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least or (below is not None and int(text) >= below):
        raise _nonsense(f"{name} cannot be {text!r}")
    return int(text)


def _text(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name, "").strip():
        raise _nonsense(f"{name} is missing")
    return environ[name].strip()


def _nonsense(what: str) -> UserError:
    mend = (
        "start the processes by cutis train --processes, torchrun or srun, which set it, "
        f"or unset {', '.join(TOLD_BY_LAUNCHERS)} to train in one"
    )
    return UserError(what, where="the environment of this process", mend=mend)


def _join(seat: Seat, patience_s: float) -> Any:
    """Meet the others, and return the group in which no step may take longer than the patience."""
    import torch.distributed as dist
    from torch.distributed.rendezvous import rendezvous

    backend = "gloo"  # what is told on the processor goes through gloo always: it notices a dead peer at once
    if torch.cuda.is_available():
        torch.cuda.set_device(_card(seat, torch.cuda.device_count()))
        backend = "cpu:gloo,cuda:nccl"
    # torchrun holds the store itself, and only env:// knows.
    url = f"tcp://{seat.address}:{seat.port}" if seat.by_slurm else "env://"
    try:
        store, _, _ = next(rendezvous(url, seat.rank, seat.world, timeout=MEETING))
        dist.init_process_group(backend, store=store, rank=seat.rank, world_size=seat.world, timeout=PREPARING)
        return dist.new_group(timeout=timedelta(seconds=patience_s), backend=backend)
    except RuntimeError as error:
        if not tells_of_a_lost_peer(error):
            raise
        mend = (
            f"start all {seat.world} (in a SLURM script by srun), see that every machine reaches {seat.address}, "
            f"and give another MASTER_PORT if {seat.port} is taken"
        )
        where = f"{seat}, at {seat.address}:{seat.port}"
        raise UserError("the processes of this training did not find each other", where=where, mend=mend) from error


def _card(seat: Seat, cards: int) -> int:
    if seat.by_slurm and cards == 1:
        return 0  # SLURM may show each task its own card alone
    if seat.local_rank >= cards:
        mend = f"start {cards} on this machine, or train on its processor: CUDA_VISIBLE_DEVICES=''"
        raise UserError("more processes than graphics cards", where=f"{seat}, {cards} seen", mend=mend)
    return seat.local_rank


@contextmanager
def _a_lost_peer_is_a_user_error(seat: Seat) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not tells_of_a_lost_peer(error):
            raise
        raise UserError(ANOTHER_WAS_LOST, where=str(seat), mend=GO_ON) from error


def tells_of_a_lost_peer(error: RuntimeError) -> bool:
    """Say whether an error is about a peer that is gone or silent, and not about our use of torch."""
    import torch.distributed as dist

    text = str(error)
    match error:
        case dist.DistNetworkError() | dist.DistStoreError():
            return True
        case dist.DistBackendError():
            return bool(SILENCE.search(text))
        case _:  # gloo has no class of its own, but names its source file; a failed assertion of it is our bug
            return "gloo/transport/" in text and "enforce fail" not in text and bool(SILENCE.search(text))


def _part() -> None:
    """Leave the group; in a thread, since with a peer dead it might wait for ever."""
    import torch.distributed as dist

    def leave() -> None:
        with suppress(RuntimeError):  # whatever it complains of, it is over
            dist.destroy_process_group()

    if dist.is_initialized():
        leaving = threading.Thread(target=leave, daemon=True)
        leaving.start()
        leaving.join(SECONDS_TO_PART)
