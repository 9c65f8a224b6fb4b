"""Names become pseudonyms that only the holder of the key can make again, and days are moved."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, stamp, written_aside

KEY_FILE = "pseudonym.key"
KEY_BYTES = 32
LETTERS = 16  # hexadecimal: 64 bits, so that among 10⁶ pseudonyms two meet by chance once in 4 × 10⁷ datasets
FARTHEST_SHIFT = 182  # days


@dataclass(frozen=True)
class Key:
    """The secret behind the pseudonyms; it is never part of a dataset."""

    secret: bytes

    def pseudonym(self, kind: str, *words: str) -> str:
        """Return the pseudonym of an identifier; the same words of another kind have another one."""
        return self._mac(kind, *words).hex()[:LETTERS]

    def shift(self, who: str) -> dt.timedelta:
        """Return by how much all days of one patient are moved: half a year at most, and never not at all."""
        days = int.from_bytes(self._mac("date", who)[:8], "big") % (2 * FARTHEST_SHIFT) - FARTHEST_SHIFT
        return dt.timedelta(days=days if days < 0 else days + 1)

    def _mac(self, *words: str) -> bytes:
        return hmac.digest(self.secret, "\x1f".join(words).encode(), hashlib.sha256)


def read_or_make_key(private: Path) -> Key:
    """Return the key of this workspace, or a new one, which is not written yet.

    Raises:
        SafetyRefusal: what lies there is no key.
    """
    path = private / KEY_FILE
    if not path.exists():
        return Key(secrets.token_bytes(KEY_BYTES))
    try:
        secret = bytes.fromhex(read_json(path, "key")["key"])
    except (KeyError, TypeError, ValueError, UserError) as error:
        raise damaged("key of the pseudonyms", path) from error
    if len(secret) != KEY_BYTES:
        raise damaged("key of the pseudonyms", path)
    return Key(secret)


def damaged(what: str, path: Path) -> SafetyRefusal:
    """Return the refusal to go on without a private file, for which nothing can stand in."""
    mend = "put the right one back from where it is kept safe, or begin a new --workspace"
    return SafetyRefusal(f"the {what} is damaged, or of a newer cutis", where=str(path), mend=mend)


def write_key(private: Path, key: Key) -> None:
    """Write a key that was not written yet, readable by its owner alone."""
    path = private / KEY_FILE
    if path.exists():
        return
    with written_aside(path) as aside:
        aside.touch(mode=0o600)
        aside.write_text(json.dumps(stamp("key") | {"key": key.secret.hex()}) + "\n", encoding="utf-8")
