"""How long `cutis --help` takes, from the shell's point of view. Writes start.md beside itself."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from cutis.vocabulary.circumstances import circumstances

ROUNDS = 20
CUTIS = str(Path(sys.executable).with_name("cutis"))
COMMANDS = {
    "`python -c pass`": [sys.executable, "-c", "pass"],
    "`cutis --help`": [CUTIS, "--help"],
    "`cutis train --help`": [CUTIS, "train", "--help"],
    "`import torch` (what the help does without)": [sys.executable, "-c", "import torch"],
}


def seconds(command: list[str]) -> float:
    """Return the wall-clock time of one run, in seconds."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603  the commands stand above
    return time.perf_counter() - started


def main() -> None:
    """Run every command some rounds after a first one that warms the disk, and write the table."""
    rows = []
    for name, command in COMMANDS.items():
        seconds(command)
        times = sorted(seconds(command) for _ in range(ROUNDS))
        rows.append(f"| {name} | {statistics.median(times):.2f} | {times[0]:.2f} | {times[-1]:.2f} |")
    about = circumstances()
    page = [
        "# How long the command line takes to answer",
        "",
        f"Written by `benchmarks/start.py`: {ROUNDS} rounds each after a first one that is not counted, wall clock.",
        f"{about['processor']}, {about['threads']} cores, Python {about['python']}, cutis {about['cutis']}.",
        "",
        "| command | median s | fastest s | slowest s |",
        "|---|---|---|---|",
        *rows,
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
