"""When the network does not answer: who is left without an answer, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.tables import Row, Table, cells_of, estimates_of, methods_of
from cutis.report.words import spoken
from cutis.vocabulary.estimate import Estimate

OF_THE_RULE = {
    "answered_of_one_picture": "one picture, at random, of each patient or lesion, answered: what was wanted",
    "answered": "pictures that are answered",
    "accuracy": "right answers, were all answered",
    "accuracy_where_answered": "right answers among the answered",
    "accuracy_where_abstained": "right answers among the others, had they been answered",
    "malignant_called_benign": "malignant called benign, were all answered",
    "malignant_called_benign_and_answered": "malignant called benign, and answered",
    "malignant_answered": "malignant that are answered",
    "benign_answered": "benign that are answered",
}
ACCURACY_AT = "accuracy_at_"


def abstention_section(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what not answering gains and costs; None where the bundle answers everything."""
    said = content["abstention"]
    if said is None:
        return None
    estimates = estimates_of(said["estimates"])
    by_signal = {signal: estimates_of(found) for signal, found in said["by_signal"].items()}
    return {
        "said": said,
        "meanings": [(spoken(signal), meaning) for signal, meaning in said["meanings"].items()],
        "rule": _rule(estimates) if said["abstains"] else None,
        "unanswered": _unanswered(estimates, names) if said["abstains"] else None,
        "signals": _signals(by_signal),
        "methods": methods_of(estimate for found in by_signal.values() for estimate in found.values()),
    }


def _rule(estimates: Mapping[str, Estimate]) -> Table:
    rows = tuple((label, estimates[name]) for name, label in OF_THE_RULE.items() if name in estimates)
    return Table("What the rule does on the test", ("share", "estimate (interval)"), rows)


def _unanswered(estimates: Mapping[str, Estimate], names: Mapping[str, str]) -> Table:
    rows = tuple((name, *cells_of(estimates, (f"answered/{code}",), code=code)) for code, name in names.items())
    return Table("Who is left without an answer", ("diagnosis", "share of its pictures that are answered"), rows)


def _signals(by_signal: Mapping[str, Mapping[str, Estimate]]) -> Table:
    (figures, *_) = by_signal.values()
    rows: tuple[Row, ...] = tuple((spoken(signal), *found.values()) for signal, found in by_signal.items())
    return Table("What each signal is worth", ("signal", *map(_column, figures)), rows)


def _column(figure: str) -> str:
    if figure.startswith(ACCURACY_AT):
        return f"right, where {figure.removeprefix(ACCURACY_AT)}% are answered"
    return spoken(figure)
