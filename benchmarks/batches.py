"""What the micro-batcher brings to callers of one engine, and what it costs them. Writes batches.md beside itself.

    PYTHONPATH=tests .venv/bin/python benchmarks/batches.py            some minutes
    PYTHONPATH=tests .venv/bin/python benchmarks/batches.py --quick    a look; writes nothing

An untrained EfficientNet-b0 at 224 pixels with all its maps, by each engine of a release. So many callers each ask,
wait for the answer, and ask again. The ways take turns within each round, so that what else the machine does meets all
alike; ratios are of the same round.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.prepare import Preparation
from cutis.release.convert import write_onnx, write_openvino
from cutis.runtime.batcher import Batcher
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import OFFERS, Engine, open_engine, threads
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances
from factories import a_bundle_folder

NETWORK, SIDE = "efficientnet_b0", 224
PREPARATION = Preparation(SIDE, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
CALLERS = (1, 4, 16)


class Way(NamedTuple):
    """How a batcher gathers."""

    largest: int
    at_once: int = 1
    wait: float = 0.0


ALONE = "without"
WAYS = {
    ALONE: None,
    "1": Way(1),
    "1, two at once": Way(1, at_once=2),
    "4": Way(4),
    "16": Way(16),
    "16, waits 5 ms": Way(16, wait=0.005),
}
PAGE = Path(__file__).with_name("batches.md")

Ask = Callable[[NDArray[np.float32]], object]


class Took(NamedTuple):
    """What one round of one way took."""

    a_second: float  # pictures
    median: float  # seconds from asking to the answer
    late: float  # the same, of the slowest twentieth


def network(folder: Path) -> dict[str, Engine]:
    """Return the engines of an untrained network, by name."""
    bundle = a_bundle(folder)
    exact = [offer for offer in OFFERS if offer.precision == "fp32"]
    onnx, openvino = (folder / offer.file for offer in exact)
    write_onnx(onnx, bundle)
    write_openvino(openvino, onnx)
    return {offer.engine: open_engine(bundle, folder / offer.file) for offer in exact}


def a_bundle(folder: Path) -> Bundle:
    """Return the bundle of such a network."""
    import torch
    from safetensors.torch import save_file

    from cutis.network.backbone import backbone_of
    from cutis.network.classifier import Classifier

    small = read_bundle(a_bundle_folder(folder / "bundle", classes="abcdefg"))
    torch.manual_seed(0)
    save_file(Classifier(backbone_of(NETWORK, size=SIDE), classes=7).state_dict(), small.weights)
    return replace(small, architecture=NETWORK, preparation=PREPARATION)


def timed(ask: Ask, callers: int, pictures: int) -> Took:
    """Let the callers ask until all pictures are answered."""
    prepared = chance("batches").normal(size=(8, 3, SIDE, SIDE)).astype(np.float32)

    def call(number: int) -> float:
        started = time.perf_counter()
        ask(prepared[number % len(prepared)])
        return time.perf_counter() - started

    with ThreadPoolExecutor(callers) as asking:
        started = time.perf_counter()
        taken = list(asking.map(call, range(pictures)))
        whole = time.perf_counter() - started
    return Took(pictures / whole, float(np.median(taken)), float(np.quantile(taken, 0.95)))


def measured(engine: Engine, callers: int, *, rounds: int, pictures: int) -> dict[str, NDArray[np.float64]]:
    """Return (rounds, 3) for each way: what `Took` says."""
    with ExitStack() as held:
        asks: dict[str, Ask] = {}
        for name, way in WAYS.items():
            if way is None:
                asks[name] = lambda picture: engine(picture[None])
            else:
                batcher = held.enter_context(Batcher(engine, PREPARATION, **way._asdict()))
                asks[name] = lambda picture, batcher=batcher: batcher.ask(picture).result()
        for ask in asks.values():
            timed(ask, callers, callers)
        took = [{name: timed(ask, callers, pictures) for name, ask in asks.items()} for _ in range(rounds)]
    return {name: np.array([each[name] for each in took]) for name in WAYS}


def row(name: str, took: NDArray[np.float64], beside: NDArray[np.float64]) -> str:
    """Return one line of a table: the medians of the rounds, and of the ratios within each."""
    a_second, median, late = np.median(took, axis=0)
    faster, longer, later = np.median(took / beside, axis=0)
    figures = f"{a_second:.1f} | {faster:.2f} | {1e3 * median:.0f} | {longer:.2f} | {1e3 * late:.0f} | {later:.2f}"
    return f"| {name} | {figures} |"


def page(rounds: int, pictures: int) -> str:
    """Measure, and return the page."""
    about = circumstances()
    lines = [
        "# What the micro-batcher brings",
        "",
        "Written by `benchmarks/batches.py`.",
        f"{about['processor']}, {threads()} threads an engine, Python {about['python']}, cutis {about['cutis']}.",
        "",
        f"EfficientNet-b0 at {SIDE} pixels with all maps, fp32; {rounds} rounds of {pictures} pictures a row.",
        "A way is the largest batch, *without* the engine called by each caller directly.",
        "A ratio is to *without* in the same round: of pictures a second more is better, of milliseconds less.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        engines = network(Path(folder))
        for (name, engine), callers in product(engines.items(), CALLERS):
            took = measured(engine, callers, rounds=rounds, pictures=pictures)
            lines += ["", f"## {name}, {callers} callers" if callers > 1 else f"## {name}, one caller", ""]
            lines += ["| way | pictures a second | ratio | median ms | ratio | slowest 5 % ms | ratio |"]
            lines += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
            lines += [row(way, each, took[ALONE]) for way, each in took.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What the micro-batcher brings to callers of one engine.")
    parser.add_argument("--quick", action="store_true", help="a look; writes nothing")
    quick = parser.parse_args().quick
    written = page(*((1, 16) if quick else (3, 48)))
    print(written)
    if not quick:
        PAGE.write_text(written, encoding="utf-8")
