"""From a trained network to files that run without PyTorch: ONNX, and from it OpenVINO's own form and its int8.

One pass gives logits, auxiliary logits, features and the maps of every diagnosis at every depth. Maps that are finer
than the fused map leave on its grid, where it would bring them anyway: `cutis.runtime.maps` makes the same of them, and
most of what maps cost is saved. No file names a path of this machine, and the same network gives the same bytes.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import PICTURES, Pictures, torch_network
from cutis.runtime.maps import FINEST
from cutis.runtime.unreported import openvino_unreported, unreported
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import written_aside
from cutis.vocabulary.outputs import Outputs, by_name

OPSET = 18  # of ONNX: the first with everything that PyTorch's exporter writes, so that old runtimes read it too
LARGEST = 2**31 - 2**20  # bytes of one ONNX file; the format ends at 2 GiB


class OnePass(nn.Module):
    """A network whose finest maps are brought to the grid of the fused map, by the means of the places they cover."""

    def __init__(self, network: nn.Module, *, size: int) -> None:
        super().__init__()
        self.network = network
        with torch.inference_mode():
            maps = network(torch.zeros(1, 3, size, size)).maps
        grid = maps[min(FINEST, len(maps) - 1)].shape[-1]
        finer = [each.shape[-1] for each in maps if each.shape[-1] > grid]
        for depth, side in enumerate(finer):
            self.register_buffer(f"to_grid_{depth}", torch.from_numpy(shrinking(side, grid)))
        self.finer = len(finer)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return by name what the network says of pictures (N, 3, S, S)."""
        outputs: Outputs[Tensor] = self.network(pictures)
        maps = tuple(self._on_grid(depth, each) for depth, each in enumerate(outputs.maps or ()))
        return by_name(outputs._replace(maps=maps))

    def _on_grid(self, depth: int, each: Tensor) -> Tensor:
        if depth >= self.finer:
            return each
        to_grid: Tensor = self.get_buffer(f"to_grid_{depth}")
        return to_grid.T @ (each @ to_grid)


def shrinking(side: int, grid: int) -> NDArray[np.float32]:
    """Return the matrix (side, grid) that brings one axis to fewer places, as the fused map has it done."""
    places = Image.fromarray(np.eye(side, dtype=np.float32))
    return np.array(places.resize((grid, side), Image.Resampling.BOX))


def write_onnx(path: Path, bundle: Bundle) -> None:
    """Write a bundle's network, or the several of it that answer as one, as ONNX in fp32 for batches of any length.

    Raises:
        UserError: it is larger than an ONNX file can be.
    """
    network = torch_network(bundle).to("cpu", memory_format=torch.contiguous_format)
    if sum(tensor.nbytes for tensor in network.state_dict().values()) > LARGEST:
        mend = "release one of its members, or train a smaller network"
        raise UserError("2 GiB of weights do not fit an ONNX file", where=str(bundle.weights), mend=mend)
    size = bundle.preparation.size
    exported = _plain(_exported(OnePass(network, size=size).eval(), size=size))
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as aside:
        aside.write_bytes(exported.SerializeToString(deterministic=True))


def write_openvino(path: Path, onnx: Path) -> None:
    """Write an ONNX network as OpenVINO's ``.xml`` with its ``.bin`` beside it, every weight in fp32."""
    openvino = openvino_unreported()
    path.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(openvino.Core().read_model(onnx), path, compress_to_fp16=False)


def write_int8(path: Path, openvino_network: Path, pictures: Sequence[Pictures], *, exact: Sequence[str] = ()) -> None:
    """Write an OpenVINO network with the ranges of int8 that its activations have on these pictures.

    Args:
        path: the ``.xml`` to write.
        openvino_network: what `write_openvino` wrote.
        pictures: of tune, prepared, (1, 3, S, S) each: never of test, by which it will be judged.
        exact: names of operations that stay in fp32.
    """
    openvino = openvino_unreported()
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # warns where there is no graphics card
    with unreported():
        import nncf

        nncf.set_log_level(30)  # warnings
        quantised = nncf.quantize(
            openvino.Core().read_model(openvino_network),
            nncf.Dataset(pictures),
            preset=nncf.QuantizationPreset.MIXED,  # activations such as SiLU's reach below zero
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(pictures),
            ignored_scope=nncf.IgnoredScope(names=list(exact), validate=False),
        )
    openvino.save_model(quantised, path, compress_to_fp16=False)


def _exported(one_pass: OnePass, *, size: int) -> Any:
    """Export by the exporter that PyTorch goes on with; the one before it is given up since 2.9."""
    import onnx

    some = torch.zeros(2, 3, size, size)
    names = list(one_pass(some))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter to its authors
        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            one_pass,
            (some,),
            file,
            dynamo=True,
            opset_version=OPSET,
            input_names=[PICTURES],
            output_names=names,
            dynamic_shapes=({0: torch.export.Dim("N")},),
            external_data=False,
            verbose=False,
        )
        network = onnx.load(file)
    onnx.checker.check_model(network)
    return network


def _plain(network: Any) -> Any:
    """Take out what the exporter notes for its authors: lines of source, with paths of this machine."""
    graph = network.graph
    for part in (network, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    graph.ClearField("value_info")  # shapes within, which every runtime infers anew
    return network
