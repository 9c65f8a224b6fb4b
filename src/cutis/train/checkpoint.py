"""What a training needs to go on where it was broken off.

Chance is keyed and never stored, so a checkpoint is weights, their average, optimiser and place. It is written aside,
synced and renamed; the last two are kept, and a torn one falls back to the one before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cutis.progress import say
from cutis.train.loop import Learner
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


def save_checkpoint(folder: Path, place: Place, learner: Learner) -> None:
    """Write a checkpoint, and drop all but this one and the one before."""
    folder.mkdir(exist_ok=True)
    tensors = _over("network.", learner.network.state_dict())
    if learner.averaged is not None:
        tensors |= _over("averaged.", learner.averaged.state_dict())
    for number, state in learner.optimizer.state_dict()["state"].items():
        tensors |= _over(f"optimizer.{number}.", state)
    said = {"stamp": stamp("checkpoint"), "place": asdict(place), "scaler": learner.scaler.state_dict()}
    written = {key: json.dumps(value) for key, value in said.items()}
    path = folder / f"{place.epoch:05d}-{place.step:07d}.safetensors"
    save_tensors(path, tensors, written)
    there = sorted(folder.glob("*.safetensors"))
    passed = there.index(path) + 1
    for other in (*there[: max(0, passed - KEPT)], *there[passed:]):  # what lies ahead of this place was torn
        other.unlink()


def load_checkpoint(folder: Path, learner: Learner) -> Place:
    """Put a learner where the newest whole checkpoint left it; without one, at the start.

    Raises:
        UserError: checkpoints are there but none can be read.
    """
    there = sorted(folder.glob("*.safetensors"), reverse=True)
    for path in there:
        try:
            said, tensors = _read(path)
        except (SafetensorError, json.JSONDecodeError) as error:
            say(f"checkpoint {path.name} is torn ({error}); going back to the one before")
            continue
        learner.network.load_state_dict(_under("network.", tensors))
        if learner.averaged is not None:
            learner.averaged.load_state_dict(_under("averaged.", tensors))
        learner.scaler.load_state_dict(json.loads(said["scaler"]))
        _restore(learner.optimizer, _under("optimizer.", tensors))
        place = json.loads(said["place"])
        return Place(**place | {"losses": tuple(place["losses"])})
    if there:
        mend = f"restore one from a back-up, or remove {folder} to start anew"
        raise UserError("none of the checkpoints can be read", where=str(folder), mend=mend)
    return Place()


def save_tensors(path: Path, tensors: dict[str, Tensor], said: dict[str, str]) -> None:
    """Write tensors as safetensors, aside and renamed."""
    with written_aside(path) as aside:
        save_file({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, aside, metadata=said)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    with safe_open(path, "pt") as file:
        said: dict[str, str] = file.metadata() or {}
        check_stamp(json.loads(said.get("stamp", "{}")), "checkpoint", where=path)
        return said, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  this is no dict


def _over(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + key: tensor for key, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _restore(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser back what it had, laid out in memory as the weights are, which its fused steps rely on."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        own = torch.empty_like(parameters[int(number)]).copy_(tensor) if tensor.ndim else tensor
        state.setdefault(int(number), {})[name] = own
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
