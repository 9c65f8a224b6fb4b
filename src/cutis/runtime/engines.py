"""What runs a network: a function from prepared pictures to outputs.

A bundle runs by PyTorch; a release by ONNX Runtime or OpenVINO as well. What an engine needs is imported when it is
opened. fp32 is pinned: OpenVINO would else compute in bf16 on a processor that can, without a word.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cutis.progress import cores
from cutis.runtime.allocator import keep_freed_memory
from cutis.runtime.bundle import Bundle
from cutis.runtime.unreported import openvino_unreported
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.outputs import Outputs, from_names

PICTURES = "pictures"  # what a network of a release calls what it is given
FP32, BF16 = "fp32", "bf16"
HINTS = {FP32: "f32", BF16: "bf16", "int8": "f32"}  # int8 has its ranges in the file; what has none stays exact
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


class Offer(NamedTuple):
    """One way in which a release can be run."""

    engine: str  # "pytorch", "onnxruntime" or "openvino"
    precision: str  # "fp32", "bf16" or "int8"
    file: str  # of the release

    @property
    def name(self) -> str:
        """Return what a person calls it, such as ``openvino-bf16``."""
        return f"{self.engine}-{self.precision}"


OFFERS = (
    Offer("onnxruntime", FP32, "network.onnx"),
    Offer("openvino", FP32, "openvino/network.xml"),
    Offer("openvino", BF16, "openvino/network.xml"),
    Offer("openvino", "int8", "openvino/int8/network.xml"),
)


def torch_engine(bundle: Bundle, file: Path | None = None, precision: str = FP32) -> Engine:
    """Run a bundle by PyTorch, on the accelerator where there is one.

    Raises:
        UserError: another precision, or another file than the bundle's own weights.
    """
    _require(precision, FP32, engine="PyTorch")
    if file not in {None, bundle.weights}:
        raise UserError("PyTorch runs a bundle's own weights", where=str(file), mend="give the bundle that has them")
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


def onnx_engine(bundle: Bundle, file: Path, precision: str = FP32) -> Engine:
    """Run a release's network by ONNX Runtime, on the processor; calls may come from several threads.

    Raises:
        UserError: another precision, a library that is not installed, or a file that is no such network.
    """
    _require(precision, FP32, engine="ONNX Runtime")
    try:
        import onnxruntime
    except ImportError as error:
        raise _not_installed("ONNX Runtime", "pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.force_spinning_stop", "1")  # between passes others need the cores
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it has its own for every cause, none of them public
        raise _no_network(file, error) from error
    names = [each.name for each in session.get_outputs()]
    return _of_size(bundle, lambda pictures: dict(zip(names, session.run(names, {PICTURES: pictures}), strict=True)))


def openvino_engine(bundle: Bundle, file: Path, precision: str = FP32) -> Engine:
    """Run a release's network by OpenVINO, on the processor; calls from several threads wait for each other.

    Pictures go through one by one, in a network of that fixed shape: it is faster than one for batches of any length,
    which in int8 on a processor with AMX even crashed (2026.4), memory does not grow with the batch, and an answer does
    not depend on which other pictures were asked about with it.

    Raises:
        UserError: an unknown precision, a library that is not installed, or a file that is no such network.
    """
    _require(precision, *HINTS, engine="OpenVINO")
    openvino = _openvino()
    if precision == BF16 and not bf16_is_here():  # it would compute in fp32, and nobody would know
        raise UserError("this processor does not compute in bf16", where="this machine", mend="use openvino-fp32")
    settings = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "INFERENCE_NUM_THREADS": threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    size = bundle.preparation.size
    try:
        core = openvino.Core()
        network = core.read_model(file)
        network.reshape([1, 3, size, size])
        request = core.compile_model(network, "CPU", settings).create_infer_request()
    except RuntimeError as error:
        raise _no_network(file, error) from error
    names, one_at_a_time = [each.get_any_name() for each in network.outputs], Lock()

    def run(pictures: Pictures) -> dict[str, NDArray[np.float32]]:
        with one_at_a_time:
            said = [request.infer({PICTURES: picture[None]}, share_inputs=True).to_tuple() for picture in pictures]
        return {name: np.concatenate(each) for name, each in zip(names, zip(*said, strict=True), strict=True)}

    return _of_size(bundle, run)


def bf16_is_here() -> bool:
    """Say whether OpenVINO computes in bf16 on this processor.

    Raises:
        UserError: it is not installed.
    """
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


OpenEngine: TypeAlias = Callable[[Bundle, Path, str], Engine]
ENGINES: dict[str, OpenEngine] = {".safetensors": torch_engine, ".onnx": onnx_engine, ".xml": openvino_engine}


def open_engine(bundle: Bundle, file: Path | None = None, *, precision: str = FP32) -> Engine:
    """Return the engine for a file of a bundle or release by the kind of that file; for a bundle's weights without one.

    Raises:
        UserError: see the engines.
    """
    file = file or bundle.weights
    return ENGINES[file.suffix](bundle, file, precision)


def threads() -> int:
    """Return on how many threads an engine computes: OMP_NUM_THREADS, where it is set, else all cores it may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    return cores()


def _of_size(bundle: Bundle, run: Callable[[Pictures], dict[str, NDArray[np.float32]]]) -> Engine:
    """Return an engine that says plainly which pictures it takes, before a library says it in words of its own."""
    shape = (3, bundle.preparation.size, bundle.preparation.size)

    def engine(pictures: Pictures) -> Outputs[NDArray[np.float32]]:
        if pictures.shape[1:] != shape:
            raise ValueError(f"this network takes pictures of {shape}, not of {pictures.shape[1:]}")
        return from_names(run(np.ascontiguousarray(pictures, dtype=np.float32)))

    return engine


def _openvino() -> Any:
    try:
        return openvino_unreported()
    except ImportError as error:
        raise _not_installed("OpenVINO", "pip install cutis[openvino]") from error


def _require(precision: str, *known: str, engine: str) -> None:
    if precision not in known:
        mend = f"use one of: {', '.join(known)}"
        raise UserError(f"{engine} does not compute in {precision!r} here", where="precision", mend=mend)


def _not_installed(what: str, mend: str) -> UserError:
    return UserError(f"{what} is not installed", where="this installation of cutis", mend=mend)


def _no_network(file: Path, error: Exception) -> UserError:
    what = f"this network cannot be opened: {str(error).splitlines()[0]}"
    return UserError(what, where=str(file), mend="check the release by cutis verify, or make it again")
