"""Which files lie in a clinic's folder, and which of them a table means."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# What a clinic means as a picture, readable here or not; a readme or a thumbnail cache is none by intention.
PICTURES = re.compile(
    r"\.(jpe?g|jpe|jfif|png|tiff?|bmp|webp|gif|hei[cf]|avif|jp2|jxl|dcm|dng|cr2|nef|arw)", re.IGNORECASE
)


@dataclass(frozen=True)
class Found:
    """The file that a table's word means, or why there is none."""

    path: Path | None
    detail: str = ""


@dataclass(frozen=True)
class Pictures:
    """The files of the picture folders, by path and by path without suffix, both in lower case."""

    by_path: Mapping[str, Sequence[Path]]
    by_stem: Mapping[str, Sequence[Path]]

    def all(self) -> list[Path]:
        """Return every file that is named as a picture, in order of its path."""
        return sorted(path for paths in self.by_path.values() for path in paths if PICTURES.fullmatch(path.suffix))

    def find(self, name: str) -> Found:
        """Return the one file that this word means: its path, in any case, with or without the suffix.

        The word is only looked up among the files that were found, so that it can never lead out of the folder.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
            return Found(None, "the path leads out of the clinic's folder")
        fitting = self.by_path.get(_folded(path)) or self.by_stem.get(_folded(path), ())
        exact = [file for file in fitting if file.as_posix().endswith(str(path))]
        if len(exact or fitting) > 1:
            return Found(None, f"several files fit: {', '.join(file.name for file in exact or fitting)}")
        return Found((exact or fitting)[0]) if fitting else Found(None)


def pictures_in(folders: Sequence[Path]) -> Pictures:
    """List the files below these folders; hidden ones and pipes are left aside, links are followed once."""
    by_path: defaultdict[str, list[Path]] = defaultdict(list)
    by_stem: defaultdict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for path in _files_below(folder):
            inside = PurePosixPath(path.relative_to(folder).as_posix())
            by_path[_folded(inside)].append(path)
            if PICTURES.fullmatch(inside.suffix):
                by_stem[_folded(inside.with_suffix(""))].append(path)
    return Pictures(by_path, by_stem)


def _folded(path: PurePosixPath) -> str:
    """Spell a path alike, whatever the case, and however the system that packed it composed its umlauts."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _files_below(folder: Path) -> Iterator[Path]:
    seen = set()
    for where, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(where))
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and os.path.realpath(Path(where, name)) not in seen
        )
        paths = (Path(where, name) for name in sorted(files) if not name.startswith("."))
        yield from (path for path in paths if path.is_file())
