"""Whether the auxiliary classifiers earn their place: with them against without, both tuned alike. Writes heads.md.

    .venv/bin/python benchmarks/heads.py --minutes 60     begins trainings for an hour; the same line goes on
    .venv/bin/python benchmarks/heads.py                  says what is left, and writes the table of what there is

Needs `ham10000` and `dermamnist-28` in the data folder, and the ImageNet weights of mobilenetv2_100.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dermamnist import official_split
from safetensors.numpy import load_file
from trials import (
    HAM10000,
    IMAGENET_FILE,
    Bench,
    Row,
    Trial,
    answers,
    compare,
    conclude,
    open_bench,
    run_trials,
    signed,
    write_page,
)

from cutis.stats.calibration import softmax
from cutis.vocabulary.predictions import Predictions

ARMS = ("on", "off")
STARTS = {"from nothing": "none", "from ImageNet": IMAGENET_FILE}
# Dataset → its name in the table, and the epochs from nothing; pretrained weights get half of them.
CELLS = {
    "ham10000-1000": ("1,000", 12),
    "ham10000-3000": ("3,000", 8),
    "ham10000": ("all", 4),
}
TUNED_ON = "ham10000-3000"
TUNING_SEED = 0
SEEDS = (1, 2, 3, 4, 5)
BASE: dict[str, Any] = {
    "network": "mobilenetv2_100",
    "size": 64,
    "batch_size": 64,
    "dropout": 0.2,
    "weight_decay": 0.05,
    "warmup_epochs": 1.0,
    "precision": "fp32",
}
DERMAMNIST: dict[str, Any] = {"size": 56, "epochs": 3}
RATES = {"from nothing": (1e-3, 3e-3), "from ImageNet": (3e-4, 1e-3)}
# What each arm may choose besides the learning rate: two values each, so that both have four configurations a start.
CHOICES: dict[str, tuple[dict[str, Any], ...]] = {
    "on": (
        {"auxiliary_weight": 0.3, "auxiliary_profile": "uniform", "answer": "tune"},
        {"auxiliary_weight": 0.6, "auxiliary_profile": "rising", "answer": "tune"},
    ),
    "off": tuple({"auxiliary_weight": 0.0, "answer": "final", "dropout": dropout} for dropout in (0.2, 0.4)),
}


def epochs_of(dataset: str, start: str) -> int:
    """How long is trained."""
    return CELLS[dataset][1] // (1 if start == "from nothing" else 2)


def candidates(arm: str, start: str) -> list[Trial]:
    """What an arm may choose from."""
    settings = BASE | {"weights": STARTS[start], "epochs": epochs_of(TUNED_ON, start), "seed": TUNING_SEED}
    return [
        Trial(kind=f"tuning {start}", dataset=TUNED_ON, settings=settings | choice | {"learning_rate": rate})
        for rate in RATES[start]
        for choice in CHOICES[arm]
    ]


def chosen(trials: Sequence[Trial], rows: Sequence[Row | None]) -> Trial | None:
    """Return the candidate of the highest macro AUC on tune; None before all have been tried."""
    if not all(rows):
        return None
    return max(zip(trials, rows, strict=True), key=lambda tried: tried[1]["tune"]["macro_auc"])[0]


def finals(choice: Trial, dataset: str, start: str) -> list[Trial]:
    """The frozen configuration on one training set, a trial per seed."""
    epochs = {} if dataset == "dermamnist" else {"epochs": epochs_of(dataset, start)}
    settings = dict(choice.settings) | epochs | (DERMAMNIST if dataset == "dermamnist" else {})
    return [
        Trial(kind=f"final, {dataset} {start}", dataset=dataset, settings=settings | {"seed": seed}, opens_test=True)
        for seed in SEEDS
    ]


def cells() -> Iterator[tuple[str, str]]:
    """Every training set with every start that is compared on it."""
    yield from ((dataset, start) for start in STARTS for dataset in CELLS)
    yield "dermamnist", "from nothing"


def final_alone(evaluation: Path) -> Predictions:
    """Return what the final classifier says alone, whichever classifiers answer for the bundle."""
    said = answers(evaluation)
    logits = load_file(evaluation / "outputs.safetensors")["logits"]
    return Predictions(**vars(said) | {"probabilities": softmax(logits, 1.0)})


def compared(bench: Bench, found: dict[tuple[str, str, str], list[tuple[Trial, Row | None]]]) -> Iterator[str]:
    """Yield a line of the table for each cell, over the seeds that both arms have."""
    for dataset, start in cells():
        on, off = (found.get((dataset, start, arm), []) for arm in ARMS)
        pairs = [(a, b) for a, b in zip(on, off, strict=True) if a[1] and b[1]]
        pictures = f"{pairs[0][0][1]['counts']['train']:,}" if pairs else CELLS.get(dataset, ("all",))[0]
        name = f"| {'DermaMNIST' if dataset == 'dermamnist' else 'HAM10000'} | {pictures} | {start} "
        if not pairs:
            yield f"{name}| 0 of {len(SEEDS)} | | | | |"
            continue
        trials = [[side[0] for side in part] for part in zip(*pairs, strict=True)]
        whole = compare(bench, "as it answers", *trials)
        alone = compare(bench, "final classifier alone", *trials, read=final_alone)
        means = {
            figure: " / ".join(
                f"{sum(side[1]['test'][figure] for side in part) / len(pairs):.3f}" for part in zip(*pairs, strict=True)
            )
            for figure in ("macro_auc", "balanced_accuracy")
        }
        for figure, label in (("macro_auc", "macro AUC"), ("balanced_accuracy", "balanced accuracy")):
            less = " | ".join(signed(each[figure]) if each else "predictions elsewhere" for each in (whole, alone))
            yield f"{name}| {len(pairs)} of {len(SEEDS)} | {label} | {means[figure]} | {less} |"


def body(bench: Bench) -> None:
    """Tune both arms, train the frozen seeds, compare."""
    tuning = {(start, arm): candidates(arm, start) for start in STARTS for arm in ARMS}
    tried = run_trials(bench, [trial for trials in tuning.values() for trial in trials])
    rows_of = dict(zip([trial.key for trials in tuning.values() for trial in trials], tried, strict=True))
    choices = {key: chosen(trials, [rows_of[each.key] for each in trials]) for key, trials in tuning.items()}
    series = {
        (dataset, start, arm): finals(choice, dataset, start)
        for dataset, start in cells()
        for arm in ARMS
        if all(choices[start, each] for each in ARMS) and (choice := choices[start, arm])
    }
    in_turn = [  # cell after cell, so that the predictions of one are together when it is compared
        series[dataset, start, arm][at]
        for dataset, start in cells()
        for at in range(len(SEEDS))
        for arm in ARMS
        if (dataset, start, arm) in series
    ]
    done = dict(zip([trial.key for trial in in_turn], run_trials(bench, in_turn), strict=True))
    found = {key: [(trial, done[trial.key]) for trial in trials] for key, trials in series.items()}
    missing = 2 * len(list(cells())) * len(SEEDS) - len(in_turn)
    lines = [
        "MobileNetV2 at 64 pixels on HAM10000, split by lesion, and at 56 on DermaMNIST's official split.",
        "*On*: seven auxiliary classifiers; *off*: none is built, the rest is the same code.",
        (
            "The answer of *on* is the final classifier's or the mean of the last ones, as chosen on tune; "
            "beside it the final classifier alone."
        ),
        (
            f"Each arm tried four configurations a start, eight in all, once on about 3,000 pictures with seed "
            f"{TUNING_SEED}; the highest macro AUC on tune was frozen and used for every training set, DermaMNIST too."
        ),
        f"Then {len(SEEDS)} other seeds each; the test split was opened once for each. Epochs: {_epochs()}.",
        (
            "Differences are on less off, with a 95 % interval over test lesions and seeds: a bootstrap that draws "
            "the same lesions and seeds for both arms."
        ),
        "",
        "| pictures of | in train | start | seeds | figure | on / off | on − off | final classifier alone, on − off |",
        "|---|---|---|---|---|---|---|---|",
        *compared(bench, found),
        "",
        "## What was tried on tune",
        "",
        "| start | arm | learning rate | choice | macro AUC on tune | |",
        "|---|---|---|---|---|---|",
        *(
            f"| {start} | {arm} | {trial.settings['learning_rate']:g} | {_choice(trial)} "
            f"| {_auc(rows_of[trial.key])} | {'frozen' * (trial == choices[start, arm])} |"
            for (start, arm), trials in tuning.items()
            for trial in trials
        ),
    ]
    write_page(bench, "Auxiliary classifiers on against off", lines, rows=[*tried, *done.values(), *[None] * missing])


def _epochs() -> str:
    """Say how long is trained on what; so few that all of it fits into hours of two cores."""
    from_nothing = ", ".join(f"{epochs} on {pictures}" for pictures, epochs in CELLS.values())
    return f"{from_nothing} from nothing, half of it from ImageNet, and {DERMAMNIST['epochs']} on DermaMNIST"


def _choice(trial: Trial) -> str:
    said = trial.settings
    if not said["auxiliary_weight"]:
        return f"dropout {said['dropout']:g}"
    return f"weight {said['auxiliary_weight']:g}, {said['auxiliary_profile']}"


def _auc(row: Row | None) -> str:
    return f"{row['tune']['macro_auc']:.3f}" if row else "not yet"


if __name__ == "__main__":
    makers = {**HAM10000, "dermamnist": official_split}
    conclude(open_bench("heads", makers, needs=("ham10000", "dermamnist-28")), body)
