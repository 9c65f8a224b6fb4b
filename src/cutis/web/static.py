"""Scripts, styles and pictures of the pages: read once at the start, so that no request ever names a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@dataclass(frozen=True)
class Item:
    """One file as it is sent."""

    content: bytes
    kind: str


@dataclass(frozen=True)
class Shelf:
    """All of them, under a name that changes with any of them, so that browsers may keep them for good."""

    version: str
    items: Mapping[str, Item]

    def path(self, name: str) -> str:
        """Return where browsers find a file, such as ``web/frame.css``."""
        if name not in self.items:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"


def read_shelf(folders: Mapping[str, Path]) -> Shelf:
    """Read the files of each room's folder; other kinds than these are left where they are."""
    items = {
        f"{room}/{path.relative_to(folder).as_posix()}": Item(path.read_bytes(), KINDS[path.suffix])
        for room, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.suffix in KINDS
    }
    digest = hashlib.sha256()
    for name, item in items.items():
        digest.update(name.encode() + item.content)
    return Shelf(digest.hexdigest()[:16], items)
