"""What tells of a patient is encrypted by a key of its case, and that key by the master key of the site.

Contents and keys are sealed by AES-256 in Galois/Counter Mode (NIST SP 800-38D) with a random nonce of 96 bits. The
master key itself seals nothing: what is used is derived from it by HKDF-SHA256 (RFC 5869), a key for each purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, stamp, sync

KEY_BYTES = 32
NONCE_BYTES = 12
KIND = "master-key"
KEPT_SAFE = "bring it back from where you keep it safe"
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Erased(LookupError):
    """The key of this case was destroyed; what it sealed is noise."""


@dataclass(frozen=True)
class Vault:
    """Seals and opens; nothing of it is ever printed."""

    wrapping: AESGCM = field(repr=False)
    numbers: bytes = field(repr=False)  # the key of the accession numbers
    questions: bytes = field(repr=False)  # the key of the names of questions
    signing: Ed25519PrivateKey = field(repr=False)  # signs the head of the journal
    fingerprint: str  # by which a database knows its master key again

    def new_key(self) -> bytes:
        """Return a new key, wrapped."""
        return _sealed(self.wrapping, secrets.token_bytes(KEY_BYTES), b"key of a case")

    def seal(self, wrapped: bytes | None, content: bytes, *, about: str) -> bytes:
        """Encrypt by a case's key.

        Args:
            wrapped: the key, as `new_key` gave it; None where it was destroyed.
            content: to encrypt.
            about: what and whose it is; opened under another name it is refused.

        Raises:
            Erased: there is no key.
        """
        return _sealed(self._key(wrapped), content, about.encode())

    def open(self, wrapped: bytes | None, sealed: bytes, *, about: str) -> bytes:
        """Return what was sealed under this name.

        Raises:
            Erased: there is no key.
            SafetyRefusal: it was changed, moved, or sealed under another master key.
        """
        return _opened(self._key(wrapped), sealed, about.encode())

    def accession(self, number: str) -> str:
        """Return what is kept of an accession number: its HMAC-SHA256, in hex; blanks around it do not count."""
        return hmac.new(self.numbers, number.strip().encode(), hashlib.sha256).hexdigest()

    def question(self, name: str) -> str:
        """Return what is kept of a question's name, in hex: who drew it may have drawn it of a patient's number."""
        return hmac.new(self.questions, name.encode(), hashlib.sha256).hexdigest()

    def sign(self, content: bytes) -> str:
        """Return a signature by the site, in hex."""
        return self.signing.sign(content).hex()

    @property
    def public(self) -> Ed25519PublicKey:
        """What the anchors of the journal are checked against."""
        return self.signing.public_key()

    def _key(self, wrapped: bytes | None) -> AESGCM:
        if wrapped is None:
            raise Erased
        return AESGCM(_opened(self.wrapping, wrapped, b"key of a case"))


def is_signed(public: Ed25519PublicKey, content: bytes, signature: str) -> bool:
    """Say whether the holder of this key signed a content; the signature is in hex, or nonsense."""
    try:
        public.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def vault_of(master: bytes) -> Vault:
    """Return the vault of a master key of 32 bytes."""
    return Vault(
        wrapping=AESGCM(_derived(master, "wrapping")),
        numbers=_derived(master, "accession numbers"),
        questions=_derived(master, "questions"),
        signing=Ed25519PrivateKey.from_private_bytes(_derived(master, "anchors")),
        fingerprint=_derived(master, "fingerprint").hex(),
    )


def read_vault(path: Path) -> Vault:
    """Return the vault whose master key lies in this file.

    Raises:
        UserError: it is missing or no master key.
        SafetyRefusal: others than its owner may read it.
    """
    content = read_json(path, KIND, mend=KEPT_SAFE)
    if path.stat().st_mode & FOR_OTHERS:
        what = "others may read the master key"
        raise SafetyRefusal(what, where=str(path), mend=f"chmod 600 {path}; if others did read it, begin a new site")
    try:
        master = bytes.fromhex(content["key"])
    except (KeyError, TypeError, ValueError):
        master = b""
    if len(master) != KEY_BYTES:
        raise UserError("this master key is damaged", where=str(path), mend=KEPT_SAFE)
    return vault_of(master)


def make_vault(path: Path) -> Vault:
    """Make a master key that only its owner may read, on the disk before anything is sealed by it.

    Raises:
        FileExistsError: there is one; none is ever replaced.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    content = stamp(KIND) | {"key": secrets.token_hex(KEY_BYTES)}
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(content) + "\n")
    try:
        sync(aside)
        path.hardlink_to(aside)  # unlike a rename, it never replaces
    finally:
        aside.unlink()
    sync(path.parent)
    return read_vault(path)


def _derived(master: bytes, purpose: str) -> bytes:
    info = f"cutis clinic: {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


def _sealed(key: AESGCM, content: bytes, about: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.encrypt(nonce, content, about)


def _opened(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        what = "something of the record was changed, or sealed under another master key"
        mend = "name the site's own master key, or restore a back-up"
        raise SafetyRefusal(what, where=about.decode(), mend=mend) from error
