"""The numbered folders of a workspace.

A stage writes a new version aside, and when it is whole moves one pointer (a symbolic link) to it:

    work/1_dataset            → .versions/1_dataset/v2
    work/2_bundles/pocket     → ../.versions/2_bundles/pocket/v1

Nobody ever sees half a result, and the version before the last stays for the day someone regrets `--again`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sync

VERSIONS_KEPT = 2
ROOM_TO_SPARE = 64 * 2**20  # bytes that must stay free on the disk
ASIDE = ".cutis-aside-"
LOCK = ".lock"
COMPARISON = "comparison"  # its folder lies beside those that are named after a bundle
ABANDONED = 24 * 3600  # seconds after which what lies aside was left by a kill


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a stage tells when it is done: to a person, and to a program."""

    wrote: Path
    lines: tuple[str, ...]
    facts: dict[str, Any]
    next_command: str


@dataclass(frozen=True)
class Workspace:
    """Where everything of one project lies."""

    root: Path

    @property
    def dataset(self) -> Path:
        """The curated dataset."""
        return self.root / "1_dataset"

    def bundle(self, name: str) -> Path:
        """What training left under this name."""
        return self.root / "2_bundles" / _of_a_bundle(name)

    def bundle_names(self) -> tuple[str, ...]:
        """The names of all bundles, in order."""
        found = (self.root / "2_bundles").glob("*")
        return tuple(sorted(path.name for path in found if path.is_dir() and not path.name.startswith(".")))

    def only_bundle(self) -> str:
        """The name of the only bundle there is: what is meant where no name is given.

        Raises:
            UserError: there is none, or there are several.
        """
        names = self.bundle_names()
        if not names:
            raise UserError("there is no bundle yet", where=str(self.root / "2_bundles"), mend="run cutis train first")
        if len(names) > 1:
            mend = f"name one of: {', '.join(names)}"
            raise UserError(f"there are {len(names)} bundles", where=str(self.root / "2_bundles"), mend=mend)
        return names[0]

    def evaluation(self, name: str) -> Path:
        """The evidence about this bundle."""
        return self.root / "3_evaluation" / _of_a_bundle(name)

    @property
    def comparison(self) -> Path:
        """Several bundles on the same cases, in pairs."""
        return self.root / "3_evaluation" / COMPARISON

    def explanation(self, name: str) -> Path:
        """Saliency and atlas of this bundle."""
        return self.root / "4_explanation" / _checked(name)

    @property
    def readers(self) -> Path:
        """The reader study: its plan, its booth, its readings and its scores."""
        return self.root / "5_readers"

    def scores(self, name: str) -> Path:
        """What was scored of readers under this name."""
        return self.readers / "scores" / _checked(name)

    def release(self, name: str) -> Path:
        """What ships of this bundle."""
        return self.root / "6_release" / _checked(name)

    @property
    def report(self) -> Path:
        """The report's page."""
        return self.root / "report.html"

    @property
    def private(self) -> Path:
        """The key of the pseudonyms and the ledgers: readable by the owner alone, never shipped."""
        folder = self.root / "private"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def tracking(self) -> Path:
        """What optional adapters write of a training, for TensorBoard or MLflow to show."""
        return self.root / "tracking"

    @property
    def cache(self) -> Path:
        """What can be made again at any time."""
        folder = self.root / ".cache"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def partial(self, target: Path) -> Path:
        """Where work lies that is resumed, such as a training, until its version is whole."""
        return self._versions(target) / "partial"

    def refuse_to_overwrite(self, target: Path, *, again: bool) -> None:
        """Stop a stage whose result is already there.

        Raises:
            UserError: the target exists and `again` is false, or it is no version of ours.
        """
        if target.exists() and not target.is_symlink():
            raise UserError("this folder was not made by cutis", where=str(target), mend="move it away")
        if target.exists() and not again:
            where = str(target)
            raise UserError(
                "this result is already there", where=where, mend="add --again to make it anew (the old one is kept)"
            )

    @contextmanager
    def new_version(self, target: Path, *, again: bool, needs: int = 0) -> Iterator[Path]:
        """Lend an empty folder; when the block ends well it becomes `target` in one step, else it is removed.

        Args:
            target: one of this workspace's numbered folders.
            again: whether an existing result may be followed by a new version.
            needs: bytes that will be written; asked for beforehand.

        Raises:
            UserError: the target exists, or there is no space left.
        """
        self.refuse_to_overwrite(target, again=again)
        versions = self._versions(target)
        with no_space_left_is_a_user_error(versions):
            versions.mkdir(parents=True, exist_ok=True)
            require_room(versions, needs)
            aside = folder_aside(versions)
            try:
                yield aside
                self.publish(aside, target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)

    def publish(self, folder: Path, target: Path) -> None:
        """Make a finished folder the next version of `target` and move the pointer to it."""
        versions = self._versions(target)
        number = 1 + max((int(path.name[1:]) for path in versions.glob("v[0-9]*")), default=0)
        version = versions / f"v{number}"
        sync(folder)
        folder.rename(version)
        sync(versions)
        target.parent.mkdir(parents=True, exist_ok=True)
        pointer = target.with_name(f".{target.name}.{os.getpid()}")
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(os.path.relpath(version, target.parent))
        pointer.replace(target)
        sync(target.parent)
        for old in range(1, number - VERSIONS_KEPT + 1):
            shutil.rmtree(versions / f"v{old}", ignore_errors=True)

    def _versions(self, target: Path) -> Path:
        return self.root / ".versions" / target.relative_to(self.root)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep every other cutis from working in this folder, for as long as the block runs; a kill ends that too.

    Raises:
        UserError: another one is at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            mend = "wait until it is done, or choose another --workspace or --name"
            raise UserError("another cutis is at work here", where=str(folder), mend=mend) from error
        yield


def folder_aside(parent: Path) -> Path:
    """Make a hidden folder that is nobody else's, and remove those that kills have left there."""
    remove_abandoned(parent)
    aside = parent / f"{ASIDE}{secrets.token_hex(8)}"
    aside.mkdir()
    return aside


def remove_abandoned(parent: Path) -> None:
    """Remove the hidden folders that kills have left here; what is younger may still be somebody's."""
    for left in parent.glob(f"{ASIDE}*"):
        with suppress(FileNotFoundError):  # whoever made it may just be done
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def require_room(folder: Path, needs: int) -> None:
    """Refuse to start what the disk cannot hold.

    Raises:
        UserError: fewer than `needs` bytes, and some to spare, are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needs + ROOM_TO_SPARE:
        mend = f"free {(needs + ROOM_TO_SPARE - free) / 2**20:.0f} MB, or choose another --workspace"
        raise UserError(f"no space left: {free / 2**20:.0f} MB free", where=str(folder), mend=mend)


@contextmanager
def no_space_left_is_a_user_error(folder: Path) -> Iterator[None]:
    """Turn the ways in which libraries say *no space left* into the one error that the user can mend."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        if not full and not any(words in str(error).lower() for words in ("no space left", "quota exceeded")):
            raise
        mend = "free some space and run the same command again; nothing half-written was left"
        raise UserError("no space left", where=str(folder), mend=mend) from error


def _of_a_bundle(name: str) -> str:
    """Return a name, unless it is the one that the comparison of bundles needs, on any file system."""
    if name.casefold() == COMPARISON:
        what = f"{name!r} cannot be the name of a bundle: the comparison of several bundles lies under it"
        raise UserError(what, where="--name", mend="choose another name")
    return _checked(name)


def _checked(name: str) -> str:
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name) or name.startswith("."):
        mend = "use letters, digits, '-', '_' and '.'"
        raise SafetyRefusal(f"{name!r} cannot be the name of a folder", where="--name", mend=mend)
    return name
