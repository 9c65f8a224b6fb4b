"""Files that only grow: a stamped line of JSON each, on the disk before anybody goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cutis.vocabulary.errors import SafetyRefusal
from cutis.vocabulary.files import check_stamp, stamp, sync

BEGINNING = b'{"kind"'  # of every line


def add_line(path: Path, kind: str, content: Mapping[str, Any]) -> None:
    """Add a line; a half one, that a kill left at the end, is closed first and stays where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(stamp(kind) | dict(content), allow_nan=False).encode() + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        while line:  # a disk that is nearly full takes a part and says nothing; the next call raises
            line = line[os.write(handle, line) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if not size:
        sync(path.parent)


def read_lines(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return the lines of a file, none where there is no file; one that a kill cut off is passed over.

    Raises:
        SafetyRefusal: a line cannot be read, and no kill explains it.
    """
    lines = path.read_bytes().splitlines() if path.is_file() else []
    found: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
        except ValueError as error:
            if _is_torn(line):
                continue
            what = f"line {number} was changed"
            raise SafetyRefusal(what, where=str(path), mend="bring the file back from a back-up") from error
        check_stamp(content, kind, where=path)
        found.append(content)
    return found


def _is_torn(line: bytes) -> bool:
    """Say whether a kill or a lost page explains a line: a beginning without its end, or zeros."""
    there = line.strip(b"\0")
    return not there or (there[: len(BEGINNING)] == BEGINNING[: len(there)] and not there.endswith(b"}"))
