"""HAM10000 from ImageNet weights, the best recipe two cores can train in two hours. Writes transfer.md beside itself.

    .venv/bin/python benchmarks/transfer.py --minutes 120     trains and evaluates, or goes on with it
    .venv/bin/python benchmarks/transfer.py                   says what is left, and writes the table of what there is

Needs `ham10000` in the data folder and the ImageNet weights of mobilenetv2_100. `--minutes` only says to go: the
recipe is trained to its end.
"""

from __future__ import annotations

import json
from typing import Any

from trials import (
    IMAGENET_FILE,
    Bench,
    Row,
    Trial,
    append_row,
    conclude,
    ham10000,
    key_of,
    open_bench,
    plain,
    read_rows,
    run_trials,
    write_page,
)

from cutis.progress import say
from cutis.train.config import TrainConfig, read_recipe
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
AIMS = {"macro AUC": 0.96, "balanced accuracy": 0.75}


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
    if found is None and folder.exists():
        said = read_json(folder / "estimates.json", "estimates")
        kept = {name: each for name, each in said["estimates"].items() if name in SHOWN.values() or _of_one(name)}
        found = {"key": key, "kind": "interval", "estimates": kept, "support": said["support"]}
        append_row(bench.results, found)
    return found


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
    said = json.dumps(settings, indent=2)
    lines += ["", "What the recipe says beyond the defaults:", "", "```json", said, "```"]
    write_page(bench, "HAM10000 from ImageNet weights", lines, rows=[row])


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
            for label, name in SHOWN.items()
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
    conclude(open_bench("transfer", {"ham10000": ham10000}, needs=("ham10000",)), body)
