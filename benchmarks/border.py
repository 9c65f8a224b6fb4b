"""What the border costs a picture, and what bombs cost the border. Writes border.md beside itself.

    PYTHONPATH=tests .venv/bin/python benchmarks/border.py --broken FOLDER    some minutes
    PYTHONPATH=tests .venv/bin/python benchmarks/border.py --quick            a look; writes nothing

Pictures go in turn through this process and through a decoder, so that what else the machine does meets both alike; the
ratios are medians of pairs. The bombs are those of the tests.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from bombs import MAY_BE_ANSWERED, MUST_BE_REFUSED, saved
from cutis.imaging.border import Decoders
from cutis.imaging.decode import UnreadablePicture, decode
from cutis.imaging.limits import MEGA
from cutis.imaging.prepare import Preparation, prepare, prepared_file
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.many import Prepare, answer_many
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances
from factories import a_bundle_folder, an_engine

PREPARATION = Preparation(380, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
SIZES = ((600, 450), (1_024, 768), (4_000, 3_000))
PICTURES = 256
PAGE = Path(__file__).with_name("border.md")


def photograph(width: int, height: int) -> bytes:
    """Return a JPEG with about as much in it as a dermoscopic picture has."""
    coarse = chance("border", width).integers(60, 220, (height // 8, width // 8, 3), np.uint8)
    return saved(Image.fromarray(coarse).resize((width, height)), "JPEG", quality=90)


def seconds(work: Callable[[], object]) -> float:
    """Return how long this takes by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def crossing(pairs: int) -> list[str]:
    """Return a row for each size: here, at the border, whole across the border, and how much longer."""
    rows = []
    with Decoders() as decoders:
        for width, height in SIZES:
            content = photograph(width, height)
            ways: list[Callable[[], object]] = [
                lambda content=content: prepare(decode(content), PREPARATION),
                lambda content=content: decoders.prepared(content, PREPARATION),
                lambda content=content: decoders.pixels(content),
            ]
            for work in ways:
                work()
            taken = np.array([[1_000 * seconds(work) for work in ways] for _ in range(pairs)])
            here, prepared, whole = np.median(taken, axis=0)
            longer = np.median(taken[:, 1] - taken[:, 0])
            size = f"{width} × {height}, {len(content) / 1_000:.0f} kB"
            rows.append(f"| {size} | {here:.1f} | {prepared:.1f} | {whole:.1f} | {longer:+.1f} |")
    return rows


def starting(times: int) -> float:
    """Return the median of seconds from nothing to the first picture."""
    content, taken = photograph(*SIZES[0]), []
    for _ in range(times):
        with Decoders() as decoders:
            taken.append(seconds(lambda decoders=decoders: decoders.prepared(content, PREPARATION)))
    return median(taken)


def folder(pairs: int) -> list[str]:
    """Return a row for each size: how many pictures of a folder become rows of a table in a second, here and there."""
    rows = []
    with tempfile.TemporaryDirectory() as place:
        bundle = replace(read_bundle(a_bundle_folder(Path(place, "bundle"))), preparation=PREPARATION)
        for width, height in SIZES[:2]:
            path = Path(place, f"{width}.jpg")
            path.write_bytes(photograph(width, height))
            taken = np.array([_answered(bundle, [path] * PICTURES, Path(place)) for _ in range(pairs)])
            here, border = PICTURES / np.median(taken, axis=0)
            ratio = np.median(taken[:, 0] / taken[:, 1])
            rows.append(f"| {width} × {height} | {here:.0f} | {border:.0f} | {ratio:.2f} |")
    return rows


def _answered(bundle: Bundle, paths: list[Path], place: Path) -> list[float]:
    """Return the seconds of both ways, the first of which is not always the first."""
    taken: dict[Prepare | None, float] = {}
    table, ways = place / "answers.parquet", (prepared_file, None)
    for way in ways if time.time_ns() // 1_000 % 2 else ways[::-1]:
        taken[way] = seconds(partial(answer_many, an_engine(), bundle, paths, table, prepared=way))
        table.unlink()
    return [taken[way] for way in ways]


def broken(where: Path) -> list[str]:
    """Return a row for each folder of broken pictures: how many, and the slowest of them."""
    rows = []
    for folder in sorted(path for path in where.iterdir() if path.is_dir()):
        with Decoders() as decoders:
            decoders.prepared(photograph(64, 64), PREPARATION)
            taken = {}
            for path in (path for path in folder.iterdir() if path.is_file()):
                taken[path.name] = seconds(lambda path=path: outcome(decoders, path))
        slowest = max(taken, key=lambda name: taken[name])
        rows.append(f"| {folder.name} | {len(taken)} | {1_000 * taken[slowest]:.0f} | {slowest} |")
    return rows


def outcome(decoders: Decoders, source: Path | bytes) -> str:
    """Return what was said of a picture."""
    try:
        decoders.prepared(source, PREPARATION)
    except UnreadablePicture as error:
        return error.what
    return "answered"


def bomb(name: str, content: bytes) -> str:
    """Return a row: what a bomb is, what it cost the decoder, and what was said of it."""
    with Decoders() as decoders:
        decoders.prepared(photograph(64, 64), PREPARATION)
        process = decoders.every[0].start()
        computed, held = _spent(process.pid)
        started = time.perf_counter()
        told = outcome(decoders, content)
        clock = time.perf_counter() - started
        after = _spent(process.pid) if process.poll() is None else (float("nan"), float("nan"))
    size = f"{len(content) / 1_000:,.1f}"
    return f"| {name} | {size} | {after[0] - computed:.2f} | {clock:.2f} | {after[1] - held:.0f} | {told} |"


def _spent(pid: int) -> tuple[float, float]:
    """Return the seconds that a process computed, and the most megabytes that it held."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(status.split("VmHWM:")[1].split()[0]) * 1024 / MEGA


def _about_broken(where: Path) -> list[str]:
    return [
        "## Broken pictures",
        "",
        "Files that were made to break decoders, and the one of each collection that took longest by the clock.",
        "",
        "| collection | files | slowest, ms | which |",
        "| --- | ---: | ---: | --- |",
        *broken(where),
        "",
    ]


def page(pairs: int, where: Path | None) -> str:
    """Measure, and return the page."""
    about = circumstances()
    bombs = [bomb(name, make()) for name, make in (MUST_BE_REFUSED | MAY_BE_ANSWERED).items()]
    lines = [
        "# What the border costs",
        "",
        "Written by `benchmarks/border.py`.",
        f"{about['processor']}, Python {about['python']}, cutis {about['cutis']}.",
        "",
        "## A picture",
        "",
        f"From the bytes of a JPEG to what a network of 380 pixels sees, in milliseconds; medians of {pairs} pairs.",
        "*Whole* hands over the whole picture instead.",
        "",
        "| picture | in this process | at the border | whole | longer at the border |",
        "| --- | ---: | ---: | ---: | ---: |",
        *crossing(pairs),
        "",
        f"From no process to its first picture: {starting(max(3, pairs // 3)):.2f} s.",
        "",
        "## A folder",
        "",
        f"Pictures a second of {PICTURES} that become rows of a table, with a network that costs next to nothing:",
        f"what `cutis diagnose FOLDER --to` does beside the network, on {about['threads']} cores.",
        f"Medians of {max(1, pairs // 7)} pairs.",
        "",
        "| pictures | in threads of this process | in processes at the border | ratio |",
        "| --- | ---: | ---: | ---: |",
        *folder(max(1, pairs // 7)),
        "",
        *(_about_broken(where) if where else ()),
        "## Bombs",
        "",
        "What each cost a decoder that had just started: seconds of computing, seconds by the clock, and how many",
        "megabytes more it held at most, its file included.",
        "",
        "| picture | kB | computing | clock | MB | what was said |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *bombs,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What the border costs a picture, and bombs the border.")
    parser.add_argument("--quick", action="store_true", help="a look; writes nothing")
    parser.add_argument("--broken", type=Path, help="a folder of folders of broken pictures")
    given = parser.parse_args()
    written = page(3 if given.quick else 21, given.broken)
    print(written)
    if not given.quick:
        PAGE.write_text(written, encoding="utf-8")
