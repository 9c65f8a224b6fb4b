"""In which precision this machine learns fastest.

It is measured, since it depends on processor, network and size of the pictures (`benchmarks/training_speed.md`).
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import torch
from torch import nn

from cutis.progress import say
from cutis.train.config import TrainConfig
from cutis.train.loop import PRECISIONS
from cutis.train.ranks import Ranks
from cutis.vocabulary.files import read_json, write_json

CHOICES = ("fp32", "bf16", "fp16")
BF16_SINCE = (8, 0)  # compute capability of the first graphics cards that are fast in it
MACHINE = "machine.json"
STEPS = 3  # timed of each, after one that is not


def settled_precision(folder: Path, network: nn.Module, config: TrainConfig, *, ranks: Ranks) -> str:
    """Return the precision to learn in; what was measured is written down, so that a resumed run goes on in it.

    Of several processes the first one measures for all.
    """
    if config.precision != "auto":
        return config.precision
    chosen = 0.0
    if ranks.leads:
        path = folder / MACHINE
        if not path.exists():
            fastest, seconds = fastest_precision(network, config, processes=ranks.world)
            write_json(path, "machine", {"precision": fastest, "seconds_of_a_step": seconds})
            told = ", ".join(f"{precision} {taken:.3f} s" for precision, taken in seconds.items())
            say(f"a step takes {told}: learning in {fastest}")
        chosen = float(CHOICES.index(read_json(path, "machine")["precision"]))
    ranks.wait()
    (agreed,) = ranks.total((chosen,))
    return CHOICES[int(agreed)]


def fastest_precision(network: nn.Module, config: TrainConfig, *, processes: int = 1) -> tuple[str, dict[str, float]]:
    """Return the precision in which a process learns its part of a step fastest here, and the seconds in each.

    Besides fp32 one of sixteen bits is tried: bf16, or fp16, which needs its gradients scaled, on graphics cards that
    have no fast bf16.
    """
    pictures = -(-config.batch_size // (processes * config.accumulate))
    seconds = {
        precision: seconds_of_a_step(network, precision, pictures=pictures, size=config.size)
        for precision in ("fp32", _half(next(network.parameters()).device))
    }
    return min(seconds, key=lambda precision: seconds[precision]), seconds


def _half(device: torch.device) -> str:
    old_card = device.type == "cuda" and torch.cuda.get_device_capability(device) < BF16_SINCE
    return "fp16" if old_card else "bf16"


def seconds_of_a_step(network: nn.Module, precision: str, *, pictures: int, size: int) -> float:
    """Return the median time of forward and backward pass on pictures of noise; weights and statistics stay."""
    device = next(network.parameters()).device
    images = torch.rand(pictures, 3, size, size, device=device).contiguous(memory_format=torch.channels_last)
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    network.train()
    taken = []
    for _ in range(1 + STEPS):
        begun = time.perf_counter()
        with torch.autocast(device.type, dtype=PRECISIONS[precision], enabled=precision != "fp32"):
            outputs = network(images)
            loss = outputs.logits.float().square().mean() + sum(
                each.float().square().mean() for each in outputs.auxiliary_logits
            )
        torch.autograd.backward(loss)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - begun)
    network.zero_grad()
    network.load_state_dict(state)
    return statistics.median(taken[1:])
