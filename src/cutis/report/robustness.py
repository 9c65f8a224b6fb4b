"""What disturbed pictures leave of the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from cutis.report.tables import Cell, Row, Shown, Table, estimates_of, joined, methods_of
from cutis.vocabulary.estimate import Estimate

RIGHT = ("macro_auc", "argmax/balanced_accuracy", "argmax/accuracy")  # what tells how often it is right
SHORT = {
    "macro_auc": "macro AUC",
    "argmax/balanced_accuracy": "balanced accuracy",
    "argmax/accuracy": "accuracy",
    "log_loss": "log loss",
    "expected_calibration_error": "calibration error",
    "overconfidence": "surer than right by",
}
CHANGED = "pictures with another answer"


def robustness_section(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return every disturbance with what it leaves, and what it takes, as robustness.json says it."""
    right = [name for name in said["figures"] if name in RIGHT]
    sure = [name for name in said["figures"] if name not in RIGHT]
    return {
        "said": said,
        "right": _table("How often it is right", said, right, with_changed=True),
        "sure": _table("What its probabilities mean", said, sure, with_changed=False),
        "methods": methods_of(estimates_of(said["undisturbed"]).values()),
        "worst": list(_worst(said)),
    }


def _table(about: str, said: Mapping[str, Any], names: Sequence[str], *, with_changed: bool) -> Table:
    undisturbed = estimates_of(said["undisturbed"])
    plain: Row = ("the picture as it is", *(undisturbed[name] for name in names), *[""] * with_changed)
    by_kind = groupby(said["disturbed"], lambda each: each["kind"])
    parts: list[tuple[str, list[Row]]] = [
        ("undisturbed", [plain]),
        *((kind, [_row(each, names, with_changed=with_changed) for each in of_kind]) for kind, of_kind in by_kind),
    ]
    columns = ("disturbance", *(SHORT.get(name, said["figures"][name]) for name in names), *[CHANGED] * with_changed)
    return joined(parts, caption=f"{about}, and beneath each figure its change (Δ)", columns=columns)


def _row(each: Mapping[str, Any], names: Sequence[str], *, with_changed: bool) -> Row:
    figures, changes = estimates_of(each["estimates"]), estimates_of(each["differences"])
    cells = (Shown(figures[name], beneath="Δ", gap=changes[name]) for name in names)
    changed: tuple[Cell, ...] = (Estimate(**each["changed"]),) if with_changed else ()
    return (each["said"], *cells, *changed)


def _worst(said: Mapping[str, Any]) -> Iterator[str]:
    """Name the disturbances whose balanced accuracy falls by an interval that leaves 0 out, the greatest fall first."""
    falls = [(each["differences"]["argmax/balanced_accuracy"], each) for each in said["disturbed"]]
    shown = [(fall["value"], each) for fall, each in falls if fall["high"] is not None and fall["high"] < 0]
    for _, each in sorted(shown, key=lambda pair: pair[0]):
        yield f"{each['kind']}: {each['said']}"
