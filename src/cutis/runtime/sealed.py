"""A folder of which every byte is vouched for: nothing of it is handed out before all of it was checked.

    manifest.json     names every other file with its size and sha256
    manifest.sig      64 bytes: whoever holds the private key vouches for exactly the bytes of manifest.json
    manifest.sha256   of the two above, as `sha256sum -c` reads it; it finds damage where no key is at hand

The signature is checked before a word of the manifest is read, the manifest before a file of it is opened. What is used
are the bytes whose sum was computed: they are kept from the check, or their sum is computed again when they are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cutis.progress import cores
from cutis.runtime.signature import SIGNATURE_LENGTH, PublicKey, has_signed
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import check_stamp

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
SUMS = "manifest.sha256"
SEAL = frozenset({MANIFEST, SIGNATURE, SUMS})  # what no manifest names
LONGEST_MANIFEST = 2**20  # bytes
LONGEST_SUMS = 1_000
HELD = 2**20  # bytes up to which a file is kept from the check
CHUNK = 2**20
DEEPEST = 4  # folders
MEND = "copy it once more from where it was made, and compare the key's fingerprint with whoever signs"
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,{DEEPEST - 1}}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """What a manifest says of a file."""

    size: int  # bytes
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A folder that was checked whole."""

    folder: Path
    manifest: dict[str, Any]
    manifest_sha256: str
    entries: dict[str, Entry]
    signed: bool  # whether it carries a signature
    signed_by: str | None  # fingerprint of the key that it was checked against; None where none was given
    held: dict[str, bytes] = field(repr=False)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file as the manifest vouches for them.

        Raises:
            UserError: the manifest names no such file.
            SafetyRefusal: the file was changed since it was checked.
        """
        if name not in self.entries:
            mend = "make it again with this version of cutis: cutis release --again"
            raise UserError(f"this release has no {name}", where=str(self.folder), mend=mend)
        return self.held[name] if name in self.held else _checked_bytes(self.folder, name, self.entries[name])


def read_sealed(folder: Path, *, key: PublicKey | None = None, required: bool = False) -> Sealed:
    """Check a folder from the signature to the last byte.

    Args:
        folder: holds manifest.json.
        key: that must have signed it; without one only damage is found, not forgery.
        required: refuse what is not signed, or cannot be checked since no key is given.

    Raises:
        UserError: there is no folder, or its manifest is of a newer format.
        SafetyRefusal: anything else is not as it was sealed; names the file.
    """
    if not folder.is_dir():
        raise UserError("there is no release here", where=str(folder), mend="check the path, or run cutis release")
    content = _bytes_of(folder, MANIFEST, most=LONGEST_MANIFEST)
    signature = _bytes_of(folder, SIGNATURE, most=SIGNATURE_LENGTH) if _is_there(folder / SIGNATURE) else None
    _check_sums(folder, content, signature)
    _check_signature(folder, content, signature, key=key, required=required)
    manifest = _parsed(folder, content)
    check_stamp(manifest, "contents", where=folder / MANIFEST)
    entries = _entries(folder, manifest)
    _check_names(folder, entries.keys())
    return Sealed(
        folder=folder,
        manifest=manifest,
        manifest_sha256=hashlib.sha256(content).hexdigest(),
        entries=entries,
        signed=signature is not None,
        signed_by=key.fingerprint if key else None,
        held=_check_files(folder, entries),
    )


@contextmanager
def lent(sealed: Sealed, *names: str) -> Iterator[Path]:
    """Lend a private folder with copies of these files, for libraries that want a path: the checked bytes, no others.

    What a library maps into memory stays there when the folder is removed at the end.
    """
    with tempfile.TemporaryDirectory(prefix="cutis-") as private:
        for name in names:
            copy = Path(private, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(sealed.read(name))
        yield Path(private)


def sums_text(content: bytes, signature: bytes | None) -> bytes:
    """Return what manifest.sha256 says of a manifest and its signature."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n"]
    lines += [f"{hashlib.sha256(signature).hexdigest()}  {SIGNATURE}\n"] if signature is not None else []
    return "".join(lines).encode()


def is_name(name: object) -> bool:
    """Say whether a manifest may give this name to a file: plain letters, and no way out of its folder."""
    return isinstance(name, str) and bool(_NAME.fullmatch(name)) and name not in SEAL


def _check_sums(folder: Path, content: bytes, signature: bytes | None) -> None:
    expected = sums_text(content, signature)
    if _bytes_of(folder, SUMS, most=LONGEST_SUMS) != expected:
        what = f"{MANIFEST}, {SIGNATURE} and {SUMS} do not fit one another: one was changed or taken away"
        raise _refusal(what, folder, SUMS)


def _check_signature(
    folder: Path, content: bytes, signature: bytes | None, *, key: PublicKey | None, required: bool
) -> None:
    if signature is None and (required or key):
        raise _refusal(f"{SIGNATURE} is missing: nobody vouches for this release", folder, SIGNATURE)
    if required and key is None:
        mend = "give --key with the public key of whoever signs"
        where = str(folder / SIGNATURE)
        raise SafetyRefusal(f"{SIGNATURE} must be checked, and there is no key to do so", where=where, mend=mend)
    if key and signature is not None and not has_signed(key, content, signature):
        what = f"{SIGNATURE} does not vouch for {MANIFEST} by the key {key.fingerprint[:16]} ({key.path})"
        raise _refusal(f"{what}: another key has signed it, or one of the two was changed", folder, SIGNATURE)


def _parsed(folder: Path, content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _refusal(f"{MANIFEST} is no JSON that can be trusted: {error}", folder, MANIFEST) from error
    if not isinstance(manifest, dict):
        raise _refusal(f"{MANIFEST} is no table of files", folder, MANIFEST)
    return manifest


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _entries(folder: Path, manifest: dict[str, Any]) -> dict[str, Entry]:
    """Return the files that a manifest names; two that differ only in case are one on some systems."""
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        raise _refusal(f"{MANIFEST} names no files", folder, MANIFEST)
    for name, said in files.items():
        fits = is_name(name) and isinstance(said, dict) and said.keys() == {"size", "sha256"}
        if not fits or type(said["size"]) is not int or said["size"] < 0 or not _is_sum(said["sha256"]):
            raise _refusal(f"{MANIFEST} names what is no file of a release: {name[:200]!r}", folder, MANIFEST)
    if len({name.casefold() for name in files}) < len(files):
        raise _refusal(f"{MANIFEST} names a file twice, in upper and lower case", folder, MANIFEST)
    return {name: Entry(**said) for name, said in files.items()}


def _is_sum(value: object) -> bool:
    return isinstance(value, str) and bool(_SHA256.fullmatch(value))


def _check_names(folder: Path, names: Any) -> None:
    """Refuse a file or folder that is not named, a named one that is missing, and whatever is neither."""
    known = {parent.as_posix() for name in names for parent in Path(name).parents} - {"."}
    seen: set[str] = set()
    for name, mode in _walk(folder, folder):
        if stat.S_ISLNK(mode):
            raise _refusal(f"{name} is a link", folder, name)
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise _refusal(f"{name} is neither a file nor a folder", folder, name)
        if name not in (known if stat.S_ISDIR(mode) else names | SEAL):
            raise _refusal(f"{name} does not belong there: {MANIFEST} does not name it", folder, name)
        seen.add(name)
    missing = sorted(names - seen)
    if missing:
        raise _refusal(f"{', '.join(missing)} missing", folder, missing[0])


def _walk(root: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Yield everything below a folder with its mode, a folder before what is in it; no link is followed."""
    with os.scandir(folder) as found:
        for each in sorted(found, key=lambda entry: entry.name):
            mode = each.stat(follow_symlinks=False).st_mode
            yield Path(each.path).relative_to(root).as_posix(), mode
            if stat.S_ISDIR(mode):
                yield from _walk(root, Path(each.path))


def _check_files(folder: Path, entries: dict[str, Entry]) -> dict[str, bytes]:
    """Compute every sum, on all cores; return the bytes of what is small."""

    def check(name: str) -> bytes | None:
        entry = entries[name]
        if entry.size <= HELD:
            return _checked_bytes(folder, name, entry)
        _require_fit(folder, name, entry, _chunks(folder, name, entry))
        return None

    largest_first = sorted(entries, key=lambda name: -entries[name].size)
    with ThreadPoolExecutor(cores()) as pool:
        found = dict(zip(largest_first, pool.map(check, largest_first), strict=True))
    return {name: content for name, content in found.items() if content is not None}


def _checked_bytes(folder: Path, name: str, entry: Entry) -> bytes:
    content = b"".join(_chunks(folder, name, entry))
    _require_fit(folder, name, entry, [content])
    return content


def _require_fit(folder: Path, name: str, entry: Entry, chunks: Iterator[bytes] | list[bytes]) -> None:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    if digest.hexdigest() != entry.sha256:
        raise _refusal(f"{name} was changed", folder, name)


def _chunks(folder: Path, name: str, entry: Entry) -> Iterator[bytes]:
    """Yield a file's bytes; never more than its manifest says, whatever is done to it meanwhile."""
    with open(_handle(folder, name), "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size != entry.size:
            raise _refusal(f"{name} has {size} bytes, not {entry.size} as {MANIFEST} says", folder, name)
        while size and (chunk := file.read(min(CHUNK, size))):
            size -= len(chunk)
            yield chunk


def _bytes_of(folder: Path, name: str, *, most: int) -> bytes:
    with open(_handle(folder, name), "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise _refusal(f"{name} is longer than {most} bytes", folder, name)
    return content


def _handle(folder: Path, name: str) -> int:
    """Open a plain file, and neither a link nor what would wait for somebody at its other end."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(f"{name} is missing, a link, or cannot be read: {error.strerror}", folder, name) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _refusal(f"{name} is no file", folder, name)
    return handle


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _refusal(what: str, folder: Path, name: str) -> SafetyRefusal:
    return SafetyRefusal(what, where=str(folder / name), mend=MEND)
