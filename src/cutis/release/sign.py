"""Keys, and the seal of a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cutis.runtime.sealed import MANIFEST, SEAL, SIGNATURE, SUMS, is_name, sums_text
from cutis.runtime.signature import fingerprint_of, key_file
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sha256_of, sync, write_json, written_aside

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = "release-private.pem"
PUBLIC = "release-public.pem"
PASSPHRASE = "CUTIS_KEY_PASSPHRASE"  # noqa: S105  the name of a variable
PrivateKey: TypeAlias = "Ed25519PrivateKey"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Keys(NamedTuple):
    """A pair of keys on the disk."""

    private: Path  # PEM, readable by its owner alone
    public: Path  # PEM, for everybody who installs a release
    fingerprint: str  # of the public one
    locked: bool  # whether the private one asks for a passphrase


def new_keys(folder: Path, *, passphrase: str = "") -> Keys:
    """Make a pair of keys.

    Args:
        folder: where to; it may be there already.
        passphrase: with which the private one is encrypted; none: it lies open.

    Raises:
        UserError: there is a key already; it is never written over.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = Keys(
        folder / PRIVATE, folder / PUBLIC, fingerprint_of(key.public_key().public_bytes_raw()), bool(passphrase)
    )
    for path in keys[:2]:
        if os.path.lexists(path):
            mend = "choose another folder: what was signed by a key that is lost cannot be signed again"
            raise UserError("there is a key already", where=str(path), mend=mend)
    _write_new(keys.private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), mode=0o600)
    _write_new(keys.public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), mode=0o644)
    sync(folder)
    return keys


def read_private_key(path: Path, *, passphrase: str = "") -> PrivateKey:
    """Read the key that signs.

    Raises:
        UserError: there is none, it is of another kind, or the passphrase is wrong or missing.
        SafetyRefusal: others than its owner may read it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = key_file(path)
    if path.stat().st_mode & OTHERS:
        mend = f"chmod 600 {path}; if others may have read it, make new keys: cutis keys FOLDER"
        raise SafetyRefusal("others than its owner may read this private key", where=str(path), mend=mend)
    try:
        key = load_pem_private_key(content, password=passphrase.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is of another kind than Ed25519")
    return key


def _unusable(path: Path, why: str) -> UserError:
    mend = f"give the private key that cutis keys wrote, and its passphrase, if it has one, in {PASSPHRASE}"
    return UserError(f"this private key cannot be used: {why}", where=str(path), mend=mend)


def seal(
    folder: Path,
    *,
    about: Mapping[str, Any],
    made_from: Mapping[str, str],
    key: PrivateKey | None = None,
) -> None:
    """Write the manifest of everything in a folder, its signature, and the sums of both.

    Args:
        folder: holds plain files only.
        about: what the manifest says beside its files.
        made_from: sha256 of what the folder was made from.
        key: that signs; without one the manifest finds damage, but not forgery.

    Raises:
        ValueError: a file has a name that no release may have.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = [name for name in names if name not in SEAL]
    odd = [name for name in names if not is_name(name) or (folder / name).is_symlink()]
    if odd:
        raise ValueError(f"these cannot be part of a release: {', '.join(odd)}")
    files = {name: {"size": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)} for name in names}
    signer = {"signer": fingerprint_of(key.public_key().public_bytes_raw()) if key else None}
    write_json(folder / MANIFEST, "contents", signer | dict(about) | {"files": files}, made_from=made_from)
    content = (folder / MANIFEST).read_bytes()
    signature = key.sign(content) if key else None
    (folder / SIGNATURE).unlink(missing_ok=True)
    for name, written in ((SIGNATURE, signature), (SUMS, sums_text(content, signature))):
        if written is not None:
            with written_aside(folder / name) as aside:
                aside.write_bytes(written)


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that was not there, with this mode from its first moment on."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with open(handle, "wb") as file:  # noqa: PTH123  a handle has no path
        file.write(content)
        file.flush()
        os.fsync(handle)
