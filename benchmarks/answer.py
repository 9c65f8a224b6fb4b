"""One picture, from the bytes of a JPEG to probabilities, a heat map of the top diagnosis and five similar cases.

EfficientNet-b4 at 380 pixels with its eight classifiers, 14 diagnoses, 6,490 training cases, two threads; the weights
are random, for time does not ask what they say. Held against what a user would write: timm's network, eager, in the
faster of two memory layouts, torchvision's decoder and transforms, a pass for probabilities and features,
pytorch-grad-cam for the most probable diagnosis, and a product for the similar cases; and against one who takes all
three out of the single call of pytorch-grad-cam.

Every way runs once a round, in a turning order and after a short rest, so that no library's threads still turn on the
cores of the next; it is divided by the user's way of the same round.

bf16 is shown with none, a quarter and a half of the convolutions in fp32: how many a network needs is found on tune
(`cutis.release.reduced`).

pytorch-grad-cam (grad-cam 1.5.5) must be installed; without it nothing is measured.

    PYTHONPATH=tests python benchmarks/answer.py              # writes answer.md, ten minutes in quiet
    PYTHONPATH=tests python benchmarks/answer.py --quick      # b0 at 64 pixels, prints only
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from saliency import CLASSES, Sizes, networks, paired, seconds
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cutis.imaging.border import Decoders
from cutis.imaging.prepare import Preparation
from cutis.release.contents import Passed, write_description
from cutis.release.convert import write_int8, write_onnx, write_openvino
from cutis.release.reduced import mark_first_layers
from cutis.release.self_test import write_self_test
from cutis.release.sign import seal
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import OFFERS, Engine, bf16_is_here, open_engine
from cutis.runtime.maps import Question, in_pass_maps
from cutis.runtime.neighbours import Index, Likeness, Search, index_of, kept
from cutis.runtime.predict import diagnose
from cutis.runtime.unreported import openvino_unreported
from cutis.stats.retrieval import Trial
from cutis.stats.spaces import fit_space
from cutis.vocabulary.circumstances import circumstances
from factories import a_bundle, a_case

PAGE = Path(__file__).with_suffix(".md")
THREADS = 2
ENVIRONMENT = {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": "1"}  # the latter as `cutis diagnose` has it
CASES, SIMILAR = 6_490, 5
KEPT = (0.0, 1 / 4, 1 / 2)  # of the convolutions in fp32
STARTS = 7
REST = 0.05  # seconds
STARTER = """
import os, sys, time
started = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, spent = os.wait4(process, 0)
print(time.perf_counter() - started, spent.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
Way = Callable[[], Any]


class House(NamedTuple):
    """Everything that answers."""

    folder: Path  # of the release
    bundle: Bundle
    theirs: nn.Module
    index: Index
    picture: Path  # a JPEG of 600 × 450


def built(folder: Path, sizes: Sizes) -> House:
    """Make a release of a network with random weights, and a picture."""
    theirs, ours = networks(sizes)
    codes = tuple(f"d{number:02d}" for number in range(CLASSES))
    (folder / "bundle").mkdir()
    contiguous = {name: each.contiguous() for name, each in ours.state_dict().items()}
    save_file(contiguous, folder / "bundle" / "weights.safetensors")
    trials = (Trial("raw", 0.5, 0.01, 0.02),)
    likeness = Likeness(space="raw", cases=CASES, chosen_on="tune", trials=trials, strangers=0.99, nearness=None)
    bundle = a_bundle(
        codes,
        architecture=sizes.architecture,
        temperatures=(1.0,) * 8,
        preparation=Preparation(size=sizes.side, mean=(0.5,) * 3, std=(0.25,) * 3),
        folder=folder / "bundle",
        likeness=likeness,
    )
    features = np.random.default_rng(0).normal(size=(CASES, theirs.num_features))
    rows = kept(features)
    cases = [a_case(n, diagnosis=codes[n % CLASSES]) for n in range(CASES)]
    index = index_of(rows, cases, codes=codes, space=fit_space("raw", rows, np.zeros(CASES, np.int64)))
    coarse = np.random.default_rng(0).integers(60, 220, (56, 75, 3), np.uint8)
    Image.fromarray(coarse).resize((600, 450)).save(folder / "picture.jpg", quality=90)
    return House(released(folder / "release", bundle, sizes), bundle, theirs, index, folder / "picture.jpg")


def released(folder: Path, bundle: Bundle, sizes: Sizes) -> Path:
    """Write a release that offers everything; its parity is not asked for here."""
    onnx, openvino, _, int8 = (folder / offer.file for offer in OFFERS)
    write_onnx(onnx, bundle)
    write_openvino(openvino, onnx)
    pictures = np.random.default_rng(0).normal(size=(8, 1, 3, sizes.side, sizes.side)).astype(np.float32)
    write_int8(int8, openvino, list(pictures), exact=mark_first_layers(openvino, 1 / 4))
    passed = tuple(Passed(offer, 1.0) for offer in OFFERS if offer.precision != "bf16" or bf16_is_here())
    trained = open_engine(bundle, onnx)
    write_self_test(
        folder,
        bundle,
        passed,
        trained=trained,
        opening=lambda offer: open_engine(bundle, folder / offer.file, precision=offer.precision),
    )
    write_description(folder, bundle, passed, made_from={"bundle": "0" * 64})
    seal(folder, about={"name": "benchmark"}, made_from={})
    return folder


def engines_of(house: House) -> dict[str, Engine]:
    """Return every way to run the network, by name."""
    onnx, openvino, _, int8 = (house.folder / offer.file for offer in OFFERS)
    found = {
        "PyTorch, fp32": open_engine(house.bundle),
        "ONNX Runtime, fp32": open_engine(house.bundle, onnx),
        "OpenVINO, fp32": open_engine(house.bundle, openvino),
    }
    for share in KEPT if bf16_is_here() else ():
        copy = house.folder.parent / f"kept{share:.2f}.xml"
        for suffix in (".xml", ".bin"):
            shutil.copyfile(openvino.with_suffix(suffix), copy.with_suffix(suffix))
        mark_first_layers(copy, share)
        found[f"OpenVINO, bf16, {share:.0%} in fp32"] = open_engine(house.bundle, copy, precision="bf16")
    return found | {"OpenVINO, int8, 25% in fp32": open_engine(house.bundle, int8, precision="int8")}


def ours(house: House, engine: Engine, decoders: Decoders) -> Way:
    """Return our answer to the picture: decoded at the border, with map and similar cases."""
    search = Search(SIMILAR)

    def answer() -> Any:
        prepared = decoders.prepared_file
        seen = diagnose(engine, house.bundle, house.picture, among=house.index, search=search, prepared=prepared)
        top = house.bundle.taxonomy.codes.index(seen.diagnosis.findings[0].code)
        return in_pass_maps(seen.outputs, Question(top))

    return answer


def users(house: House, layout: torch.memory_format, *, once: bool) -> Way:
    """Return what a user would write; `once`: in one call of Grad-CAM, or with a pass of its own for the answer."""
    from pytorch_grad_cam import GradCAM
    from torchvision.io import decode_image, read_file
    from torchvision.transforms import v2

    network: Any = house.theirs.to(memory_format=layout)
    size = house.bundle.preparation.size
    transform = v2.Compose(
        [
            v2.Resize((size, size), antialias=True),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5] * 3, [0.25] * 3),
        ]
    )
    cam = GradCAM(model=network, target_layers=[network.bn2])
    known = nn.functional.normalize(torch.from_numpy(house.index.features.astype(np.float32)))

    def prepared() -> Tensor:
        batch: Tensor = transform(decode_image(read_file(str(house.picture)), mode="RGB"))[None]
        return batch.contiguous(memory_format=layout)

    def similar(features: Tensor) -> Any:
        return (known @ nn.functional.normalize(features)[0]).topk(SIMILAR)

    def in_one_call() -> Any:
        heat = cam(input_tensor=prepared())
        features = network.global_pool(cam.activations_and_grads.activations[0])
        return cam.outputs.softmax(1), heat, similar(features)

    def with_a_pass_before() -> Any:
        batch = prepared()
        with torch.inference_mode():
            features = network.forward_head(network.forward_features(batch), pre_logits=True)
            chances = network.classifier(features).softmax(1)
        return chances, cam(input_tensor=batch.clone()), similar(features.clone())

    return in_one_call if once else with_a_pass_before


def eager(house: House, layout: torch.memory_format, *, bf16: bool = False) -> Way:
    """Return a forward pass of timm's network."""
    size = house.bundle.preparation.size
    batch = torch.randn(1, 3, size, size).contiguous(memory_format=layout)
    network: Any = house.theirs.to(memory_format=layout)

    def forward() -> Tensor:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            said: Tensor = network(batch)
        return said

    return forward


def product(kind: torch.dtype, side: int = 2048) -> Way:
    """Return a product of two square matrices: the most that this machine computes."""
    one, other = torch.randn(side, side).to(kind), torch.randn(side, side).to(kind)
    return lambda: one @ other


def faster_layout(house: House) -> torch.memory_format:
    """Return the memory layout in which timm's network is faster here."""
    taken = {}
    for layout in (torch.channels_last, torch.contiguous_format):
        way = eager(house, layout)
        taken[layout] = statistics.median([seconds(way) for _ in range(7)][1:])
    return min(taken, key=lambda layout: taken[layout])


def profile(house: House, file: Path, precision: str, passes: int = 20) -> Counter[str]:
    """Return the share of time by kind of layer, as OpenVINO counts it."""
    openvino = openvino_unreported()
    core, size = openvino.Core(), house.bundle.preparation.size
    network = core.read_model(file)
    network.reshape([1, 3, size, size])
    hints = {"fp32": "f32", "bf16": "bf16"}
    settings = {"INFERENCE_PRECISION_HINT": hints[precision], "INFERENCE_NUM_THREADS": THREADS, "PERF_COUNT": True}
    request = core.compile_model(network, "CPU", settings).create_infer_request()
    picture, spent = np.zeros((1, 3, size, size), np.float32), Counter[str]()
    for turn in range(passes):
        request.infer({"pictures": picture})
        for each in request.profiling_info if turn else ():
            spent[kind_of(each)] += each.real_time.total_seconds()
    total = sum(spent.values())
    return Counter({name: value / total for name, value in spent.items()})


def kind_of(layer: Any) -> str:
    """Return what kind of work a layer is."""
    if layer.node_type == "GroupConvolution":
        return "convolutions by channel"
    if layer.node_type == "Convolution":
        return "convolutions over channels"
    if layer.node_type in {"FullyConnected", "MatMul"}:
        return "classifiers and maps"
    if layer.node_type in {"Reorder", "Convert", "Reshape", "Transpose"}:
        return "other layouts and precisions"
    return "pooling, gates, sums"


def starts(house: House) -> dict[str, tuple[float, float, float]]:
    """Return for commands: median and slowest seconds from the shell to the first answer, and megabytes at most."""
    cutis = [str(Path(sys.executable).with_name("cutis")), "diagnose", str(house.picture), "--release"]
    names = [OFFERS[0].name, OFFERS[1].name, *([OFFERS[2].name] if bf16_is_here() else [])]
    commands = {f"cutis diagnose --release, {name}": [*cutis, str(house.folder), "--engine", name] for name in names}
    commands["cutis diagnose --release, auto (remembered)"] = [*cutis, str(house.folder)]
    commands["import torch, timm, torchvision and pytorch_grad_cam"] = [
        sys.executable,
        "-c",
        "import torch, timm, torchvision, pytorch_grad_cam",
    ]
    found = {}
    for name, command in commands.items():
        runs = [cost_of(command, cache=house.folder.parent / "cache") for _ in range(STARTS + 1)][1:]
        taken = [each[0] for each in runs]
        found[name] = (statistics.median(taken), max(taken), max(each[1] for each in runs))
    return found


def cost_of(command: list[str], *, cache: Path) -> tuple[float, float]:
    """Return the seconds of a command and the megabytes that it held at most.

    A small process starts it: what we hold ourselves would be counted as its own.
    """
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "XDG_CACHE_HOME": str(cache)}
    starter = [sys.executable, "-S", "-c", STARTER, *command]
    told = subprocess.run(starter, stdout=subprocess.PIPE, env=environment, check=True, text=True)  # noqa: S603  ours
    taken, held = map(float, told.stdout.split())
    return taken, held * 1024 / 1e6


def page_of(house: House, sizes: Sizes, *, starting: bool) -> list[str]:
    """Measure, and return the lines of the page."""
    layout = faster_layout(house)
    engines = engines_of(house)
    with ExitStack() as stack:
        decoders = stack.enter_context(Decoders())
        whole = {"the user's, all out of one call of Grad-CAM": users(house, layout, once=True)}
        whole |= {f"cutis, {name}": ours(house, engine, decoders) for name, engine in engines.items()}
        answers = paired(users(house, layout, once=False), whole, rounds=sizes.rounds, rest=REST)
    side = house.bundle.preparation.size
    noise = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
    passes: dict[str, Way] = {"eager, bf16 by autocast": eager(house, layout, bf16=True)}
    passes |= {f"{name}, all maps": lambda engine=engine: engine(noise) for name, engine in engines.items()}
    peaks = {"fp32": product(torch.float32), "bf16": product(torch.bfloat16)}
    alone = paired(eager(house, layout), passes | peaks, rounds=sizes.rounds, rest=REST)
    with FlopCounterMode(display=False) as counter:
        house.theirs(torch.zeros(1, 3, side, side))
    work = counter.get_total_flops()
    openvino = house.folder / OFFERS[1].file
    spent = {"fp32": profile(house, openvino, "fp32")}
    if bf16_is_here():
        spent["bf16"] = profile(house, openvino, "bf16")
    lines = [*_head(sizes, layout), *_whole(answers), *_alone(alone, work), *_spent(spent)]
    return [*lines, *(_starts(starts(house)) if starting else [])]


def _head(sizes: Sizes, layout: torch.memory_format) -> list[str]:
    about, name = circumstances(), "channels last" if layout is torch.channels_last else "channels first"
    openvino, onnxruntime = openvino_unreported(), __import__("onnxruntime")
    return [
        "# What an answer costs",
        "",
        "Written by `benchmarks/answer.py`, which says what is compared and how.",
        f"{about['processor']}, {THREADS} threads, Python {about['python']}, cutis {about['cutis']}.",
        f"PyTorch {torch.__version__}, timm {timm.__version__}.",
        f"ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}.",
        f"{sizes.architecture} at {sizes.side} pixels with random weights; timm's network {name}, which is faster.",
        "",
    ]


def _whole(answers: Mapping[str, NDArray[np.float64]]) -> list[str]:
    taken = np.median(answers["plain pass"])
    lines = [
        "## From a JPEG to probabilities, heat map and similar cases",
        "",
        f"The user's way takes {1000 * taken:.0f} ms in the median of {len(answers['plain pass'])} rounds.",
        "",
        "| way | times the user's | middle half of the rounds | times faster |",
        "| --- | ---: | ---: | ---: |",
    ]
    return [*lines, *(_ratio(name, each) for name, each in answers.items() if name != "plain pass"), ""]


def _ratio(name: str, ratios: NDArray[np.float64]) -> str:
    low, middle, high = np.percentile(ratios, (25, 50, 75))
    return f"| {name} | {middle:.3f} | {low:.3f} to {high:.3f} | {1 / middle:.1f} |"


def _alone(alone: Mapping[str, NDArray[np.float64]], work: int) -> list[str]:
    plain = alone["plain pass"]
    peak = {kind: 2 * 2048**3 / np.median(alone[kind] * plain) for kind in ("fp32", "bf16")}
    lines = [
        "## The forward pass alone",
        "",
        f"timm's network, eager in fp32, takes {1000 * np.median(plain):.0f} ms; {work / 1e9:.1f} GFLOP.",
        "A product of matrices, measured in turn in the same rounds, reaches",
        f"{peak['fp32'] / 1e9:.0f} GFLOP/s in fp32 and {peak['bf16'] / 1e9:.0f} in bf16.",
        "",
        "| way | times eager in fp32 | times eager at its own precision | share of the product's speed |",
        "| --- | ---: | ---: | ---: |",
    ]
    bf16 = alone["eager, bf16 by autocast"]
    for name, ratios in {"eager, fp32": np.ones(len(plain)), **alone}.items():
        if name in {"plain pass", "fp32", "bf16"}:
            continue
        kind = "bf16" if "bf16" in name else "fp32"
        own = np.median(ratios / bf16) if kind == "bf16" else np.median(ratios)
        share = work / np.median(ratios * np.median(plain)) / peak[kind]
        shown = ("", "") if "int8" in name else (f"{own:.2f}", f"{share:.0%}")
        lines.append(f"| {name} | {np.median(ratios):.2f} | {shown[0]} | {shown[1]} |")
    return [*lines, ""]


def _spent(spent: Mapping[str, Counter[str]]) -> list[str]:
    kinds = [name for name, _ in spent["fp32"].most_common()]
    return [
        "## Where the time of a pass goes",
        "",
        "As OpenVINO counts it, by kind of layer; bf16 with a quarter of the convolutions in fp32.",
        "",
        f"| layers | {' | '.join(spent)} |",
        f"| --- | {' | '.join('---:' for _ in spent)} |",
        *(f"| {kind} | {' | '.join(f'{each[kind]:.0%}' for each in spent.values())} |" for kind in kinds),
        "",
    ]


def _starts(found: Mapping[str, tuple[float, float, float]]) -> list[str]:
    return [
        "## From the shell to the first answer",
        "",
        f"{STARTS} runs each after one that is not counted.",
        "Memory is the most that the process held; its decoder is not counted ([border](border.md)).",
        "",
        "| command | median s | slowest s | MB |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {name} | {middle:.2f} | {most:.2f} | {held:.0f} |" for name, (middle, most, held) in found.items()),
        "",
    ]


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    said = parser.parse_args()
    if not os.environ.items() >= ENVIRONMENT.items():  # numpy reads it when it is imported
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ENVIRONMENT)  # noqa: S606  ourselves again
    if find_spec("pytorch_grad_cam") is None:
        print("left out: pytorch-grad-cam is not installed here")
        return
    torch.set_num_threads(THREADS)
    sizes = Sizes("efficientnet_b0", 64, 5, 1) if said.quick else Sizes()
    sizes = sizes._replace(rounds=said.rounds or sizes.rounds)
    with tempfile.TemporaryDirectory() as folder:
        page = page_of(built(Path(folder), sizes), sizes, starting=True)
    if not said.quick:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
