"""Every look at the test split leaves a line."""

from __future__ import annotations

import json

import pytest

from cutis.evaluate.openings import LEDGER, Openings, record_opening, registration_of
from cutis.vocabulary.errors import UserError


def opened(folder, *, weights="w1", dataset="d1", protocol=None):
    return record_opening(
        folder, bundle="pocket", weights_sha256=weights, dataset_sha256=dataset, protocol_sha256=protocol
    )


def test_openings_are_counted_over_the_workspace_and_by_weights(tmp_path):
    """Another bundle looks at the same test, and so does the next version of a dataset: its test patients stay."""
    first = opened(tmp_path)
    opened(tmp_path, weights="w2")
    opened(tmp_path, dataset="d2")
    last = opened(tmp_path)

    assert first == Openings(of_workspace=1, of_bundle=1)
    assert last == Openings(of_workspace=4, of_bundle=3)
    assert registration_of(tmp_path, protocol_sha256=None).openings == 4


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


def test_a_line_keeps_which_protocol_lay_there(tmp_path):
    """By its sha256; without a protocol the line is as it always was."""
    opened(tmp_path, protocol="p1")

    (line,) = (tmp_path / LEDGER).read_text().splitlines()

    assert json.loads(line)["protocol_sha256"] == "p1"


@pytest.mark.parametrize(
    ("openings", "before", "under_it", "why"),
    [
        ([], "yes", 0, "has not been opened yet"),
        (["now"], "yes", 1, "unchanged since"),
        (["now", None, "now"], "yes", 2, "openings without it: 1"),
        ([None, "now"], "no", 1, "first opened without a protocol"),
        (["then", "now"], "no", 1, "another protocol"),
        (["now", "then", "now"], "no", 2, "changed in between"),
    ],
)
def test_the_ledger_says_whether_the_protocol_came_first(tmp_path, openings, before, under_it, why):
    """Before the first opening, and not a letter changed since."""
    for protocol in openings:
        opened(tmp_path, protocol=protocol)

    registration = registration_of(tmp_path, protocol_sha256="now")

    assert (registration.before, registration.under_it) == (before, under_it)
    assert registration.openings == len(openings)
    assert why in registration.why


def test_no_protocol_is_said_as_such(tmp_path):
    """Whatever the ledger holds."""
    opened(tmp_path, protocol="then")

    registration = registration_of(tmp_path, protocol_sha256=None)

    assert (registration.before, registration.openings, registration.under_it) == ("no protocol", 1, 0)


def test_a_dataset_that_is_curated_again_has_been_seen(tmp_path):
    """Its test patients stay; another dataset's openings may be left out of the count by asking for one dataset."""
    opened(tmp_path, dataset="d1")
    opened(tmp_path, dataset="d2", protocol="now")

    of_all = registration_of(tmp_path, protocol_sha256="now")
    of_one = registration_of(tmp_path, protocol_sha256="now", dataset_sha256="d2")

    assert (of_all.before, of_all.openings) == ("no", 2)
    assert (of_one.before, of_one.openings) == ("yes", 1)


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
