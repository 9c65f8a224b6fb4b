"""Trainings as rows of a table: what the benchmarks that train share. It measures nothing by itself.

A bench is a list of trials; a finished trial is one line in `results/NAME.jsonl`, and is never done again. Datasets,
bundles and predictions lie in `work-bench`, outside of git: a training that was broken off goes on there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.curate.draw import FREE, deal
from cutis.curate.stage import curate
from cutis.evaluate.stage import evaluate
from cutis.progress import say, spoken
from cutis.runtime.bundle import HISTORY, Bundle, read_bundle
from cutis.stats.crossed import draw_seeds
from cutis.stats.intervals import LEVEL, ROUNDS, clusters_of, quantiles, resample
from cutis.stats.metrics import accuracy, auc_by_diagnosis, one_hot, rates
from cutis.train.config import TrainConfig, config_text
from cutis.train.stage import train
from cutis.vocabulary.case import Manifest, read_manifest, write_manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.errors import Stopped
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.predictions import Predictions, read_predictions
from cutis.workspace import Workspace

BENCHMARKS = Path(__file__).resolve().parent
SHARED = BENCHMARKS.parents[1] / "shared"
WORKSPACES = BENCHMARKS.parent / "work-bench"
IMAGENET_FILE = "mobilenetv2_100_imagenet.safetensors"
FIGURES = ("macro_auc", "balanced_accuracy", "accuracy")

Row = dict[str, Any]
Makers = Mapping[str, Callable[["Bench", Workspace], None]]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One benchmark: where its data lies, which datasets it makes of it, and until when it may begin a trial."""

    name: str
    makers: Makers  # dataset → what writes it into its workspace
    data: Path
    weights: Path
    work: Path = WORKSPACES
    into: Path = BENCHMARKS  # takes NAME.md and results/NAME.jsonl
    extra: Mapping[str, Any] = field(default_factory=dict)  # settings that override every trial's
    until: float | None = None  # on the monotonic clock; None: begin none
    share: tuple[int, int] = (1, 1)  # which part of the trials, of how many: for several processes side by side
    gpu: bool = False

    @property
    def results(self) -> Path:
        """The rows."""
        return self.into / "results" / f"{self.name}.jsonl"

    def workspace(self, dataset: str) -> Workspace:
        """Return the workspace of a dataset, which is made where it is not there yet."""
        workspace = Workspace(self.work / dataset)
        if not workspace.dataset.exists():
            say(f"making the dataset {dataset}")
            self.makers[dataset](self, workspace)
        return workspace


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training, and whether the test split is opened for it."""

    kind: str  # what it belongs to; trials of a kind take about as long
    dataset: str
    settings: Mapping[str, Any]  # of `TrainConfig`; `weights` by the file's name, so that no row knows a path
    opens_test: bool = False

    @property
    def bundle(self) -> str:
        """The name of what it leaves in its workspace: the same for the same training."""
        return f"t-{key_of(self.dataset, dict(self.settings))}"

    @property
    def key(self) -> str:
        """The name of its row."""
        return key_of(self.bundle, self.opens_test)


def key_of(*parts: Any) -> str:
    """Return a short name that depends on these plain values and on nothing else."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def open_bench(name: str, makers: Makers, *, needs: Sequence[str]) -> Bench | None:
    """Read the command line; None, with a line, where the data is absent.

    Args:
        name: of the benchmark.
        makers: dataset → what writes it.
        needs: the folders that must lie in the data folder.
    """
    parser = argparse.ArgumentParser(description=f"The benchmark {name}; without --minutes only its table is written.")
    parser.add_argument("--minutes", type=float, help="begin trials for so long")
    parser.add_argument("--data", type=Path, default=SHARED / "data", help="holds " + " and ".join(needs))
    parser.add_argument("--weights", type=Path, default=SHARED / "weights", help=f"holds {IMAGENET_FILE}")
    parser.add_argument("--work", type=Path, default=WORKSPACES, help="takes datasets, bundles and predictions")
    parser.add_argument("--into", type=Path, default=BENCHMARKS, help="takes the table and its rows")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=JSON", help="for a quick look, into elsewhere"
    )
    parser.add_argument("--share", default="1/1", metavar="K/N", help="only every Nth trial, from the Kth on")
    parser.add_argument("--gpu", action="store_true", help="the form for an accelerator, where there is one")
    said = parser.parse_args()
    extra = {key: json.loads(value) for key, _, value in (each.partition("=") for each in said.set)}
    if extra and said.into.resolve() == BENCHMARKS:
        parser.error("--set is for a quick look: give --into another folder")
    missing = [each for each in needs if not (said.data / each).exists()]
    if missing:
        print(f"{name}: not measured, {' and '.join(missing)} must lie in the data folder (--data)")
        return None
    until = None if said.minutes is None else time.monotonic() + 60 * said.minutes
    return Bench(
        name=name,
        makers=makers,
        data=said.data,
        weights=said.weights,
        work=said.work,
        into=said.into,
        extra=extra,
        until=until,
        gpu=said.gpu,
        share=_share(said.share),
    )


def _share(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise SystemExit(f"--share {text}: write K/N, such as 1/2 and 2/2 for two processes side by side")
    return int(part), int(parts)


def read_rows(path: Path) -> dict[str, Row]:
    """Return the rows by their key, the last of a key; a line that a kill has torn is none."""
    rows: dict[str, Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row["key"]] = row
    return rows


def append_row(path: Path, row: Row) -> None:
    """Add one row, and wait until the disk holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if file.tell() and not _ends_with_newline(path):
            file.write(b"\n")  # what a kill has torn stays a line of its own
        file.write(json.dumps(row, sort_keys=True, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def run_trials(bench: Bench, trials: Sequence[Trial]) -> list[Row | None]:
    """Run what is not done yet, in order, until the time is up; return the row of each trial, None where it lacks.

    Raises:
        Stopped: asked to; the same command goes on.
    """
    trials = [_overridden(bench, trial) for trial in trials]
    rows = read_rows(bench.results)
    left = [trial for trial in trials if not _is_done(bench, trial, rows.get(trial.key))]
    if left:
        say(f"{bench.name}: {len(left)} of {len(trials)} trials left, {expected(left, rows)}")
    part, parts = bench.share
    mine = {trial.key for trial in trials[part - 1 :: parts]}  # by its place among all, whoever has finished which
    for trial in left:
        if trial.key not in mine:
            continue
        if bench.until is None or time.monotonic() >= bench.until:
            break
        say(f"{bench.name}: {trial.kind}, {json.dumps(dict(trial.settings))}")
        append_row(bench.results, _run(bench, trial))
    rows = read_rows(bench.results)
    return [rows.get(trial.key) for trial in trials]


def expected(left: Sequence[Trial], rows: Mapping[str, Row]) -> str:
    """Say how long these trials will take, by the mean of the finished rows of their kinds."""
    taken: dict[str, list[float]] = {}
    for row in rows.values():
        taken.setdefault(row["kind"], []).append(row.get("seconds", 0.0))
    known = [float(np.mean(taken[trial.kind])) for trial in left if trial.kind in taken]
    unknown = len(left) - len(known)
    told = f"about {spoken(sum(known))}" if known else "time not known yet"
    return told + (f", and {unknown} of kinds that none was measured of" if known and unknown else "")


def _overridden(bench: Bench, trial: Trial) -> Trial:
    if not bench.extra:
        return trial
    settings = {**trial.settings, **bench.extra}
    return Trial(kind=trial.kind, dataset=trial.dataset, settings=settings, opens_test=trial.opens_test)


def _is_done(bench: Bench, trial: Trial, row: Row | None) -> bool:
    """Say whether this row holds; where trials may run, only one of the very same pictures does."""
    if row is None:
        return False
    return bench.until is None or row["learned_from"] == fingerprint(bench.workspace(trial.dataset).dataset.resolve())


@cache
def fingerprint(dataset: Path) -> str:
    """Return what a dataset is by pictures, diagnoses and splits: the same wherever the same archive was curated.

    The manifest's own sha256 is another in every workspace, since the pseudonyms are.
    """
    cases = read_manifest(dataset / "manifest.parquet").cases
    return key_of(sorted([case.sha256, case.diagnosis, case.split, case.indeterminate] for case in cases))


def _run(bench: Bench, trial: Trial) -> Row:
    workspace = bench.workspace(trial.dataset)
    if not workspace.bundle(trial.bundle).exists():
        train(workspace, recipe=str(_recipe(bench, trial)), name=trial.bundle, again=True)  # goes on, if it can
    bundle = read_bundle(workspace.bundle(trial.bundle).resolve())
    history = _history(bundle)
    best = next(record for record in history if record["epoch"] == bundle.best_epoch)
    row: Row = {
        "key": trial.key,
        "kind": trial.kind,
        "dataset": trial.dataset,
        "learned_from": fingerprint(workspace.dataset.resolve()),
        "settings": dict(trial.settings),
        "counts": bundle.dataset_counts,
        "bundle": bundle.name,
        "parameters": bundle.parameters,
        "best_epoch": bundle.best_epoch,
        "speaking": bundle.speaking,
        "seconds": round(bundle.members * sum(record["seconds"] for record in history), 1),
        "tune": {name.removeprefix("tune_"): value for name, value in best.items() if name.startswith("tune_")},
        "made_with": _made_with(),
    }
    if trial.opens_test:
        row["test"] = figures_of(tested(bench, trial))
    return row


def _recipe(bench: Bench, trial: Trial) -> Path:
    """Write a trial's settings as a recipe, and return where."""
    settings = dict(trial.settings)
    if settings.get("weights", "none") not in {"none", "imagenet"}:
        settings["weights"] = str(bench.weights / settings["weights"])
    path = bench.work / "recipes" / f"{trial.bundle}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config_text(TrainConfig(**settings)), encoding="utf-8")
    return path


def _history(bundle: Bundle) -> list[dict[str, Any]]:
    lines = (bundle.folder / HISTORY).read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if "epoch" in record]


def _made_with() -> dict[str, object]:
    about = circumstances()
    return {key: about[key] for key in ("cutis", "python", "processor", "threads")} | {"device": device_name()}


def device_name() -> str:
    """Name what is computed on."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def tested(bench: Bench, trial: Trial) -> Predictions:
    """Return what a trial's bundle says of the test split; it is opened where that was not done yet, and recorded."""
    trial = _overridden(bench, trial)
    workspace = bench.workspace(trial.dataset)
    if not workspace.evaluation(trial.bundle).exists():
        evaluate(workspace, trial.bundle)
    return answers(workspace.evaluation(trial.bundle))


def figures_of(predictions: Predictions) -> dict[str, float]:
    """Return the plain figures of one network."""
    weights = np.ones((1, len(predictions)))
    return {name: float(drawn[0]) for name, drawn in zip(FIGURES, _figures(predictions, weights), strict=True)}


def _figures(predictions: Predictions, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each of `FIGURES` for each row of weights (3, R)."""
    truth, chances = predictions.truth, predictions.probabilities
    assert truth is not None
    present = np.unique(truth)
    said = chances.argmax(axis=1)
    areas = auc_by_diagnosis(chances, truth, weights)[:, present].mean(axis=1)
    sensitivity = rates(one_hot(said, chances.shape[1]) > 0, truth, weights).sensitivity
    return np.stack([areas, sensitivity[:, present].mean(axis=1), accuracy(said == truth, weights)])


def over_seeds(
    first: Sequence[Predictions], second: Sequence[Predictions] = (), *, rounds: int = ROUNDS
) -> dict[str, Estimate]:
    """Return the mean figures of one network over its seeds, less those of a second one where it is given.

    Each round draws lesions, the same for all networks (`cutis.stats.intervals.resample`), and seeds, in pairs where
    there are two networks. One seed cannot be drawn: the interval is then over lesions alone, and says so.

    Args:
        first: one for each seed; all of the same cases.
        second: as many, of the same seeds.
        rounds: of the bootstrap.
    """
    cases = first[0]
    if any(each.case_ids != cases.case_ids for each in (*first, *second)) or (second and len(second) != len(first)):
        raise ValueError("these predictions are not of the same cases, or not of the same seeds")
    clusters = clusters_of(cases.cluster_ids, cases.truth, kind=cases.cluster_kind, diagnoses=len(cases.codes))
    generator = chance("benchmark", "over seeds", len(cases))
    drawn = np.concatenate(list(resample(clusters, rounds=rounds, generator=generator)))
    plain = np.ones((1, len(cases)))
    seeds = len(first)
    picked = draw_seeds(seeds, rounds=rounds, generator=generator).T
    value, spread = _means(first, plain, picked[:, :1] * 0, every=True), _means(first, drawn, picked)
    if second:
        value = value - _means(second, plain, picked[:, :1] * 0, every=True)
        spread = spread - _means(second, drawn, picked)
    low, high = quantiles(spread.T, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    method = f"bootstrap over {cases.cluster_kind}s{f' and {seeds} seeds' * (seeds > 1)}, percentile, {rounds} rounds"
    return {
        name: Estimate(
            value=float(value[at, 0]),
            low=float(low[at]),
            high=float(high[at]),
            method=method,
            clusters=len(clusters),
            cluster_kind=cases.cluster_kind,
            note="" if seeds > 1 else "one seed: the interval is over lesions alone",
        )
        for at, name in enumerate(FIGURES)
    }


def _means(
    networks: Sequence[Predictions], weights: NDArray[np.float64], picked: NDArray[np.int64], *, every: bool = False
) -> NDArray[np.float64]:
    """Return each figure's mean over the picked seeds (P, R), or over every seed, for each row of weights (3, R)."""
    figures = np.stack([_figures(each, weights) for each in networks])  # (S, 3, R)
    if every:
        return figures.mean(axis=0)
    rounds = np.arange(len(weights))
    chosen: NDArray[np.float64] = figures[picked[:, None, :], np.arange(len(FIGURES))[None, :, None], rounds]
    return chosen.mean(axis=0)


def answers(evaluation: Path) -> Predictions:
    """Return what a bundle answered."""
    return read_predictions(evaluation / "predictions.parquet")


def compare(
    bench: Bench,
    name: str,
    first: Sequence[Trial],
    second: Sequence[Trial] = (),
    *,
    read: Callable[[Path], Predictions] = answers,
) -> dict[str, Estimate] | None:
    """Return `over_seeds` of trials whose rows are there; from its own row, or computed and kept as one.

    None where neither that row nor every evaluation is on this machine. `read` says what is compared of them.
    """
    first, second = ([_overridden(bench, trial) for trial in trials] for trials in (first, second))
    key = key_of(name, [trial.key for trial in first], [trial.key for trial in second])
    rows = read_rows(bench.results)
    made_from = [rows[trial.key]["learned_from"] for trial in (*first, *second)]
    found = rows.get(key)
    if found is None or found["made_from"] != made_from:
        folders = [Workspace(bench.work / each.dataset).evaluation(each.bundle) for each in (*first, *second)]
        if not first or not all(folder.exists() for folder in folders):
            return None
        said = [read(folder) for folder in folders]
        found_now = over_seeds(said[: len(first)], said[len(first) :])
        estimates = {figure: estimate.to_dict() for figure, estimate in found_now.items()}
        found = {"key": key, "kind": "interval", "name": name, "made_from": made_from, "estimates": estimates}
        append_row(bench.results, found)
    return {figure: Estimate(**estimate) for figure, estimate in found["estimates"].items()}


def _ham10000(bench: Bench, workspace: Workspace) -> None:
    """Curate HAM10000, split by lesion."""
    curate(bench.data / "ham10000", workspace, taxonomy="ham7")


def _smaller_ham10000(pictures: int) -> Callable[[Bench, Workspace], None]:
    """Return what writes HAM10000 with about so many pictures to learn from, the other splits whole."""
    return lambda bench, workspace: smaller_train(bench.workspace("ham10000"), workspace, pictures=pictures)


HAM10000: Makers = {
    "ham10000": _ham10000,
    "ham10000-1000": _smaller_ham10000(1000),
    "ham10000-3000": _smaller_ham10000(3000),
}


def smaller_train(source: Workspace, target: Workspace, *, pictures: int, seed: int = 0) -> None:
    """Write the same dataset with about so many pictures in its train split: whole lesions, in the archive's mix."""
    dataset = source.dataset.resolve()
    manifest = read_manifest(dataset / "manifest.parquet")
    kept = drawn_clusters(manifest.of_split("train"), pictures=pictures, seed=seed)
    smaller = manifest.where(lambda case: case.split != "train" or case.cluster_id in kept)
    write_dataset(
        target, smaller, images=dataset / "images", made_from={"manifest": sha256_of(dataset / "manifest.parquet")}
    )


def drawn_clusters(cases: Manifest, *, pictures: int, seed: int) -> frozenset[str]:
    """Draw whole clusters with about so many pictures together, each diagnosis by its share.

    The lot of a cluster is keyed by its pictures and not by its pseudonym, which is another in every workspace.
    """
    names = sorted(set(cases.column("cluster_id")))
    row, codes = {name: at for at, name in enumerate(names)}, cases.taxonomy.codes
    images = np.zeros((len(names), len(codes)), np.int64)
    lots = [""] * len(names)
    for case in cases.cases:
        at = row[case.cluster_id]
        images[at, codes.index(str(case.diagnosis))] += 1
        lots[at] = min(filter(None, (lots[at], case.sha256)))
    share = min(1.0, pictures / len(cases))
    turns = np.argsort([key_of(seed, lot) for lot in lots])
    order = np.empty(len(names), np.int64)
    order[turns] = np.arange(len(names))
    dealt = deal(
        images,
        shares=np.array([share, 1 - share]),
        placed=np.full(len(names), FREE),
        order=order,
        strata=len(codes),
    )
    return frozenset(name for name, at in zip(names, dealt, strict=True) if at == 0)


def write_dataset(target: Workspace, manifest: Manifest, *, images: Path, made_from: dict[str, str]) -> None:
    """Make a manifest the dataset of a workspace; its pictures stay where they are, and a link leads there."""
    with target.new_version(target.dataset, again=True) as folder:
        (folder / "images").symlink_to(images.resolve())
        write_manifest(folder / "manifest.parquet", manifest, made_from=made_from)


def write_page(bench: Bench, title: str, lines: Sequence[str], *, rows: Sequence[Row | None]) -> None:
    """Write a bench's Markdown: title, how and where it was made, and its lines."""
    done = [row for row in rows if row]
    machines = sorted({f"{row['made_with']['processor']}, {row['made_with']['device']}" for row in done})
    versions = sorted({str(row["made_with"]["cutis"]) for row in done})
    hours = sum({row["key"]: row["seconds"] for row in done}.values()) / 3600
    page = [
        f"# {title}",
        "",
        f"Written by `benchmarks/{bench.name}.py`; the rows lie in `benchmarks/results/{bench.name}.jsonl`.",
        f"`.venv/bin/python benchmarks/{bench.name}.py --minutes 60` goes on where it was left.",
        (
            f"{len(done)} of {len(rows)} trainings so far, {hours:.1f} hours of training together"
            + (f"; {'; '.join(machines)}, cutis {', '.join(versions)}." if done else ".")
        ),
        "",
        *lines,
    ]
    bench.into.mkdir(parents=True, exist_ok=True)
    (bench.into / f"{bench.name}.md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


def conclude(bench: Bench | None, body: Callable[[Bench], None]) -> None:
    """Run a bench; asked to stop it says so and leaves, with everything saved."""
    if bench is None:
        return
    try:
        body(bench)
    except Stopped as stop:
        say(str(stop))
        sys.exit(stop.exit_code)


def signed(estimate: Estimate) -> str:
    """Say a difference with its sign and interval."""
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"


def plain(estimate: Estimate) -> str:
    """Say a figure with its interval."""
    if estimate.low is None:
        return "not available" if estimate.value is None else f"{estimate.value:.3f} (no interval)"
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"
