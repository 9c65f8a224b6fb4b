"""The atlas: how long a map takes beside scikit-learn's, how it grows, one new case, and the page's frames a second.

Each row is measured in a process of its own and is one line in `results/atlas.jsonl`; what is there is not measured
again, so that a run that was broken off goes on. Rows that are compared belong to one run on one quiet machine: remove
the file to begin anew. Without `--measure` only the table is written.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from trials import BENCHMARKS, Row, append_row, key_of, read_rows

from cutis.explain.atlas.chart import Cast, Chart, Depth
from cutis.explain.atlas.layout import lay_out, settings_for
from cutis.explain.atlas.neighbours import nearest_neighbours
from cutis.explain.atlas.page import page_data, render
from cutis.explain.atlas.quality import quality_of
from cutis.explain.atlas.sheets import write_sheets
from cutis.progress import cores, say, spoken
from cutis.runtime.atlas import place
from cutis.vocabulary.case import Case
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.taxonomy import load_taxonomy

CASES, FEATURES, GROUPS = 13_603, 1_792, 14
GROWTH = (3_000, 6_000, 25_000, 50_000)  # beside the one above
HIDDEN = 60  # directions in which the groups and their cases differ
OURS = "cutis"
PLACED = 20
RIGHT = 0.8  # of the page's cases
FRAMES = 400  # that are timed on the page
SCREENS = {"desk, 1280 × 900": (1280, 900, 1), "desk, two pixels a point": (1280, 900, 2), "telephone": (390, 844, 3)}
# Pans in circles by mouse for half of the time and zooms by wheel for the other half, one step a frame.
WALK = """(frames) => new Promise((done) => {
  const canvas = document.getElementById("map");
  const box = canvas.getBoundingClientRect();
  const at = (across, down) => {
    return { clientX: box.left + across, clientY: box.top + down, bubbles: true, cancelable: true };
  };
  const mouse = { pointerId: 1, pointerType: "mouse", button: 0 };
  const fire = (kind, across, down) =>
    canvas.dispatchEvent(new PointerEvent(kind, { ...mouse, ...at(across, down) }));
  canvas.setPointerCapture = () => {};
  const gaps = [];
  let [before, number] = [performance.now(), 0];
  fire("pointerdown", 150, 150);
  const step = () => {
    const now = performance.now();
    gaps.push(now - before);
    before = now;
    number += 1;
    if (number < frames / 2) fire("pointermove", 150 + 80 * Math.sin(number / 8), 150 + 60 * Math.cos(number / 8));
    else if (number === frames / 2) fire("pointerup", 150, 150);
    else canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: number % 80 < 40 ? -50 : 50, ...at(200, 200) }));
    if (number < frames) requestAnimationFrame(step);
    else done(gaps.slice(2));
  };
  requestAnimationFrame(step);
})"""


class Trial(NamedTuple):
    """One row to be measured."""

    kind: str  # of `MEASURES`
    who: str
    cases: int

    @property
    def key(self) -> str:
        """The name of its row."""
        return key_of(*self)


def invented_features(cases: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features (N, 1792) and groups (N,): some groups are rare, some overlap, and tails are heavy.

    No feature is negative, as after a network's last activation and average.
    """
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, GROUPS + 1)
    groups = random.choice(GROUPS, size=cases, p=shares / shares.sum())
    centres = 1.5 * random.normal(size=(GROUPS, HIDDEN)) * np.linspace(1, 0.1, HIDDEN)
    hidden = centres[groups] + random.standard_t(4, size=(cases, HIDDEN)) * np.linspace(1, 0.1, HIDDEN)
    mixing = random.normal(size=(HIDDEN, FEATURES)).astype(np.float32) / 8
    features = hidden.astype(np.float32) @ mixing
    features += 0.2 * random.standard_t(4, size=features.shape).astype(np.float32)
    return np.logaddexp(features, 0), groups


def measure_ours(trial: Trial) -> Row:
    """Time our map: components, neighbours and t-SNE."""
    features, _ = invented_features(trial.cases)
    started = time.perf_counter()
    atlas, _, variance = lay_out(features, settings_for(trial.cases))
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    quality = _quality(features, atlas.places)
    row = {"seconds": seconds, "seconds_of_quality": time.perf_counter() - started, "variance": variance, **quality}
    new = features[:PLACED] + 0.05 * np.random.default_rng(1).normal(size=(PLACED, FEATURES)).astype(np.float32)
    taken = []
    for case in new:
        started = time.perf_counter()
        place(atlas, case[None])
        taken.append(time.perf_counter() - started)
    return row | {"seconds_to_place": max(taken)}


def measure_sklearn(trial: Trial) -> Row:
    """Time scikit-learn's map of all features as they are, or of the same fifty components."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    features, _ = invented_features(trial.cases)
    started = time.perf_counter()
    taken = PCA(50, random_state=0).fit_transform(features) if "components" in trial.who else features
    places = TSNE(init="pca", random_state=0, n_jobs=cores()).fit_transform(taken)
    return {"seconds": time.perf_counter() - started, **_quality(features, places.astype(np.float64))}


def measure_page(trial: Trial) -> Row:
    """Open a page of so many cases in Chromium, walk about on it, and time its frames."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        address, size, small_pictures = _write_page(Path(folder), trial.cases)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        width, height, ratio = SCREENS[trial.who]
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=ratio)
        page = context.new_page()
        started = time.perf_counter()
        page.goto(address, timeout=120_000)
        opened = time.perf_counter() - started
        page.wait_for_timeout(1000)
        gaps = np.array(page.evaluate(WALK, FRAMES))
        browser.close()
    return {
        "seconds": opened,
        "frames_per_second": 1000 / gaps.mean(),
        "slowest_of_20": float(np.quantile(gaps, 0.95)),
        "megabytes": size / 1e6,
        "megabytes_of_pictures": small_pictures / 1e6,
    }


MEASURES: dict[str, Callable[[Trial], Row]] = {
    "ours": measure_ours,
    "scikit-learn": measure_sklearn,
    "page": measure_page,
}


def trials(cases: int) -> Iterator[Trial]:
    """Yield all rows: what is compared first, then growth, then the page."""
    yield Trial("ours", OURS, cases)
    yield Trial("scikit-learn", "scikit-learn", cases)
    yield Trial("scikit-learn", "scikit-learn, of 50 components", cases)
    yield from (Trial("ours", OURS, each) for each in GROWTH if cases == CASES)
    yield from (Trial("page", screen, cases) for screen in SCREENS)
    yield from (Trial("page", next(iter(SCREENS)), each) for each in GROWTH[-1:] if cases == CASES)


def measured(trial: Trial) -> Row:
    """Measure one row, in a process that does nothing else."""
    row = MEASURES[trial.kind](trial)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # in GB; Linux counts in KB
    about = circumstances()
    made_with = {key: about[key] for key in ("cutis", "python", "processor", "threads")} | {"cores": cores()}
    return {"key": trial.key, **trial._asdict(), **row, "peak_gb": peak, "made_with": made_with}


def _quality(features: NDArray[np.float32], places: NDArray[np.float64]) -> Row:
    return {
        f"{what}/{count}": float(values.mean())
        for count, quality in quality_of(features, places).items()
        for what, values in quality._asdict().items()
    }


def _write_page(folder: Path, cases: int) -> tuple[str, int, int]:
    random, taxonomy = np.random.default_rng(0), load_taxonomy("zhu14")
    kinds = random.integers(0, len(taxonomy), cases)
    places = 40 * random.normal(size=(len(taxonomy), 2))[kinds] + 9 * random.normal(size=(cases, 2))
    answers = np.where(random.random(cases) < RIGHT, kinds, random.integers(0, len(taxonomy), cases))
    chart = Chart(
        cast=Cast(tuple(_case(number, taxonomy.codes[kind]) for number, kind in enumerate(kinds)), ()),
        probabilities=0.1 + 0.7 * np.eye(len(taxonomy))[answers],
        depths=tuple(_depth(f"depth {number}", places) for number in range(8)),
        maps=random.integers(0, 256, (cases, 12, 12)).astype(np.uint8),
        shown=None,
        settings=settings_for(cases),
        asked=(),
    )
    skin = Image.fromarray(random.integers(120, 220, (9, 12, 3)).astype(np.uint8)).resize((600, 450))
    sheets = write_sheets(folder / "atlas", lambda _: skin, chart.cases, places)
    data = page_data(chart, sheets, name="invented", taxonomy=taxonomy, cluster_kind="patient")
    about = {
        "name": "invented",
        "count": f"{cases:,}",
        "about": "",
        "settings": "",
        "shown_map": "",
        "source": "",
        "licence": "CC0-1.0",
    }
    (folder / "atlas.html").write_text(render(about | {"invented": True}, data), encoding="utf-8")
    pictures = sum(path.stat().st_size for path in (folder / "atlas").iterdir())
    return (folder / "atlas.html").as_uri(), (folder / "atlas.html").stat().st_size, pictures


def _case(number: int, code: str) -> Case:
    return Case(
        case_id=f"{number:016x}",
        image="",
        sha256="",
        cluster_id=str(number // 2),
        diagnosis=code,
        split="test",
        device=f"device {number % 5}",
        age=float(number % 90),
    )


def _depth(name: str, places: NDArray[np.float64]) -> Depth:
    from cutis.runtime.atlas import Atlas

    basis = {"mean": np.zeros(2, np.float32), "axes": np.eye(2, dtype=np.float32)}
    return Depth(
        name=name,
        atlas=Atlas(**basis, features=places.astype(np.float32), places=places),
        places=places,
        neighbours=nearest_neighbours(places[:200], 8).rows[np.arange(len(places)) % 200],
        variance=1.0,
        quality={},
    )


def table(rows: dict[str, Row], cases: int) -> str:
    """Return the page: what was compared, growth, placing, and frames."""
    asked = list(trials(cases))
    known = [rows[trial.key] for trial in asked if trial.key in rows]
    maps = [row for row in known if row["kind"] != "page" and row["cases"] == cases]
    growth = sorted((row for row in known if row["kind"] == "ours"), key=lambda row: row["cases"])
    pages = [row for row in known if row["kind"] == "page"]
    own = next((row["seconds"] for row in maps if row["who"] == OURS), None)
    lines = [
        "# The atlas",
        "",
        "Written by `python benchmarks/atlas.py --measure`, which goes on where it stopped.",
        f"Invented features: {GROUPS} unequal groups in {HIDDEN} directions, heavy tails, spread over {FEATURES:,}.",
        f"{len(known)} of {len(asked)} rows are measured{_with(known)}.",
        "",
        f"## {cases:,} cases beside scikit-learn",
        "",
        "Trustworthiness and preservation are of 10 and 30 neighbours among all features, not among components.",
        "scikit-learn's are its own defaults, begun from two principal components, as ours.",
        "",
        "| | seconds | times ours | trustworthiness 10 · 30 | preservation 10 · 30 | peak memory, GB |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row['who']} | {row['seconds']:.0f} | {_ratio(row['seconds'], own)} "
            f"| {_pair(row, 'trustworthiness')} | {_pair(row, 'preservation')} | {row['peak_gb']:.1f} |"
            for row in maps
        ),
        "",
        "## Growth",
        "",
        "Seconds are those of the map; its quality is measured beside it. Placing: the slowest of twenty.",
        "",
        "| cases | seconds | quality, seconds | trustworthiness 10 · 30 | placing one, ms | peak memory, GB |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row['cases']:,} | {row['seconds']:.0f} | {row['seconds_of_quality']:.0f} | "
            f"{_pair(row, 'trustworthiness')} | {1000 * row['seconds_to_place']:.0f} | {row['peak_gb']:.1f} |"
            for row in growth
        ),
        "",
        "## The page",
        "",
        "Chromium without a graphics card, panning and then zooming, a step each frame; 60 is the most it shows.",
        "",
        "| cases | screen | frames a second | slowest of 20 frames, ms | opens in, s | page, MB | small pictures, MB |",
        "|---:|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row['cases']:,} | {row['who']} | {row['frames_per_second']:.0f} | {row['slowest_of_20']:.0f} | "
            f"{row['seconds']:.1f} | {row['megabytes']:.1f} | {row['megabytes_of_pictures']:.0f} |"
            for row in pages
        ),
    ]
    return "\n".join(lines) + "\n"


def _with(rows: list[Row]) -> str:
    machines = {json.dumps(row["made_with"], sort_keys=True) for row in rows}
    told = [json.loads(each) for each in sorted(machines)]
    return "".join(f", on {each['cores']} cores of {each['processor']}, cutis {each['cutis']}" for each in told)


def _ratio(seconds: float, own: float | None) -> str:
    return "–" if own is None else f"{seconds / own:.1f}"


def _pair(row: dict[str, Any], what: str) -> str:
    return f"{row[f'{what}/10']:.3f} · {row[f'{what}/30']:.3f}"


def main() -> None:
    """Measure what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure the rows that are missing")
    parser.add_argument("--cases", type=int, default=CASES, help="for a quick look, into elsewhere")
    parser.add_argument("--into", type=Path, default=BENCHMARKS, help="takes atlas.md and results/atlas.jsonl")
    said = parser.parse_args()
    if said.cases != CASES and said.into.resolve() == BENCHMARKS:
        parser.error("--cases is for a quick look: give --into another folder")
    results = said.into / "results" / "atlas.jsonl"
    for trial in trials(said.cases) if said.measure else ():
        if trial.key in read_rows(results):
            continue
        say(f"atlas: {trial.who}, {trial.cases:,} cases")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            row = process.submit(measured, trial).result()
        append_row(results, row)
        say(f"atlas: {spoken(row['seconds'])}")
    (said.into / "atlas.md").write_text(table(read_rows(results), said.cases), encoding="utf-8")
    print(f"wrote {said.into / 'atlas.md'}")


if __name__ == "__main__":
    main()
