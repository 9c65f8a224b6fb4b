"""What each epoch brought: a line of JSON for programs, a line of a table for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cutis.progress import spoken
from cutis.vocabulary.files import stamp, written_aside

COLUMNS = ("epoch", "loss", "macro AUC", "log loss", "accuracy", "balanced", "seconds", "left")
WIDTHS = (9, 7, 10, 9, 9, 9, 8, 12)


def read_history(path: Path, *, before: int) -> list[dict[str, Any]]:
    """Return the records of the epochs before this one."""
    if not path.exists():
        return []
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [record for record in records if record["epoch"] <= before]


def write_history(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write the stamp and a line per epoch."""
    with written_aside(path) as aside:
        aside.write_text("".join(json.dumps(line) + "\n" for line in (stamp("history"), *records)), encoding="utf-8")


def mean_history(histories: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the mean over several networks of each epoch that all of them had."""
    epochs = min(map(len, histories))
    return [
        {key: _mean([history[at][key] for history in histories]) for key in histories[0][at]} for at in range(epochs)
    ]


def head_line() -> str:
    """Return the head of the table of epochs; all but the loss is measured on tune."""
    return _row(COLUMNS)


def line_of(record: dict[str, Any], epochs: int, *, better: bool) -> str:
    """Return an epoch's line of the table, with the time left; a star marks the best so far."""
    left = record["seconds"] * (epochs - record["epoch"])
    figures = ("loss", "tune_macro_auc", "tune_log_loss", "tune_accuracy", "tune_balanced_accuracy")
    return _row(
        (
            f"{record['epoch']} of {epochs}",
            *(f"{record[name]:.3f}{'*' if better and name == 'tune_macro_auc' else ''}" for name in figures),
            f"{record['seconds']:.0f}",
            spoken(left) if left else "",
        )
    )


def _row(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _mean(values: Sequence[Any]) -> Any:
    mean = np.mean(values, axis=0)
    return int(mean) if all(isinstance(value, int) for value in values) else mean.tolist()
