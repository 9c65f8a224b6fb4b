"""What a training needs to go on where it was broken off.

Chance is keyed and never stored, so a checkpoint is weights, optimiser and place. It is written aside, synced and
renamed; the last two are kept, and a torn one falls back to the one before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cutis.progress import say
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, stamp, written_aside

KEPT = 2


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far a training is."""

    epoch: int = 0
    step: int = 0  # steps of this epoch that are done
    losses: tuple[float, ...] = ()  # of these steps
    best_epoch: int = -1
    best_score: float = -1.0


def save_checkpoint(folder: Path, place: Place, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Write a checkpoint and drop all but the last two."""
    folder.mkdir(exist_ok=True)
    tensors = {f"network.{key}": tensor for key, tensor in network.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": tensor for key, tensor in state.items()}
    said = {"stamp": json.dumps(stamp("checkpoint")), "place": json.dumps(asdict(place))}
    save_tensors(folder / f"{place.epoch:05d}-{place.step:07d}.safetensors", tensors, said)
    for old in sorted(folder.glob("*.safetensors"))[:-KEPT]:
        old.unlink()


def load_checkpoint(folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer) -> Place:
    """Put network and optimiser where the newest whole checkpoint left them; without one, at the start.

    Raises:
        UserError: checkpoints are there but none can be read.
    """
    there = sorted(folder.glob("*.safetensors"), reverse=True)
    for path in there:
        try:
            place, tensors = _read(path)
        except SafetensorError as error:
            say(f"checkpoint {path.name} is torn ({error}); going back to the one before")
            continue
        network.load_state_dict(_under("network.", tensors))
        _restore(optimizer, _under("optimizer.", tensors))
        return place
    if there:
        mend = f"restore one from a back-up, or remove {folder} to start anew"
        raise UserError("none of the checkpoints can be read", where=str(folder), mend=mend)
    return Place()


def save_tensors(path: Path, tensors: dict[str, Tensor], said: dict[str, str]) -> None:
    """Write tensors as safetensors, aside and renamed."""
    with written_aside(path) as aside:
        save_file({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, aside, metadata=said)


def _read(path: Path) -> tuple[Place, dict[str, Tensor]]:
    with safe_open(path, "pt") as file:
        said = file.metadata() or {}
        check_stamp(json.loads(said.get("stamp", "{}")), "checkpoint", where=path)
        place = json.loads(said["place"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  this is no dict
    return Place(**place | {"losses": tuple(place["losses"])}), tensors


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _restore(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
