"""The head of the journal, signed and written outside of the database: whoever cuts the tail off cannot cut it there.

A chain of hashes tells that an entry was changed; it does not tell that the last ones are missing, or that all of them
were made anew. An anchor does: number and hash of the last entry, signed by a key that follows from the master key
(Ed25519, RFC 8032). Copies of the file that lie on another machine vouch for the journal even against its keeper.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from sqlalchemy import Connection, select

from cutis.serve.journal.files import add_line, read_lines
from cutis.serve.tables import JOURNAL
from cutis.serve.vault import Vault, is_signed
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.web.database import Database

ANCHORS = "anchors.jsonl"
PUBLIC_KEY = "anchors.pub.pem"
KIND = "anchor"
EVERY = 100  # entries
SECONDS = 60.0  # that an entry waits for its anchor at most
LOOKS_EVERY = 1.0


class Anchor(NamedTuple):
    """What the journal's head was at a time."""

    number: int
    hash: str
    at: float
    signature: str  # hex

    def is_signed_by(self, public: Ed25519PublicKey) -> bool:
        """Say whether the holder of this key made it."""
        return is_signed(public, _message(self), self.signature)


def anchor(database: Database, vault: Vault, folder: Path, *, now: float) -> Anchor | None:
    """Sign the head of the journal and add it to the anchors; None where there is nothing new.

    Raises:
        SafetyRefusal: the last anchor names an entry that is not there as it was; nothing after it is vouched for.
    """
    before = read_anchors(folder)
    with database.reading() as connection:
        number, hash_ = head_of(connection)
        if before:
            require_as_anchored(connection, before[-1], where=str(folder / ANCHORS))
    if number == (before[-1].number if before else 0):
        return None
    made = signed(vault, number, hash_, now=now)
    add_line(folder / ANCHORS, KIND, made._asdict())
    return made


def require_as_anchored(connection: Connection, last: Anchor, *, where: str) -> None:
    """Refuse a journal in which the entry of an anchor is missing or another one.

    Raises:
        SafetyRefusal: it is.
    """
    found = connection.execute(select(JOURNAL.c.hash).where(JOURNAL.c.number == last.number)).scalar_one_or_none()
    if found != last.hash:
        what = f"entry {last.number} of the journal is {'missing' if found is None else 'another one'}, says its anchor"
        mend = "see `cutis journal verify`; `cutis clinic restore` brings a back-up back"
        raise SafetyRefusal(what, where=where, mend=mend)


def signed(vault: Vault, number: int, hash_: str, *, now: float) -> Anchor:
    """Return the anchor of an entry."""
    bare = Anchor(number, hash_, now, "")
    return bare._replace(signature=vault.sign(_message(bare)))


def head_of(connection: Connection) -> tuple[int, str]:
    """Return number and hash of the last entry; 0 and nothing where there is none."""
    query = select(JOURNAL.c.number, JOURNAL.c.hash).order_by(JOURNAL.c.number.desc()).limit(1)
    number, hash_ = connection.execute(query).one_or_none() or (0, "")
    return number, hash_


def read_anchors(folder: Path, *, name: str = ANCHORS) -> list[Anchor]:
    """Return the anchors beside a database, or in a copy of another name, the oldest first.

    Raises:
        SafetyRefusal: the file was changed.
    """
    lines = read_lines(folder / name, KIND)
    try:
        return [Anchor(int(line["number"]), line["hash"], line["at"], line["signature"]) for line in lines]
    except (KeyError, TypeError, ValueError) as error:
        what = "a line of the anchors was changed"
        raise SafetyRefusal(what, where=str(folder / name), mend="bring the file back from a back-up") from error


@contextmanager
def anchored(
    database: Database,
    vault: Vault,
    folder: Path,
    *,
    now: Callable[[], float] = time.time,
    every: int = EVERY,
    seconds: float = SECONDS,
    tell: Callable[..., object] = print,
) -> Iterator[None]:
    """Anchor the journal at the beginning, at the end, and in between after so many entries or seconds.

    Args:
        database: that holds the journal.
        vault: signs.
        folder: of the anchors; the public key is laid beside them.
        now: the time.
        every: entries.
        seconds: that the first entry without an anchor waits at most.
        tell: is told the name of what went wrong, and how; it is tried again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PUBLIC_KEY).write_bytes(vault.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    anchor(database, vault, folder, now=now())
    over = threading.Event()
    thread = threading.Thread(
        target=_keep_anchoring, args=(database, vault, folder, now, every, seconds, tell, over), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        anchor(database, vault, folder, now=now())


def read_anchor_key(path: Path) -> Ed25519PublicKey:
    """Read the public key that anchors are checked against, for who has no master key.

    Raises:
        UserError: there is none.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            "there is no public key here", where=str(path), mend=f"give {PUBLIC_KEY} of the site"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UserError("this is no Ed25519 key", where=str(path), mend=f"give {PUBLIC_KEY} of the site")
    return key


def _keep_anchoring(
    database: Database,
    vault: Vault,
    folder: Path,
    now: Callable[[], float],
    every: int,
    seconds: float,
    tell: Callable[..., object],
    over: threading.Event,
) -> None:
    anchored_until, waiting_since = 0, None
    while not over.wait(min(LOOKS_EVERY, seconds)):
        try:
            number = _last_number(database)
            waiting_since = (waiting_since or time.monotonic()) if number > anchored_until else None
            is_due = waiting_since is not None and time.monotonic() - waiting_since >= seconds
            if is_due or number - anchored_until >= every:
                anchor(database, vault, folder, now=now())
                anchored_until, waiting_since = number, None
        except Exception as error:  # noqa: BLE001  a server without anchors must go on saying so
            tell("anchor_failed", reason=type(error).__name__)
            over.wait(seconds)


def _last_number(database: Database) -> int:
    with database.reading() as connection:
        return head_of(connection)[0]


def _message(anchor_: Anchor) -> bytes:
    told = [anchor_.number, anchor_.hash, anchor_.at]
    return b"cutis journal anchor: " + json.dumps(told, separators=(",", ":")).encode()
