"""How many pictures a minute `cutis diagnose FOLDER --to` answers, and what memory it holds, by engine.

The pictures are a folder's, such as those of HAM10000; the release is one that `cutis release` made. Every engine that
it offers answers the first thousand and then all of them, each in a process of its own, from the shell's point of view:
start, check of the release, decoding at the border, table. Memory is the most that the process and its decoders held
together.

    python benchmarks/throughput.py work/6_release/NAME ../shared/data/ham10000/images     # writes throughput.md
    … --workspace work --name NAME     PyTorch as well, which runs the bundle
    … --most 2000                      fewer than all; prints only
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cutis.runtime.many import pictures_in
from cutis.runtime.release import read_release
from cutis.vocabulary.circumstances import circumstances

PAGE = Path(__file__).with_suffix(".md")
FEW = 1_000
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class Run(NamedTuple):
    """One command."""

    seconds: float
    megabytes: float  # at most


def run(command: Sequence[str]) -> Run:
    """Run a command and watch what it and its children hold."""
    started, most = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603  our own commands
        while process.poll() is None:
            most = max(most, sum(held(pid) for pid in family(process.pid)))
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} left with {process.returncode}")
    return Run(time.perf_counter() - started, most * PAGE_SIZE / 2**20)


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    try:
        children = [Path(task, "children").read_text(encoding="utf-8") for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [pid, *(int(child) for child in " ".join(children).split())]


def held(pid: int) -> int:
    """Return the pages that a process holds and shares with nobody: two decoders have their libraries once."""
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split())
    except (OSError, ValueError):
        return 0
    return resident - shared


def commands_of(said: argparse.Namespace) -> dict[str, list[str]]:
    """Return by engine what is asked for, less the pictures and the table."""
    cutis = [str(Path(sys.executable).with_name("cutis")), "diagnose"]
    release = read_release(said.release)
    found = {offer.name: [*cutis, "--release", str(said.release), "--engine", offer.name] for offer in release.offers}
    if said.workspace:
        found["pytorch-fp32"] = [*cutis, "-w", str(said.workspace), "--name", said.name or release.bundle.name]
    return found


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, nargs="?")
    parser.add_argument("pictures", type=Path, nargs="?")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--most", type=int)
    said = parser.parse_args()
    if said.pictures is None:
        print("left out: give it a release, and a folder of pictures")
        return
    paths = pictures_in([said.pictures])[: said.most]
    bundle = read_release(said.release).bundle
    rows, counts = [], (min(FEW, len(paths)), len(paths))
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            some = Path(folder) / str(count)
            some.mkdir(exist_ok=True)
            for path in paths[:count]:
                (some / path.name).symlink_to(path.resolve())
        for name, command in commands_of(said).items():
            few, everything = (
                run([*command, f"{folder}/{count}", "--to", f"{folder}/{name}-{count}.parquet"]) for count in counts
            )
            rate = (len(paths) - FEW) / (everything.seconds - few.seconds) if len(paths) > FEW else FEW / few.seconds
            row = (len(paths) / everything.seconds, rate, few.megabytes, everything.megabytes)
            rows.append(f"| {name} | {' | '.join(f'{each:,.0f}' for each in row)} |")
            print(rows[-1], flush=True)
    about = circumstances()
    page = [
        "# How many pictures it answers",
        "",
        "Written by `benchmarks/throughput.py`, which says what is measured.",
        f"{about['processor']}, {about['threads']} cores, Python {about['python']}, cutis {about['cutis']}.",
        f"{bundle.architecture} at {bundle.preparation.size} pixels, {bundle.views} views, {len(paths):,} pictures.",
        "",
        f"| engine | pictures a second, all | after the first {FEW:,} | MB, {FEW:,} | MB, {len(paths):,} |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    if not said.most:
        PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
