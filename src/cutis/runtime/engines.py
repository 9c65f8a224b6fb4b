"""What runs a network: a function from prepared pictures to outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.allocator import keep_freed_memory
from cutis.runtime.bundle import Bundle
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.outputs import Outputs

Pictures: TypeAlias = NDArray[np.float32]  # (N, 3, S, S), normalised
Engine: TypeAlias = Callable[[Pictures], Outputs[NDArray[np.float32]]]


def torch_network(bundle: Bundle) -> Any:
    """Return a bundle's `Classifier`, or the `Ensemble` of several, ready to answer, on an accelerator if there is one.

    Where there are several, the keys of each one's weights begin with its number.
    """
    import torch
    from safetensors.torch import load_file

    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = _unlearned(bundle)
    network.load_state_dict(load_file(bundle.weights))
    return network.to(device).to(memory_format=torch.channels_last).eval()


def untrained_network(bundle: Bundle, *, seed: int) -> Any:
    """Return a network as `torch_network` does, but as it was before any training: its weights depend on the seed."""
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(seed, "untrained"))
        network = _unlearned(bundle)
    return network.to(device).to(memory_format=torch.channels_last).eval()


def _unlearned(bundle: Bundle) -> Any:
    from cutis.network.backbone import backbone_of
    from cutis.network.classifier import Classifier
    from cutis.network.ensemble import Ensemble

    size, auxiliary = bundle.preparation.size, bool(bundle.auxiliary)
    members = [
        Classifier(
            backbone_of(bundle.architecture, auxiliary=auxiliary, size=size),
            classes=len(bundle.taxonomy),
        )
        for _ in range(bundle.members)
    ]
    return members[0] if bundle.members == 1 else Ensemble(members)


def torch_engine(bundle: Bundle) -> Engine:
    """Run a bundle by PyTorch, on the accelerator where there is one."""
    return engine_of(torch_network(bundle))


def engine_of(network: Any) -> Engine:
    """Run a PyTorch network that is ready to answer."""
    import torch

    device = next(network.parameters()).device

    def run(pictures: Pictures) -> Outputs[NDArray[np.float32]]:
        with torch.inference_mode():
            batch = torch.from_numpy(pictures).to(device, memory_format=torch.channels_last)
            outputs = network(batch)
        return Outputs(
            logits=outputs.logits.cpu().numpy(),
            auxiliary_logits=tuple(logits.cpu().numpy() for logits in outputs.auxiliary_logits),
            features=outputs.features.cpu().numpy(),
            maps=tuple(each.cpu().numpy() for each in outputs.maps),
            stage_features=tuple(features.cpu().numpy() for features in outputs.stage_features),
        )

    return run


ENGINES: dict[str, Callable[[Bundle], Engine]] = {".safetensors": torch_engine}


def open_engine(bundle: Bundle) -> Engine:
    """Return the engine for a bundle's kind of weights."""
    return ENGINES[bundle.weights.suffix](bundle)
