"""The figures of an evaluation as they stand on the page, each with words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cutis.report.figures import Inline, inline_svg
from cutis.report.material import Evaluation
from cutis.report.words import number
from cutis.vocabulary.taxonomy import Taxonomy

MOST_CONFUSED = 3
CAPTIONS = {
    "confusion": "How many pictures of each diagnosis (row) got each answer (column).",
    "roc": "Each diagnosis against the rest: sensitivity and specificity at every threshold.",
    "precision_recall": "Each diagnosis against the rest: how many of those flagged have it, at every sensitivity.",
    "forest": "Each diagnosis in one line, with its interval.",
    "reliability": "How often an answer is right, by its calibrated probability.",
    "reliability_by_diagnosis": "How often each diagnosis is there, by the probability that was said of it.",
    "risk_coverage": "How many of the given answers are wrong, where only the most trusted cases are answered.",
    "decision_curve": "What it is worth to follow the network, by how much a missed malignancy weighs.",
    "subgroups": "The same figure in every group, with its interval.",
    "robustness": "What is left of the figures under each disturbance, by its strength.",
}
IN_THE_TABLE = {
    "roc": "The areas stand in the table by diagnosis",
    "precision_recall": "The average precisions stand in the table by diagnosis",
    "forest": "The figures stand in the table by diagnosis",
    "reliability": "Slopes and errors stand in the table of calibration",
    "reliability_by_diagnosis": "Slopes and errors stand in the table of calibration",
    "risk_coverage": "What each signal is worth stands in the table beneath",
    "decision_curve": "The net benefit at chosen thresholds stands in the table beneath",
    "subgroups": "The figures stand in the table by group",
    "robustness": "The figures stand in the table beneath",
}


class Drawing(NamedTuple):
    """A figure with its caption."""

    picture: Inline
    caption: str


def drawings_of(evaluation: Evaluation, taxonomy: Taxonomy) -> dict[str, Drawing]:
    """Return the figures that are there, by the names of their files; one that is not known comes last."""
    folder = evaluation.folder / "figures"
    there = {path.stem: path for path in sorted(folder.glob("*.svg"))}
    ordered = [*(name for name in CAPTIONS if name in there), *(name for name in there if name not in CAPTIONS)]
    return {name: _drawing(name, there[name], evaluation.content, taxonomy) for name in ordered}


def _drawing(name: str, path: Path, content: Mapping[str, Any], taxonomy: Taxonomy) -> Drawing:
    caption = CAPTIONS.get(name, f"{name.replace('_', ' ').capitalize()}.")
    told = _confused(content, taxonomy) if name == "confusion" else f"{IN_THE_TABLE.get(name, 'Drawn by evaluate')}."
    what = f"Figure of {content['bundle']}, {content['cases']:,} pictures. {caption} {told}{_headline(name, content)}"
    return Drawing(inline_svg(path, alt=what), caption)


def _headline(name: str, content: Mapping[str, Any]) -> str:
    """Say the one number that a figure is about, where there is one."""
    asked = {"roc": "macro_auc", "precision_recall": "macro_average_precision"}.get(name, "")
    found = content["estimates"].get(asked, {}).get("value")
    return "" if found is None else f" On average over the diagnoses {number(found)}."


def _confused(content: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    """Say how many answers are right, and which diagnoses are taken for which most often."""
    matrix, names = content["confusion"]["truth_by_answer"], [disease.name for disease in taxonomy.diseases]
    right = sum(row[place] for place, row in enumerate(matrix))
    wrong = [
        (count, names[truth], names[answer])
        for truth, row in enumerate(matrix)
        for answer, count in enumerate(row)
        if count and truth != answer
    ]
    most = "; ".join(
        f"{truth} called {answer} {count}" for count, truth, answer in sorted(wrong, reverse=True)[:MOST_CONFUSED]
    )
    return f"{right:,} answers are right. Most often wrong: {most or 'none'}."
