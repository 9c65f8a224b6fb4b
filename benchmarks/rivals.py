"""The paper's network beside its rivals: same recipe, data, split and pictures seen. Writes rivals.md beside itself.

    .venv/bin/python benchmarks/rivals.py --minutes 60          at 64 pixels, for two cores; the same line goes on
    .venv/bin/python benchmarks/rivals.py --minutes 30 --gpu    EfficientNet-b4 and 380 pixels, for an accelerator
    .venv/bin/python benchmarks/rivals.py                       says what is left, and writes the table of what there is

Needs `ham10000` in the data folder.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from trials import (
    HAM10000,
    Bench,
    Row,
    Trial,
    compare,
    conclude,
    open_bench,
    plain,
    run_trials,
    signed,
    write_page,
)

HEADS: dict[str, Any] = {"auxiliary_weight": 0.3, "auxiliary_profile": "uniform", "answer": "tune"}
PLAIN: dict[str, Any] = {"auxiliary_weight": 0.0, "answer": "final"}
TUNING_SEED = 0


class Form(NamedTuple):
    """One size of the comparison."""

    title: str
    networks: dict[str, dict[str, Any]]  # name in the table → settings; the first is the one that all are held against
    recipe: dict[str, Any]
    rates: tuple[float, ...]  # each network chooses one of these on tune
    tuned_on: str  # the dataset on which they choose
    tuning_epochs: int
    epochs: int
    seeds: tuple[int, ...]
    tag: str  # of its trials' kinds, since an accelerator's minutes say nothing of two cores


def networks_of(efficientnet: str) -> dict[str, dict[str, Any]]:
    """The paper's network with one of the EfficientNets, the same without classifiers, and three widely used ones."""
    return {
        f"{efficientnet} with auxiliary classifiers": HEADS | {"network": efficientnet},
        f"{efficientnet}, plain": PLAIN | {"network": efficientnet},
        "resnet50": PLAIN | {"network": "resnet50"},
        "densenet121": PLAIN | {"network": "densenet121"},
        "vgg16_bn": PLAIN | {"network": "vgg16_bn"},
    }


POCKET = Form(
    title="At 64 pixels, on two cores",
    networks=networks_of("efficientnet_b0"),
    recipe={"weights": "none", "size": 64, "batch_size": 64, "warmup_epochs": 1.0, "precision": "auto"},
    rates=(3e-4, 1e-3),
    tuned_on="ham10000-3000",
    tuning_epochs=3,
    epochs=10,
    seeds=(1,),
    tag="",
)
ACCELERATED = Form(
    title="At 380 pixels, on an accelerator",
    networks=networks_of("efficientnet_b4"),
    recipe={"weights": "none", "size": 380, "batch_size": 64, "warmup_epochs": 1.0, "precision": "bf16"},
    rates=(3e-4, 1e-3),
    tuned_on="ham10000",
    tuning_epochs=2,
    epochs=12,
    seeds=(1,),
    tag="gpu, ",
)


class Outcome(NamedTuple):
    """What came out for one network."""

    tried: list[tuple[Trial, Row | None]]
    finals: list[tuple[Trial, Row | None]]

    @property
    def trials(self) -> list[Trial]:
        """The final trainings that are done."""
        return [trial for trial, row in self.finals if row]

    @property
    def rows(self) -> list[Row]:
        """Their rows."""
        return [row for _, row in self.finals if row]


def outcomes(bench: Bench, form: Form) -> dict[str, Outcome]:
    """Choose each network's learning rate on tune, then train its seeds."""
    tuning = {
        name: [
            _trial(form, network, {"learning_rate": rate, "epochs": form.tuning_epochs, "seed": TUNING_SEED})
            for rate in form.rates
        ]
        for name, network in form.networks.items()
    }
    tried = iter(run_trials(bench, [trial for trials in tuning.values() for trial in trials]))
    of_network = {name: [(trial, next(tried)) for trial in trials] for name, trials in tuning.items()}
    finals: dict[str, list[Trial]] = {name: [] for name in form.networks}
    for seed in form.seeds:
        for name, pairs in of_network.items():
            if all(row for _, row in pairs):
                best = max(pairs, key=lambda pair: pair[1]["tune"]["macro_auc"] if pair[1] else -1.0)[0]
                settings = {"learning_rate": best.settings["learning_rate"], "epochs": form.epochs, "seed": seed}
                finals[name].append(_trial(form, form.networks[name], settings, final=True))
    in_turn = [trials[at] for at in range(len(form.seeds)) for trials in finals.values() if trials]
    done = dict(zip([trial.key for trial in in_turn], run_trials(bench, in_turn), strict=True))
    return {
        name: Outcome(tried=pairs, finals=[(trial, done[trial.key]) for trial in finals[name]])
        for name, pairs in of_network.items()
    }


def _trial(form: Form, network: dict[str, Any], settings: dict[str, Any], *, final: bool = False) -> Trial:
    kind = f"{form.tag}{'final' if final else 'tuning'}, {network['network']}"
    dataset = "ham10000" if final else form.tuned_on
    return Trial(kind=kind, dataset=dataset, settings=form.recipe | network | settings, opens_test=final)


def section(bench: Bench, form: Form, found: dict[str, Outcome]) -> list[str]:
    """Return one form's table."""
    first, *_ = found.values()
    lines = [
        f"## {form.title}",
        "",
        (
            f"HAM10000, split by lesion, no pretrained weights, {form.epochs} epochs, batches of "
            f"{form.recipe['batch_size']}: every network sees the same pictures, changed alike, in the same order."
        ),
        (
            f"Each chose its learning rate of {' and '.join(f'{rate:g}' for rate in form.rates)} on tune, "
            f"by {_how_long(form)}. Seconds are those of one training, validation included."
        ),
        "",
        "| network | parameters | rate | seeds | macro AUC | less first | balanced accuracy | less first | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(bench, form, name, outcome, first) for name, outcome in found.items()),
        "",
    ]
    if not first.rows:
        lines.append("The differences need the first network's training.")
    return lines


def _how_long(form: Form) -> str:
    epochs = f"{form.tuning_epochs} epoch{'s' * (form.tuning_epochs > 1)}"
    _, _, pictures = form.tuned_on.partition("-")
    return f"{epochs} on about {int(pictures):,} of the pictures" if pictures else epochs


def _line(bench: Bench, form: Form, name: str, outcome: Outcome, first: Outcome) -> str:
    if not outcome.rows:
        done = sum(row is not None for _, row in outcome.tried)
        return f"| {name} | | {done} of {len(form.rates)} tried | 0 of {len(form.seeds)} | | | | | |"
    figures = compare(bench, name, outcome.trials)
    pairs = list(zip(outcome.trials, first.trials, strict=False))
    less = compare(bench, f"{name} less the first", *map(list, zip(*pairs, strict=True))) if pairs else None
    same = outcome is first
    told = [
        text
        for figure in ("macro_auc", "balanced_accuracy")
        for text in (
            plain(figures[figure]) if figures else f"{outcome.rows[0]['test'][figure]:.3f}",
            "" if same or less is None else signed(less[figure]),
        )
    ]
    row = outcome.rows[0]
    seconds = sum(each["seconds"] for each in outcome.rows) / len(outcome.rows)
    counts = f"{row['parameters'] / 1e6:.1f} M | {row['settings']['learning_rate']:g} "
    return f"| {name} | {counts}| {len(outcome.rows)} of {len(form.seeds)} | {' | '.join(told)} | {seconds:,.0f} |"


def body(bench: Bench) -> None:
    """Run the form that was asked for, and write the tables of both."""
    resting = replace(bench, until=None)
    forms = (POCKET, ACCELERATED)
    found = {form.title: outcomes(bench if bench.gpu == bool(form.tag) else resting, form) for form in forms}
    lines = [
        "The paper's network is held against three widely used ones, and against itself without its classifiers.",
        "Which three the paper took, its abstract does not say.",
        (
            "A figure's 95 % interval is over test lesions, and over seeds where there are several; a difference is "
            "paired: the same lesions are drawn for both networks. *Less first* is less the first line."
        ),
        "",
    ]
    shown: list[Row | None] = []
    for form in forms:
        outcome = found[form.title]
        rows = [row for each in outcome.values() for _, row in (*each.tried, *each.finals)]
        if form is POCKET or any(rows):
            lines += section(bench, form, outcome)
            shown += rows + [None] * (len(form.networks) * (len(form.rates) + len(form.seeds)) - len(rows))
        else:
            lines += [f"## {form.title}", "", "Not measured yet: `--gpu --minutes 30` where there is an accelerator."]
    write_page(bench, "The paper's network and its rivals", lines, rows=shown)


if __name__ == "__main__":
    conclude(open_bench("rivals", HAM10000, needs=("ham10000",)), body)
