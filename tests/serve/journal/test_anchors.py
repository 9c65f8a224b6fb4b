"""Anchors are written while the server runs, and a line that a kill cut off harms nothing."""

import time

import pytest

from clinics import an_opened_record
from cutis.serve.journal import SERVER, Entry, Kind, write
from cutis.serve.journal.anchors import ANCHORS, PUBLIC_KEY, anchor, anchored, read_anchor_key, read_anchors
from cutis.vocabulary.errors import SafetyRefusal, UserError


@pytest.fixture
def record(tmp_path, database_url):
    """A record without anything in it."""
    with an_opened_record(tmp_path / "clinic", database_url) as found:
        yield found


def add(record, count=1):
    """Write entries."""
    for _ in range(count):
        with record.database.writing() as connection:
            write(connection, record.vault, Entry(kind=Kind.ACCOUNT, by=SERVER), now=1)


def numbers(record):
    """Return which entries are anchored."""
    return [each.number for each in read_anchors(record.folder)]


def until(record, expected):
    """Wait for a line."""
    deadline = time.monotonic() + 20
    while numbers(record) != expected:
        assert time.monotonic() < deadline, numbers(record)
        time.sleep(0.02)


def test_the_head_is_anchored_at_the_beginning_in_between_and_at_the_end(record):
    """After so many entries at once, after so many seconds else; nothing new, no line."""
    add(record, 2)
    with anchored(record.database, record.vault, record.folder, every=5, seconds=0.05):
        until(record, [2])
        add(record)
        until(record, [2, 3])
    with anchored(record.database, record.vault, record.folder, every=5, seconds=3600):
        add(record)
    with anchored(record.database, record.vault, record.folder, every=3, seconds=3600):
        add(record, 3)
        until(record, [2, 3, 4, 7])

    public = read_anchor_key(record.folder / PUBLIC_KEY)
    assert numbers(record) == [2, 3, 4, 7]
    assert all(each.is_signed_by(public) for each in read_anchors(record.folder))


def test_what_keeps_an_anchor_from_being_written_is_told_and_tried_again(record):
    """The server goes on meanwhile."""
    told = []
    with anchored(record.database, record.vault, record.folder, seconds=0.05, tell=lambda name, **_: told.append(name)):
        (record.folder / ANCHORS).mkdir()
        add(record)
        while not told:
            time.sleep(0.01)
        (record.folder / ANCHORS).rmdir()
        until(record, [1])

    assert set(told) == {"anchor_failed"}


def test_anchors_that_somebody_spoilt_are_told_as_long_as_the_server_runs(record):
    """The thread that makes them does not end for it: a mended file is gone on with."""
    told = []
    with anchored(record.database, record.vault, record.folder, seconds=0.05, tell=lambda name, **_: told.append(name)):
        (record.folder / ANCHORS).write_text("spoilt\n")
        add(record)
        while len(told) < 2:
            time.sleep(0.01)
        (record.folder / ANCHORS).unlink()
        until(record, [1])

    assert set(told) == {"anchor_failed"}


@pytest.mark.parametrize("left", [b'{"ki', b'{"kind": "anchor", "format": 1, "num', b"\0" * 40, b'{"kind": "a\0\0\0'])
def test_a_line_that_a_kill_cut_off_is_passed_over(record, left):
    """Wherever it was cut, or filled with zeros; and the next one begins on a line of its own."""
    add(record)
    anchor(record.database, record.vault, record.folder, now=1)
    path = record.folder / ANCHORS
    whole = path.read_bytes()
    path.write_bytes(whole + left)

    assert numbers(record) == [1]
    add(record)
    anchor(record.database, record.vault, record.folder, now=2)
    assert numbers(record) == [1, 2]


@pytest.mark.parametrize(
    "line", ["nonsense", '{"kind": "anchor", "format": 1, "number": "x"}', '{"kind": "erased", "format": 1}']
)
def test_a_line_that_was_changed_is_refused(record, line):
    """No kill leaves such a one."""
    add(record)
    anchor(record.database, record.vault, record.folder, now=1)
    with (record.folder / ANCHORS).open("a") as file:
        file.write(line + "\n")

    with pytest.raises((SafetyRefusal, UserError)):
        read_anchors(record.folder)


def test_a_file_that_is_no_public_key_is_said_to_be_none(tmp_path):
    """Missing, or something else."""
    (tmp_path / "a.pem").write_text("x")

    for name in ("a.pem", "b.pem"):
        with pytest.raises(UserError, match="no public key"):
            read_anchor_key(tmp_path / name)
