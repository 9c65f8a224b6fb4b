"""What maps cost: all eight of a forward pass, the methods by captum, and pytorch-grad-cam, beside a plain pass.

EfficientNet-b4 at 380 pixels, one picture, two threads. The plain pass is timm's own network, eager, in the faster of
the two memory layouts. In every round each way runs once, in a turning order, and is divided by the plain pass of the
same round; told are medians and quartiles of these ratios.

pytorch-grad-cam (grad-cam 1.5.5) and what it imports need not be installed: where they are absent they are left out,
with a line.

    python benchmarks/saliency.py              # writes benchmarks/saliency.md, ten minutes in quiet
    python benchmarks/saliency.py --quick      # b0 at 64 pixels, prints only
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cutis.explain.saliency.methods import METHODS
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.runtime.engines import engine_of
from cutis.runtime.maps import Question, in_pass_maps
from cutis.vocabulary.circumstances import circumstances

PAGE = Path(__file__).with_suffix(".md")
CLASSES = 14
THREADS = 2
QUESTION = Question(3)
PLAIN = "plain pass"
OURS = "all eight maps and the fused one, with the pass"
PEER = "pytorch-grad-cam"

Way = Callable[[], Any]


class Sizes(NamedTuple):
    """How large, and how often."""

    architecture: str = "efficientnet_b4"
    side: int = 380
    rounds: int = 41  # of what takes about as long as a pass
    slow_rounds: int = 3  # of what takes many


def networks(sizes: Sizes) -> tuple[nn.Module, Classifier]:
    """Return timm's network and ours with the same stem, stages, neck and last classifier, ready to answer."""
    torch.manual_seed(0)
    ours = Classifier(backbone_of(sizes.architecture), classes=CLASSES).eval()
    theirs = timm.create_model(sizes.architecture, num_classes=CLASSES).eval()
    parts = {"stem.0": "conv_stem", "stem.1": "bn1", "neck.0": "conv_head", "neck.1": "bn2", "stages": "blocks"}
    weights = {}
    for key, tensor in ours.state_dict().items():
        if key.startswith("heads."):
            continue
        own = next((part for part in parts if key.startswith(f"{part}.")), "final.linear")
        weights[key.replace(own, parts.get(own, "classifier"), 1)] = tensor
    theirs.load_state_dict(weights)
    return theirs, ours.to(memory_format=torch.channels_last)


def plain_pass(network: nn.Module, picture: Tensor, *, rounds: int = 7) -> tuple[Way, str]:
    """Return a forward pass in the memory layout that is faster here, and its name."""
    ways = {}
    for layout, name in ((torch.channels_last, "channels last"), (torch.contiguous_format, "channels first")):
        ways[name] = _pass_of(_copy_in(network, layout), picture.contiguous(memory_format=layout))
    taken = {name: float(np.median([seconds(way) for _ in range(rounds)][1:])) for name, way in ways.items()}
    best = min(taken, key=lambda name: taken[name])
    return ways[best], best


def quick_ways(ours: Classifier, picture: Tensor) -> dict[str, Way]:
    """Return what takes about as long as one pass or a few."""
    engine, pixels = engine_of(ours), picture.numpy()
    outputs = engine(pixels)
    batch = picture.contiguous(memory_format=torch.channels_last)
    return {
        "our network with its eight classifiers": lambda: engine(pixels),
        OURS: lambda: in_pass_maps(engine(pixels), QUESTION),
        "of it, joining them": lambda: in_pass_maps(outputs, QUESTION),
        "gradient, by captum": lambda: METHODS["gradient"].map_of(ours, batch, QUESTION),
        "Grad-CAM, by captum": lambda: METHODS["grad_cam"].map_of(ours, batch, QUESTION),
    }


def slow_ways(ours: Classifier, picture: Tensor) -> dict[str, Way]:
    """Return what takes many passes."""
    batch = picture.contiguous(memory_format=torch.channels_last)
    named = {
        "SmoothGrad, by captum": "smoothgrad",
        "integrated gradients, by captum": "integrated_gradients",
        "occlusion, by captum": "occlusion",
    }
    return {name: lambda method=method: METHODS[method].map_of(ours, batch, QUESTION) for name, method in named.items()}


def peer_ways(theirs: nn.Module, picture: Tensor, *, layout: torch.memory_format) -> dict[str, Way]:
    """Return Grad-CAM by pytorch-grad-cam on timm's network: the last map alone, and the mean of all eight depths."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network: Any = _copy_in(theirs, layout)
    batch, targets = picture.contiguous(memory_format=layout), [ClassifierOutputTarget(QUESTION.diagnosis)]
    layers = {"the last map": [network.bn2], "the mean of eight depths": [*network.blocks, network.bn2]}
    ways = {name: GradCAM(model=network, target_layers=chosen) for name, chosen in layers.items()}
    return {f"{PEER}, {name}": lambda way=way: way(input_tensor=batch, targets=targets) for name, way in ways.items()}


def paired(
    plain: Way, ways: Mapping[str, Way], *, rounds: int, warm_ups: int = 1, rest: float = 0.0
) -> dict[str, NDArray[np.float64]]:
    """Return by way what each round took, in plain passes of the same round, and the seconds of the plain pass.

    Rounds that warm up are not counted; the order turns from round to round; before each run there is a rest.
    """
    taken: dict[str, list[float]] = {name: [] for name in (PLAIN, *ways)}
    order = [(PLAIN, plain), *ways.items()]
    for turn in range(warm_ups + rounds):
        shift = turn % len(order)
        once = {}
        for name, way in order[shift:] + order[:shift]:
            time.sleep(rest)
            once[name] = seconds(way)
        for name, each in once.items() if turn >= warm_ups else ():
            taken[name].append(each if name == PLAIN else each / once[PLAIN])
    return {name: np.array(each) for name, each in taken.items()}


def seconds(way: Way) -> float:
    """Return the wall clock of one run."""
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


def page_of(sizes: Sizes, layout: str, tables: Sequence[Mapping[str, NDArray[np.float64]]], *, peer: bool) -> list[str]:
    """Return the lines of the page."""
    about = circumstances()
    plain = tables[0][PLAIN]
    page = [
        "# What maps cost",
        "",
        "Written by `benchmarks/saliency.py`.",
        f"{about['processor']}, {about['threads']} threads, Python {about['python']}, cutis {about['cutis']}.",
        f"PyTorch {torch.__version__}, timm {timm.__version__}.",
        "",
        f"{sizes.architecture} at {sizes.side} pixels, {CLASSES} diagnoses, one picture.",
        f"A plain pass is timm's own network, eager, {layout}, which is the faster layout here.",
        f"It takes {1000 * np.median(plain):.0f} ms in the median of {len(plain)} rounds.",
        "Every way runs once a round, in a turning order, and is divided by the plain pass of that round.",
        "",
        "| way | rounds | times a plain pass | middle half of the rounds |",
        "|---|---|---|---|",
    ]
    for table in tables:
        page += [_line(name, ratios) for name, ratios in table.items() if name != PLAIN]
    lacking = "" if peer else f"{PEER} is not installed here, and was left out."
    return [*page, "", *([lacking] if lacking else [])]


def _line(name: str, ratios: NDArray[np.float64]) -> str:
    low, middle, high = np.percentile(ratios, (25, 50, 75))
    digits = 2 if middle < 20 else 0  # noqa: PLR2004  two digits more say nothing of so many passes
    return f"| {name} | {len(ratios)} | {middle:.{digits}f} | {low:.{digits}f} to {high:.{digits}f} |"


def _pass_of(network: nn.Module, batch: Tensor) -> Way:
    def forward() -> Tensor:
        with torch.inference_mode():
            said: Tensor = network(batch)
        return said

    return forward


def _copy_in(network: nn.Module, layout: torch.memory_format) -> nn.Module:
    import copy

    return copy.deepcopy(network).to(memory_format=layout)  # type: ignore[call-overload]


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, help="of what takes about as long as a pass")
    said = parser.parse_args()
    torch.set_num_threads(THREADS)
    sizes = Sizes("efficientnet_b0", 64, 5, 1) if said.quick else Sizes()
    sizes = sizes._replace(rounds=said.rounds or sizes.rounds)
    theirs, ours = networks(sizes)
    picture = torch.randn(1, 3, sizes.side, sizes.side, generator=torch.Generator().manual_seed(0))
    plain, layout = plain_pass(theirs, picture)
    peer = find_spec("pytorch_grad_cam") is not None
    fast = quick_ways(ours, picture)
    if peer:
        formats = {"channels last": torch.channels_last, "channels first": torch.contiguous_format}
        fast |= peer_ways(theirs, picture, layout=formats[layout])
    tables = [paired(plain, fast, rounds=sizes.rounds)]
    tables.append(paired(plain, slow_ways(ours, picture), rounds=sizes.slow_rounds, warm_ups=0))
    page = page_of(sizes, layout, tables, peer=peer)
    if not said.quick:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
