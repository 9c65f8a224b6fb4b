"""In which precision this machine learns fastest.

It is measured, since bf16 is slower than fp32 for small pictures on many processors, and faster for large ones.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import torch
from torch import nn

from cutis.progress import say
from cutis.train.config import TrainConfig
from cutis.train.ranks import Ranks
from cutis.vocabulary.files import read_json, write_json

CHOICES = ("fp32", "bf16")  # fp16 has no advantage over bf16 where there is bf16, and needs its gradients scaled
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
            fastest, seconds = fastest_precision(network, config)
            write_json(path, "machine", {"precision": fastest, "seconds_of_a_step": seconds})
            told = ", ".join(f"{precision} {taken:.3f} s" for precision, taken in seconds.items())
            say(f"a step takes {told}: learning in {fastest}")
        chosen = float(CHOICES.index(read_json(path, "machine")["precision"]))
    ranks.wait()
    (agreed,) = ranks.total((chosen,))
    return CHOICES[int(agreed)]


def fastest_precision(network: nn.Module, config: TrainConfig) -> tuple[str, dict[str, float]]:
    """Return the precision in which a step is fastest here, and the seconds that it takes in each."""
    seconds = {precision: seconds_of_a_step(network, config, precision) for precision in CHOICES}
    return min(seconds, key=lambda precision: seconds[precision]), seconds


def seconds_of_a_step(network: nn.Module, config: TrainConfig, precision: str) -> float:
    """Return the median time of forward and backward pass on pictures of noise; weights and statistics stay."""
    device = next(network.parameters()).device
    part = -(-config.batch_size // config.accumulate)
    images = torch.rand(part, 3, config.size, config.size, device=device).contiguous(memory_format=torch.channels_last)
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    network.train()
    taken = []
    for _ in range(1 + STEPS):
        begun = time.perf_counter()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
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
