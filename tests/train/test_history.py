"""A line per epoch, for programs and for people."""

from __future__ import annotations

from cutis.train.history import head_line, line_of, mean_history, read_history, write_history

RECORD = {
    "epoch": 2,
    "loss": 0.5,
    "tune_macro_auc": 0.9,
    "tune_log_loss": 0.7,
    "tune_accuracy": 0.8,
    "tune_balanced_accuracy": 0.6,
    "tune_macro_auc_auxiliary": [0.5, 0.7],
    "learning_rate": 1e-3,
    "seconds": 30.0,
}


def test_what_was_written_is_read_up_to_an_epoch(tmp_path):
    """A run that goes on from epoch 2 forgets what an undone epoch 3 said."""
    records = [RECORD | {"epoch": epoch} for epoch in (1, 2, 3)]
    write_history(tmp_path / "history.jsonl", records)

    assert read_history(tmp_path / "history.jsonl", before=2) == records[:2]
    assert read_history(tmp_path / "nothing.jsonl", before=2) == []


def test_a_line_stands_under_its_head_and_tells_the_time_left():
    """Columns are as wide as their heads, and eight more epochs of 30 s are four minutes."""
    head, line = head_line(), line_of(RECORD, 10, better=True)

    assert line.index("0.900*") + len("0.900*") == head.index("macro AUC") + len("macro AUC")
    assert "2 of 10" in line
    assert line.endswith("4 min 0 s")


def test_several_networks_have_the_mean_of_what_all_had():
    """Of three and two epochs two are left, each figure averaged."""
    one = [RECORD | {"epoch": epoch, "tune_macro_auc": 0.9} for epoch in (1, 2, 3)]
    other = [
        RECORD | {"epoch": epoch, "tune_macro_auc": 0.7, "tune_macro_auc_auxiliary": [0.7, 0.9]} for epoch in (1, 2)
    ]

    mean = mean_history([one, other])

    assert [record["epoch"] for record in mean] == [1, 2]
    assert [round(record["tune_macro_auc"], 9) for record in mean] == [0.8, 0.8]
    assert [round(each, 9) for each in mean[0]["tune_macro_auc_auxiliary"]] == [0.6, 0.8]
