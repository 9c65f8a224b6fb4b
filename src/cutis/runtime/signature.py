"""Whether somebody whose public key is known has signed these bytes (Ed25519, RFC 8032)."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import NamedTuple

from cutis.vocabulary.errors import SafetyRefusal, UserError

LONGEST_KEY = 10_000  # bytes of a key file
SIGNATURE_LENGTH = 64  # bytes


class PublicKey(NamedTuple):
    """What a signature is checked against."""

    raw: bytes  # 32
    path: Path

    @property
    def fingerprint(self) -> str:
        """The sha256 of the 32 bytes, in hex: what two people compare by telephone."""
        return fingerprint_of(self.raw)


def fingerprint_of(raw: bytes) -> str:
    """Return by which name a public key of 32 bytes goes."""
    return hashlib.sha256(raw).hexdigest()


def read_public_key(path: Path, *, outside: Path) -> PublicKey:
    """Read a public key from a PEM file that is not part of what it vouches for.

    Args:
        path: of the key.
        outside: the release that it is to check.

    Raises:
        UserError: there is no such file, or it is no public Ed25519 key.
        SafetyRefusal: it lies within the release; whoever changed the one could have changed the other.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if path.resolve().is_relative_to(outside.resolve()):
        mend = "give the key that you got from whoever signs, by another way than the release"
        raise SafetyRefusal("this key lies within the release that it is to check", where=str(path), mend=mend)
    content = key_file(path)
    if b"PRIVATE KEY" in content:
        raise _unusable(path, "it is a private one, which belongs to whoever signs")
    try:
        key = load_pem_public_key(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(path, "it is of another kind than Ed25519")
    return PublicKey(key.public_bytes_raw(), path)


def _unusable(path: Path, why: str) -> UserError:
    mend = "give the public key that cutis keys wrote, release-public.pem"
    return UserError(f"this is no public key: {why}", where=str(path), mend=mend)


def key_file(path: Path) -> bytes:
    """Return the bytes of a key's file.

    Raises:
        UserError: it is missing, no plain file, or far too long.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserError("a key is a plain file", where=str(path), mend="check the path")
        with path.open("rb") as file:
            content = file.read(LONGEST_KEY + 1)
    except OSError as error:
        what = f"this key cannot be read: {error.strerror}"
        raise UserError(what, where=str(path), mend="check the path, or make keys: cutis keys FOLDER") from error
    if len(content) > LONGEST_KEY:
        raise UserError("this file is too long for a key", where=str(path), mend="check the path")
    return content


def has_signed(key: PublicKey, content: bytes, signature: bytes) -> bool:
    """Say whether this signature was made of exactly these bytes by the private half of this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, content)
    except InvalidSignature:
        return False
    return True
