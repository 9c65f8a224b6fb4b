"""HAM10000 from ImageNet weights, as well as two cores can in half an hour. Writes transfer.md beside itself.

    .venv/bin/python benchmarks/transfer.py --minutes 120     trains and evaluates, or goes on with it
    .venv/bin/python benchmarks/transfer.py                   says what is left, and writes the table of what there is

Needs `ham10000` in the data folder and the ImageNet weights of mobilenetv2_100. `--minutes` only says to go: the
recipe is trained to its end.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trials import (
    HAM10000,
    IMAGENET_FILE,
    Bench,
    Row,
    Trial,
    append_row,
    conclude,
    key_of,
    open_bench,
    plain,
    read_rows,
    run_trials,
    tested,
    write_page,
)

from cutis.progress import say
from cutis.stats.intervals import ROUNDS, bootstrap, clusters_in
from cutis.stats.metrics import Measure, Weights, one_hot, rates
from cutis.train.config import TrainConfig, read_recipe
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_json
from cutis.workspace import Workspace

RECIPE = "ham10000_transfer"
SHOWN = {
    "macro AUC": "macro_auc",
    "balanced accuracy": "argmax/balanced_accuracy",
    "accuracy": "argmax/accuracy",
    "macro specificity": "argmax/macro_specificity",
}
BY_RARITY = "by rarity/balanced_accuracy"
AIMS = {"macro AUC": 0.96, "balanced accuracy, by rarity": 0.75}


def settings_of(recipe: str) -> dict[str, Any]:
    """Return what a recipe says beyond the defaults, with the weights by their file's name."""
    said = read_recipe(recipe).model_dump(mode="json")
    usual = TrainConfig().model_dump(mode="json")
    return {key: value for key, value in said.items() if value != usual[key]} | {"weights": IMAGENET_FILE}


def evidence(bench: Bench, trial: Trial) -> Row | None:
    """Return the figures of the evaluation with their intervals: from their row, or read and kept as one."""
    key = key_of("estimates", trial.key)
    found = read_rows(bench.results).get(key)
    folder = Workspace(bench.work / trial.dataset).evaluation(trial.bundle)
    if folder.exists() and (found is None or BY_RARITY not in found["estimates"]):
        said = read_json(folder / "estimates.json", "estimates")
        kept = {name: each for name, each in said["estimates"].items() if name in SHOWN.values() or _of_one(name)}
        kept[BY_RARITY] = weighed_by_rarity(bench, trial).to_dict()
        found = {"key": key, "kind": "interval", "estimates": kept, "support": said["support"]}
        append_row(bench.results, found)
    return found


def weighed_by_rarity(bench: Bench, trial: Trial) -> Estimate:
    """Return the balanced accuracy where each diagnosis is weighed by its rarity.

    The answer is then not the most probable diagnosis, but the one whose probability is the greatest multiple of its
    share in train: what would be most probable were all equally frequent. The rule has nothing to choose (Menon et
    al., ICLR 2021, section 4.1, with a strength of 1).
    """
    predictions = tested(bench, trial)
    learned = read_manifest(bench.workspace(trial.dataset).dataset.resolve() / "manifest.parquet").of_split("train")
    share = np.array([learned.column("diagnosis").count(code) for code in predictions.codes]) / len(learned)
    said = (predictions.probabilities / share).argmax(axis=1)
    truth = predictions.truth
    assert truth is not None
    flagged = one_hot(said, len(share)) > 0

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        by_diagnosis = rates(flagged, truth, weights).sensitivity[:, np.unique(truth)]
        return {Measure("by rarity", "balanced_accuracy"): by_diagnosis.mean(axis=1)}

    rounds = chance("benchmark", "by rarity", len(predictions))
    (estimate,) = bootstrap(figures, clusters_in(predictions), rounds=ROUNDS, generator=rounds).values()
    return estimate


def _of_one(name: str) -> bool:
    return name.startswith(("auc/", "argmax/sensitivity/"))


def body(bench: Bench) -> None:
    """Train, evaluate, write."""
    try:
        settings = settings_of(RECIPE)
    except UserError as error:
        say(f"transfer: not measured ({error.what})")
        return
    trial = Trial(kind="transfer", dataset="ham10000", settings={**settings, **bench.extra}, opens_test=True)
    (row,) = run_trials(bench, [trial])
    lines = [
        f"`recipes/{RECIPE}.toml` on HAM10000, split by lesion, from `{IMAGENET_FILE}`.",
        "What was chosen was chosen on tune; the test split is opened for the finished bundle alone.",
        "",
    ]
    found = evidence(bench, trial) if row else None
    lines += _table(row, found) if row and found else ["Not trained yet."]
    lines += _earlier(bench, trial)
    said = json.dumps(settings, indent=2)
    lines += ["", "What the recipe says beyond the defaults:", "", "```json", said, "```"]
    write_page(bench, "HAM10000 from ImageNet weights", lines, rows=[row])


def _earlier(bench: Bench, trial: Trial) -> list[str]:
    """Tell of the recipes that were tested before this one: each look at the test invites a choice by it."""
    rows = [row for row in read_rows(bench.results).values() if row["kind"] == "transfer" and row["key"] != trial.key]
    if not rows:
        return []
    return [
        "",
        f"The test split had been opened for {len(rows)} earlier recipe{'s' * (len(rows) > 1)}:",
        "",
        "| macro AUC on tune | test: macro AUC | balanced accuracy | minutes | recipe |",
        "|---|---|---|---|---|",
        *(
            f"| {row['tune']['macro_auc']:.3f} | {row['test']['macro_auc']:.3f} | "
            f"{row['test']['balanced_accuracy']:.3f} | {row['seconds'] / 60:.0f} "
            f"| `{json.dumps(row['settings'], sort_keys=True)}` |"
            for row in rows
        ),
    ]


def _table(row: Row, found: Row) -> list[str]:
    estimates = {name: Estimate(**said) for name, said in found["estimates"].items()}
    counts, support = row["counts"], found["support"]
    return [
        (
            f"Trained for {row['seconds'] / 60:.0f} minutes on {counts['train']:,} pictures; epoch "
            f"{row['best_epoch']} was the best on tune."
        ),
        f"Test: {counts['test']:,} pictures of {estimates['macro_auc'].clusters:,} lesions, drawn for 95 % intervals.",
        "",
        "| figure | test | aim |",
        "|---|---|---|",
        *(
            f"| {label} | {plain(estimates[name])} | {f'≥ {AIMS[label]:.2f}' if label in AIMS else ''} |"
            for label, name in (*SHOWN.items(), ("balanced accuracy, by rarity", BY_RARITY))
        ),
        "",
        (
            "By rarity: the answer is the diagnosis whose probability is the greatest multiple of its share in train, "
            "a rule with nothing to choose; elsewhere it is the most probable one."
        ),
        "",
        "| diagnosis | pictures | AUC | sensitivity by arg-max |",
        "|---|---|---|---|",
        *(
            f"| {code} | {count['cases']} | {plain(estimates[f'auc/{code}'])} "
            f"| {plain(estimates[f'argmax/sensitivity/{code}'])} |"
            for code, count in support.items()
        ),
    ]


if __name__ == "__main__":
    conclude(open_bench("transfer", HAM10000, needs=("ham10000",)), body)
