"""Our training step against a plain timm loop, and the loader against the step. Writes training_speed.md beside itself.

    .venv/bin/python benchmarks/training_speed.py            some twenty minutes on two cores
    .venv/bin/python benchmarks/training_speed.py --freed    only what keeping freed memory gains; writes nothing
    .venv/bin/python benchmarks/training_speed.py --quick    a look, of a few seconds and without worth; writes nothing

Everything that is compared is measured in turns within one run, and nothing else should run beside it. Needs no data:
the pictures are noise, which takes as long to learn from.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import timm
import timm.optim
import torch
from torch import nn
from torch.nn import functional

from cutis.imaging.prepare import Preparation
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.progress import say
from cutis.runtime.allocator import keep_freed_memory
from cutis.train.ahead import ahead
from cutis.train.batches import Batch, Pictures, Step, training_steps
from cutis.train.config import TrainConfig
from cutis.train.imbalance import teaching_of
from cutis.train.loop import accelerator_or_processor, learn, new_learner
from cutis.vocabulary.circumstances import circumstances

KINDS = 7
ROUNDS = 9  # timed of each, in turns, after two that are not
WARM = 2
LARGE, FEW = 200, 5  # above so many pixels a step takes seconds, and fewer of them are timed
FREED_STEPS, FREED_ROUNDS = 8, 3  # of each process, and how many of these
LOADED = 12  # steps that are loaded in one go
MEMORY_SIZE, MEMORY_BATCH, MEMORY_STEPS = 380, 16, 40
MEGABYTE = 2**20


class Setting(NamedTuple):
    """How a step is computed."""

    precision: str
    compiled: bool

    def __str__(self) -> str:
        return self.precision + (", torch.compile" if self.compiled else "")


class Case(NamedTuple):
    """What is trained."""

    network: str
    size: int
    batch: int


CASES = (Case("efficientnet_b0", 96, 32), Case("efficientnet_b4", 380, 4), Case("mobilenetv2_100", 64, 64))
QUICK = (Case("efficientnet_b0", 32, 4),)
ON_CUDA = (Case("efficientnet_b4", 380, 64),)
PLAIN = Setting("fp32", compiled=False)
SETTINGS = (PLAIN, Setting("bf16", compiled=False), Setting("fp32", compiled=True), Setting("bf16", compiled=True))

Take = Callable[[], object]


def config_of(case: Case, setting: Setting) -> TrainConfig:
    """The recipe whose step is timed: ours with its seven auxiliary classifiers."""
    return TrainConfig(
        network=case.network,
        size=case.size,
        batch_size=case.batch,
        auxiliary_weight=0.3,
        precision=setting.precision,
        compile=setting.compiled,
        epochs=1,
        warmup_epochs=0,
    )


def ours(case: Case, setting: Setting, device: torch.device) -> Take:
    """Return a function that takes one step of our loop."""
    torch.manual_seed(0)
    config = config_of(case, setting)
    network = Classifier(backbone_of(case.network), classes=KINDS, dropout=config.dropout)
    network = network.to(device).to(memory_format=torch.channels_last)
    learner = new_learner(network, config, precision=setting.precision)
    images, diagnosis = noise(case, device)
    target = functional.one_hot(diagnosis, KINDS).float()
    step = Step(parts=(Batch(images=images, target=target, case_ids=("",) * case.batch),), pictures=case.batch)
    teaching = teaching_of(config, np.ones(KINDS, np.int64), device)
    losses = learn(learner, repeat(step), config, teaching, epoch=0, start=0, steps_in_epoch=10_000)
    return lambda: next(losses)


def theirs(case: Case, setting: Setting, device: torch.device) -> Take:
    """Return a function that takes one step of the loop one writes with timm: no heads, its AdamW, cross-entropy."""
    torch.manual_seed(0)
    network: nn.Module = timm.create_model(case.network, num_classes=KINDS, drop_rate=0.2)
    network = network.to(device).to(memory_format=torch.channels_last).train()
    called = torch.compile(network) if setting.compiled else network
    optimizer = timm.optim.create_optimizer_v2(network, opt="adamw", lr=1e-3, weight_decay=0.05)
    images, diagnosis = noise(case, device)

    def step() -> float:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=setting.precision == "bf16"):
            loss = functional.cross_entropy(called(images), diagnosis)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        return loss.item()

    return step


def noise(case: Case, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Invent a batch."""
    images = torch.randn(case.batch, 3, case.size, case.size, device=device)
    return images.contiguous(memory_format=torch.channels_last), torch.arange(case.batch, device=device) % KINDS


def in_turns(takes: dict[str, Take], *, rounds: int) -> dict[str, float]:
    """Return the median seconds of each, measured one after the other in every round."""
    taken: dict[str, list[float]] = {name: [] for name in takes}
    for number in range(WARM + rounds):
        for name, take in takes.items():
            begun = time.perf_counter()
            take()
            _synchronise()
            if number >= WARM:
                taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in taken.items()}


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def invented_pictures(folder: Path, *, count: int, size: int, filled: bool = True) -> Pictures:
    """Return pictures as training finds them: prepared, in one array on disk."""
    path = folder / f"{count}-{size}.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size, size, 3))
    if filled:
        block = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
        for start in range(0, count, len(block)):
            array[start : start + len(block)] = block[: count - start]
    array.flush()
    del array
    diagnosis = np.arange(count) % KINDS
    return Pictures(
        array=np.load(path, mmap_mode="r"),
        rows=np.arange(count),
        diagnosis=diagnosis,
        target=np.eye(KINDS, dtype=np.float32)[diagnosis],
        case_ids=tuple(map(str, range(count))),
        sha256s=tuple(f"{number:064x}" for number in range(count)),
        preparation=Preparation(size=size, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    )


def loaded(case: Case, pictures: Pictures, device: torch.device) -> Take:
    """Return a function that makes one step's pictures ready, changes and all."""
    steps = endless(case, pictures, device)
    return lambda: next(steps)


def endless(case: Case, pictures: Pictures, device: torch.device) -> Iterator[Step]:
    """Yield training steps, epoch after epoch."""
    config = config_of(case, PLAIN)
    epoch = 0
    while True:
        yield from training_steps(pictures, config, epoch=epoch, start=0, device=device)
        epoch += 1


def peak_of_loader(count: int, steps: int) -> float:
    """Return the peak of this process's own memory, in megabytes, while the loader runs alone over so many pictures."""
    case = Case("", MEMORY_SIZE, MEMORY_BATCH)
    with tempfile.TemporaryDirectory() as folder:
        pictures = invented_pictures(Path(folder), count=count, size=MEMORY_SIZE, filled=False)
        peak = 0.0
        for _ in islice(endless(case._replace(network="efficientnet_b4"), pictures, torch.device("cpu")), steps):
            peak = max(peak, own_memory())
    return peak


def own_memory() -> float:
    """Return the memory that is this process's own and no file's (RssAnon), in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


def step_table(cases: Sequence[Case], device: torch.device, *, rounds: int, settings: Sequence[Setting]) -> list[str]:
    """Time our step in every setting, timm's as one writes it, and the loader alone; return the tables."""
    steps = [
        "| network | pixels | batch | setting | timm, seconds | ours, seconds | timm ÷ ours |",
        "|---|---|---|---|---|---|---|",
    ]
    loader = [
        "| network | pixels | batch | loader, pictures/s | our fastest step, pictures/s | loader ÷ step |",
        "|---|---|---|---|---|---|",
    ]
    for case in cases:
        say(f"{case.network} at {case.size} pixels")
        with tempfile.TemporaryDirectory() as folder:
            pictures = invented_pictures(Path(folder), count=max(256, case.batch * LOADED), size=case.size)
            takes: dict[str, Take] = {}
            for setting in settings:
                takes[f"timm {setting}"] = theirs(case, setting, device)
                takes[f"ours {setting}"] = ours(case, setting, device)
            takes["loader"] = loaded(case, pictures, device)
            seconds = in_turns(takes, rounds=min(rounds, FEW) if case.size > LARGE else rounds)
        name = _named(case)
        for setting in settings:
            timm_s, ours_s = seconds[f"timm {setting}"], seconds[f"ours {setting}"]
            steps.append(f"{name}| {setting} | {timm_s:.3f} | {ours_s:.3f} | {timm_s / ours_s:.2f} |")
        best = min(settings, key=lambda setting: seconds[f"ours {setting}"])
        plain, fastest = seconds[f"timm {PLAIN}"], seconds[f"ours {best}"]
        told = f"ours in {best}, its fastest; timm in {PLAIN}"
        steps.append(f"{name}| {told} | {plain:.3f} | {fastest:.3f} | **{plain / fastest:.2f}** |")
        rate, step_rate = case.batch / seconds["loader"], case.batch / fastest
        loader.append(f"{name}| {rate:,.0f} | {step_rate:,.0f} | {rate / step_rate:.1f} |")
        torch.compiler.reset()
    return [*steps, "", *LOADER_WORDS, "", *loader]


LOADER_WORDS = (
    "The loader alone: pictures read from the prepared array on disk, changed, normalised, in the batch's layout.",
    "They are prepared (decoded and resized) once, before the first epoch, which is not counted here.",
)


def waiting(case: Case, setting: Setting, device: torch.device, *, steps: int) -> tuple[float, float]:
    """Return pictures a second, and the share of the time spent waiting for data, of our loop on an accelerator."""
    torch.manual_seed(0)
    config = config_of(case, setting)
    network = Classifier(backbone_of(case.network), classes=KINDS).to(device).to(memory_format=torch.channels_last)
    learner = new_learner(network, config, precision=setting.precision)
    waited: list[float] = []

    def timed(source: Iterator[Step]) -> Iterator[Step]:
        while True:
            begun = time.perf_counter()
            step = next(source)
            waited.append(time.perf_counter() - begun)
            yield step

    with tempfile.TemporaryDirectory() as folder:
        pictures = invented_pictures(Path(folder), count=2048, size=case.size)
        teaching = teaching_of(config, pictures.counts, device)
        source = timed(ahead(endless(case, pictures, device), device=device))
        losses = learn(learner, source, config, teaching, epoch=0, start=0, steps_in_epoch=10_000)
        for _ in islice(losses, 5 + WARM):
            pass
        waited.clear()
        _synchronise()
        begun = time.perf_counter()
        for _ in islice(losses, steps):
            pass
        _synchronise()
        taken = time.perf_counter() - begun
        losses.close()
        source.close()
    return steps * case.batch / taken, sum(waited[:steps]) / taken


def memory_lines(counts: Sequence[int], *, steps: int) -> list[str]:
    """Measure the loader's memory, each in a process of its own."""
    peaks = {}
    for count in counts:
        command = [sys.executable, __file__, "--loader-memory", str(count), "--steps", str(steps)]
        said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own command
        peaks[count] = float(said.stdout)
    few, many = min(peaks), max(peaks)
    return [
        (
            f"Memory of the loader alone at {MEMORY_SIZE} pixels, batches of {MEMORY_BATCH}: the peak over {steps} "
            "steps of what is the process's own (RssAnon), each in a process of its own:"
        ),
        "",
        "| pictures | array on disk, megabytes | own memory, megabytes |",
        "|---|---|---|",
        *(f"| {count:,} | {count * MEMORY_SIZE**2 * 3 / MEGABYTE:,.0f} | {peaks[count]:,.0f} |" for count in counts),
        "",
        f"{many // few} times the pictures take {peaks[many] - peaks[few]:+.0f} megabytes.",
    ]


def passing(case: Case) -> Take:
    """Return a function that lets our network answer once, without gradients."""
    network = Classifier(backbone_of(case.network), classes=KINDS).to(memory_format=torch.channels_last).eval()
    images, _ = noise(case, torch.device("cpu"))

    def take() -> object:
        with torch.inference_mode():
            return network(images)

    return take


def processor_time(case: Case, *, what: str, kept: bool, steps: int) -> float:
    """Return the seconds that all cores together spend on one of our steps, or on one pass."""
    if kept:
        keep_freed_memory()
    take = passing(case) if what == "pass" else ours(case, PLAIN, torch.device("cpu"))
    for _ in range(WARM):
        take()
    begun = time.process_time()
    for _ in range(steps):
        take()
    return (time.process_time() - begun) / steps


def freed_lines(cases: Sequence[Case], *, steps: int, rounds: int) -> list[str]:
    """Say what keeping freed memory gains, each in processes of its own and in turns."""
    lines = [
        "| what | network | pixels | batch | given back, seconds | kept, seconds | kept ÷ given back |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, case in product(("step", "pass"), cases):
        taken: dict[str, list[float]] = {"given back": [], "kept": []}
        for how in [*taken] * rounds:
            command = [sys.executable, __file__, "--steps", str(steps), "--take", what, how, *map(str, case)]
            said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own command
            taken[how].append(float(said.stdout))
        back, kept = (statistics.median(each) for each in taken.values())
        lines.append(f"| {what} {_named(case)}| {back:.3f} | {kept:.3f} | {kept / back:.2f} |")
    return [
        (
            "Processor time of our step, and of a pass without gradients, in fp32, all cores together, when the memory "
            "that is freed goes back to the system, as it does above on both sides, and when it is kept, as cutis does "
            f"on glibc (`cutis.runtime.allocator`; medians of {rounds} processes of {steps} each, in turns):"
        ),
        "",
        *lines,
    ]


def _named(case: Case) -> str:
    return f"| {case.network} | {case.size} | {case.batch} "


def cuda_lines(device: torch.device, *, steps: int) -> list[str]:
    """Say how fast the loop is on an accelerator, and how long it waits."""
    lines = [
        "| network | pixels | batch | setting | pictures a second | waiting for data |",
        "|---|---|---|---|---|---|",
    ]
    for case in ON_CUDA:
        for setting in SETTINGS[1::2]:
            rate, share = waiting(case, setting, device, steps=steps)
            lines.append(f"| {case.network} | {case.size} | {case.batch} | {setting} | {rate:,.0f} | {share:.1%} |")
    return lines


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--freed", action="store_true")
    parser.add_argument("--take", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--loader-memory", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=MEMORY_STEPS, help=argparse.SUPPRESS)
    said: Any = parser.parse_args()
    if said.loader_memory:
        print(peak_of_loader(said.loader_memory, said.steps))
        return
    if said.take:
        what, how, network, size, batch = said.take
        case = Case(network, int(size), int(batch))
        print(processor_time(case, what=what, kept=how == "kept", steps=said.steps))
        return
    if said.freed:
        print("\n".join(freed_lines(CASES, steps=FREED_STEPS, rounds=FREED_ROUNDS)))
        return
    device = accelerator_or_processor()
    cuda = device.type == "cuda"
    rounds = 1 if said.quick else said.rounds
    cases = QUICK if said.quick else (*ON_CUDA, *CASES) if cuda else CASES
    settings = SETTINGS[:2] if said.quick else SETTINGS
    body = step_table(cases, device, rounds=rounds, settings=settings)
    body += ["", *memory_lines((100, 600) if said.quick else (1000, 6000), steps=3 if said.quick else MEMORY_STEPS)]
    if not cuda:
        steps, turns = (1, 1) if said.quick else (FREED_STEPS, FREED_ROUNDS)
        body += ["", *freed_lines(cases, steps=steps, rounds=turns)]
    else:
        body += ["", "On the accelerator, loader and step together:", "", *cuda_lines(device, steps=100)]
    about: dict[str, Any] = circumstances()
    libraries = ", ".join(f"{name} {about['libraries'][name]}" for name in ("torch", "timm"))
    device_name = torch.cuda.get_device_name() if cuda else f"{about['threads']} threads"
    page = [
        "# How fast training is",
        "",
        "Written by `benchmarks/training_speed.py`.",
        f"{about['processor']}, {device_name}, Python {about['python']}, {libraries}, cutis {about['cutis']}.",
        "",
        (
            "A step of `cutis train`, its seven auxiliary classifiers included, against the loop one writes with timm: "
            "no heads, timm's AdamW, plain cross-entropy, channels-last as well."
        ),
        (
            f"Median of {rounds} steps each ({min(rounds, FEW)} above {LARGE} pixels), taken in turns within one run; "
            "above 1 ours is faster."
        ),
        "",
        *body,
    ]
    if not said.quick:
        name = "training_speed_gpu.md" if cuda else "training_speed.md"
        Path(__file__).with_name(name).write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
