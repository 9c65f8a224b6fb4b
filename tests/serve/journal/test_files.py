"""Files that only grow."""

import errno
import os

import pytest

from cutis.serve.journal.files import add_line, read_lines


def test_a_line_that_the_disk_takes_in_pieces_is_whole(tmp_path, monkeypatch):
    """A short write raises nothing; what is left is written after it."""
    path, write = tmp_path / "erased.jsonl", os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:7]))

    add_line(path, "erased", {"case_id": "a"})
    add_line(path, "erased", {"case_id": "b"})

    assert [line["case_id"] for line in read_lines(path, "erased")] == ["a", "b"]


def test_a_disk_that_is_full_in_the_middle_of_a_line_is_told(tmp_path, monkeypatch):
    """Who asked goes no further; the next line stands on its own."""
    path, write = tmp_path / "erased.jsonl", os.write
    sizes = iter([7])

    def full(handle, content):
        if size := next(sizes, 0):
            return write(handle, content[:size])
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="no space"):
            add_line(path, "erased", {"case_id": "a"})
    add_line(path, "erased", {"case_id": "b"})

    assert [line["case_id"] for line in read_lines(path, "erased")] == ["b"]
