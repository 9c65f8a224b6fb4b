"""Similar cases: how often they share the diagnosis, what it means to be near, and what their agreement tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cutis.report.tables import Cell, Row, Shown, Table, cells_of, estimates_of, joined, methods_of
from cutis.report.words import number
from cutis.vocabulary.estimate import Estimate

AT = (1, 5, 10)
SPACES = {
    "raw": "the network’s features as they are",
    "centred": "its features less their mean",
    "standardised": "its features less their mean, each by its spread",
    "whitened": "its features in their widest directions, each by its spread",
    "within": "its features in the directions in which cases of one diagnosis differ, each by its spread",
}
RANKINGS = {"similar": "most similar", "raw": "by raw cosine", "gain": "gain over raw cosine"}
OVER = {"": "mean over pictures", "macro_": "mean over diagnoses"}
AREAS = {
    "agreement/auroc": "agreement of the ten most similar with the answer",
    "confidence/auroc": "probability of the answer",
    "agreement_gain/auroc": "the first less the second",
}


def similar_section(said: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what similar.json says.

    Args:
        said: it.
        names: of the diagnoses, by code.
    """
    estimates = estimates_of(said["estimates"])
    steps = list(_steps(said["nearness"], names))
    return {
        "said": said,
        "space": SPACES.get(said["space"], said["space"]),
        "precision": _precision(estimates),
        "by_diagnosis": _by_diagnosis(estimates, names),
        "nearness": joined(
            steps,
            caption="What a similarity means: how often a neighbour so near has the picture’s diagnosis",
            columns=("similarity from", "on calibrate", "on the test", "neighbours on the test"),
        )
        if steps
        else None,
        "agreement": Table(
            "How well it tells right answers from wrong ones",
            ("what", "AUROC (interval)"),
            tuple((label, estimates[name]) for name, label in AREAS.items() if name in estimates),
        ),
        "trials": _trials(said["trials"]),
        "methods": methods_of(estimates.values()),
    }


def _precision(estimates: Mapping[str, Estimate]) -> Table:
    rankings = {name: label for name, label in RANKINGS.items() if f"{name}/precision_at_1" in estimates}

    def row(k: int, over: str) -> Row:
        reached = [(name, estimates[f"{name}/{over}precision_at_{k}"]) for name in rankings]
        cells = [Shown(each, is_signed=True) if name == "gain" else each for name, each in reached]
        return (_first(k), *cells, *cells_of(estimates, (f"chance/{over}precision",)))

    parts = [(label, [row(k, over) for k in AT]) for over, label in OVER.items()]
    columns = ("of the neighbours", *rankings.values(), "by chance")
    return joined(parts, caption="Share of the neighbours that have the picture’s diagnosis", columns=columns)


def _by_diagnosis(estimates: Mapping[str, Estimate], names: Mapping[str, str]) -> Table:
    asked = (*(f"similar/precision_at_{k}" for k in AT), "chance/precision")
    rows: tuple[Row, ...] = tuple(
        (name, *cells_of(estimates, (f"{what}/{code}" for what in asked), code=code)) for code, name in names.items()
    )
    columns = ("diagnosis", *map(_first, AT), "by chance")
    return Table("The same of the pictures of each diagnosis", columns, rows)


def _steps(nearness: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[tuple[str, list[Row]]]:
    by_diagnosis: dict[str | None, list[Row]] = {}
    for each in nearness:
        cells: tuple[Cell, ...] = (Estimate(**each["calibrate"]), Estimate(**each["test"]), each["neighbours"])
        by_diagnosis.setdefault(each["diagnosis"], []).append((f"{each['similarity']:.3f}", *cells))
    others = [name for code, name in names.items() if code not in by_diagnosis]
    for code, rows in by_diagnosis.items():
        label = names.get(code, code) if code else ", ".join(others)
        yield f"a neighbour with {label}", rows


def _trials(trials: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return what each space reached where one was chosen."""
    return [(SPACES.get(each["kind"], each["kind"]), _reached(each)) for each in trials]


def _reached(trial: Mapping[str, Any]) -> str:
    below = f"{number(trial['below_best'])} below the best (standard error {number(trial['standard_error'])})"
    return f"{number(trial['precision'])}, {below if trial['standard_error'] else 'the best'}"


def _first(k: int) -> str:
    return "the first" if k == 1 else f"first {k}"
