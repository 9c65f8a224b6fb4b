"""How long the toy clinic takes, drawn and curated. Writes toy.md beside itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cutis.vocabulary.circumstances import circumstances

CUTIS = str(Path(sys.executable).with_name("cutis"))
STEPS = {
    "`cutis toy CLINIC`": ["toy", "clinic"],
    "`cutis curate CLINIC`": ["curate", "clinic"],
}


def main() -> None:
    """Run both commands once in an empty folder, and write wall-clock and processor time."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, words in STEPS.items():
            started, before = time.perf_counter(), os.times()
            done = subprocess.run([CUTIS, *words, "--json"], cwd=folder, stdout=subprocess.PIPE, check=True)  # noqa: S603
            wall, after = time.perf_counter() - started, os.times()
            processor = after.children_user + after.children_system - before.children_user - before.children_system
            facts = json.loads(done.stdout)["facts"]
            rows.append(f"| {name} | {wall:.1f} | {processor:.1f} | {facts.get('images', facts.get('rows', ''))} |")
    about = circumstances()
    page = [
        "# How long the toy clinic takes",
        "",
        "Written by `benchmarks/toy.py`, one run in an empty folder, pictures of 256 pixels.",
        f"{about['processor']}, {about['threads']} cores, Python {about['python']}, cutis {about['cutis']}.",
        "",
        "| command | wall clock s | processor s | images |",
        "|---|---|---|---|",
        *rows,
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
