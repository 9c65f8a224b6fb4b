"""How figures are called where people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MALIGNANT = "malignant_"
AVERAGES = ("macro", "weighted", "pooled")
SPOKEN = {
    "argmax": "arg-max",
    "one_vs_rest": "one-vs-rest",
    "auc": "AUC",
    "macro_auc": "macro AUC",
    "ppv": "positive predictive value",
    "npv": "negative predictive value",
    "f1": "F1 score",
    "brier": "Brier score",
    "cohen_kappa": "Cohen’s kappa",
    "matthews_correlation": "Matthews correlation",
    "top_2_accuracy": "the diagnosis is among the first two",
    "top_3_accuracy": "the diagnosis is among the first three",
    "settled": "settled cases",
    "indeterminate": "indeterminate cases",
    "both": "both together",
    "aurc": "area under risk and coverage",
    "excess_aurc": "above the best order",
}


class Figure(NamedTuple):
    """The name of an estimate such as ``argmax/sensitivity/MEL``, in its parts."""

    convention: str  # or the stratum; "" for none
    what: str
    code: str  # "" for all diagnoses together


def parts_of(name: str, codes: Iterable[str]) -> Figure:
    """Take an estimate's name apart."""
    parts = name.split("/")
    code = parts.pop() if len(parts) > 1 and parts[-1] in codes else ""
    return Figure(parts[0] if len(parts) > 1 else "", parts[-1], code)


def is_average(what: str) -> bool:
    """Return whether a figure is an average over the diagnoses."""
    return what.partition("_")[0] in AVERAGES


def spoken(word: str) -> str:
    """Return a name as people read it."""
    if word in SPOKEN:
        return SPOKEN[word]
    if word.startswith(MALIGNANT):
        return f"malignant or not: {spoken(word.removeprefix(MALIGNANT))}"
    average, _, what = word.partition("_")
    return f"{average} {spoken(what)}" if is_average(word) else word.replace("_", " ")


def said_of(name: str, diagnoses: Mapping[str, str]) -> str:
    """Return an estimate's whole name in one line; `diagnoses` gives names by code."""
    convention, what, code = parts_of(name, diagnoses)
    return ", ".join(filter(None, (spoken(what), diagnoses.get(code, ""), spoken(convention))))


def counted(counts: Mapping[str, int]) -> str:
    """Return counts in one line, the greatest first."""
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{spoken(name)} {count:,}" for name, count in ranked)


def listed(words: Sequence[str]) -> str:
    """Return words in one line, with an *and* before the last."""
    *first, last = words or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def times(count: int) -> str:
    """Return how often in words."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def number(value: float, *, digits: int = 3, is_signed: bool = False) -> str:
    """Return a number with a true minus, or with its sign; never a signed zero."""
    rounded = round(value, digits)
    sign = "−" if rounded < 0 else "+" if is_signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def percent(share: float) -> str:
    """Return a share as people say it, with no more digits than tell something."""
    return f"{100 * share:.3g}%"


def p_said(p: float | None) -> str:
    """Return a p-value as journals print it."""
    if p is None:
        return "not tested"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004  below it three digits say nothing
