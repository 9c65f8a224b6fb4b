"""Every look at the test split leaves a line."""

from __future__ import annotations

import json

import pytest

from cutis.evaluate.openings import LEDGER, Openings, count_openings, record_opening
from cutis.vocabulary.errors import UserError


def opened(folder, *, weights="w1", dataset="d1"):
    return record_opening(folder, bundle="pocket", weights_sha256=weights, dataset_sha256=dataset)


def test_openings_are_counted_over_the_workspace_and_by_weights(tmp_path):
    """Another bundle looks at the same test, and so does the next version of a dataset: its test patients stay."""
    first = opened(tmp_path)
    opened(tmp_path, weights="w2")
    opened(tmp_path, dataset="d2")
    last = opened(tmp_path)

    assert first == Openings(of_workspace=1, of_bundle=1)
    assert last == Openings(of_workspace=4, of_bundle=3)
    assert count_openings(tmp_path) == 4


def test_a_line_says_who_looked_at_what_and_when(tmp_path):
    """With kind and format, as every file of ours."""
    opened(tmp_path)

    (line,) = (tmp_path / LEDGER).read_text().splitlines()

    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "kind": "openings",
        "format": 1,
        "bundle": "pocket",
        "weights_sha256": "w1",
        "dataset_sha256": "d1",
    }


@pytest.mark.parametrize("damage", ["torn {", "[]", '{"kind": "openings", "format": 99}', '{"format": 1}'])
def test_a_damaged_ledger_is_no_empty_ledger(tmp_path, damage):
    """Nothing is guessed and nothing added; the line is named."""
    opened(tmp_path)
    with (tmp_path / LEDGER).open("a") as ledger:
        ledger.write(damage + "\n")
    before = (tmp_path / LEDGER).read_bytes()

    with pytest.raises(UserError, match=r"test_openings\.jsonl"):
        opened(tmp_path)

    assert (tmp_path / LEDGER).read_bytes() == before
