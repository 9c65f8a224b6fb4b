"""What of a network may be computed in fewer digits: not its first layers, of which as few as is enough stay in fp32.

What the first layers round away goes through all that follow, and they tell faint differences of light and dark apart:
on HAM10000 a MobileNetV2 in bf16 moved a probability by 0.016 on average, and with the first half of its
convolutions in fp32 by 0.0017. They have few channels, so that this costs little time (docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from cutis.progress import say
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import BF16, FP32, Pictures, bf16_is_here, openvino_engine
from cutis.runtime.predict import BATCH, outputs_of_batches, probabilities
from cutis.vocabulary.files import written_aside

SHARES = (0.0, 1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2)  # of the convolutions, from the picture on
WHERE_UNKNOWN = 1 / 4  # where this machine cannot compute in bf16
ENOUGH = 0.0018  # mean of the most that a probability moves, at which the gates of parity were kept
CONVOLUTIONS = {"Convolution", "GroupConvolution"}
NOT_COMPUTED = {"Const", "Parameter", "Result", "ShapeOf"}
MARK = {"name": "precise", "version": "0"}  # as OpenVINO's own form says that an operation keeps its precision


def keep_first_layers(path: Path, bundle: Bundle, pictures: Sequence[Pictures]) -> tuple[str, ...]:
    """Mark as few of the first layers of an OpenVINO network as is enough, and return their names.

    A mark changes nothing in fp32.

    Args:
        path: the ``.xml`` that `write_openvino` wrote.
        bundle: turns what the network says into probabilities.
        pictures: of tune, prepared, (1, 3, S, S) each: never of test, by which it will be judged.
    """
    if not bf16_is_here():
        return mark_first_layers(path, WHERE_UNKNOWN)
    exact = _probabilities(path, FP32, bundle, pictures)
    names: tuple[str, ...] = ()
    for share in SHARES:
        names = mark_first_layers(path, share)
        moved = np.abs(_probabilities(path, BF16, bundle, pictures) - exact).max(axis=1).mean()
        say(f"bf16 with {share:.0%} of the convolutions in fp32: a probability moves by {moved:.4f}")
        if moved <= ENOUGH:
            break
    return names


def mark_first_layers(path: Path, share: float) -> tuple[str, ...]:
    """Let the operations before and among this share of the convolutions keep fp32; return their names."""
    network = ET.parse(path)  # noqa: S314  we wrote it a moment ago
    layers = network.getroot().findall("./layers/layer")
    for layer in layers:
        _unmark(layer)
    computed = [layer for layer in layers if layer.get("type") not in NOT_COMPUTED]
    convolutions = [place for place, layer in enumerate(computed) if layer.get("type") in CONVOLUTIONS]
    kept = round(share * len(convolutions))
    first = computed[: convolutions[kept]] if kept else []
    for layer in first:
        _mark(layer)
    with written_aside(path) as aside:
        network.write(aside)
    return tuple(str(layer.get("name")) for layer in first)


def _mark(layer: ET.Element) -> None:
    """Note it where OpenVINO looks for it: behind a layer's data, before its inputs."""
    noted = layer.find("rt_info")
    if noted is None:
        noted = ET.Element("rt_info")
        layer.insert(0 if layer.find("data") is None else 1, noted)
    ET.SubElement(noted, "attribute", MARK)


def _unmark(layer: ET.Element) -> None:
    noted = layer.find("rt_info")
    for attribute in [] if noted is None else noted.findall("attribute"):
        if noted is not None and attribute.get("name") == MARK["name"]:
            noted.remove(attribute)


def _probabilities(path: Path, precision: str, bundle: Bundle, pictures: Sequence[Pictures]) -> NDArray[np.float64]:
    batches = [np.concatenate(pictures[at : at + BATCH]) for at in range(0, len(pictures), BATCH)]
    engine = openvino_engine(bundle, path, precision)
    what = f"tune in {precision}"
    return probabilities(bundle, outputs_of_batches(engine, bundle, batches, pictures=len(pictures), what=what))
