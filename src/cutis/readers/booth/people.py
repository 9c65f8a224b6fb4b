"""Who reads: invited to a place, consenting, telling years and training, and leaving with everything erased."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from cutis.readers.booth.tables import ANSWERS, LEAVERS, READERS
from cutis.readers.protocol import Protocol, Slot
from cutis.web.accounts import Role, make_account, make_link, remove_account

TRAINING = ("resident", "dermatologist", "general", "other")
DERMOSCOPY = ("none", "sometimes", "weekly", "daily")
MOST_YEARS = 70


class Reader(NamedTuple):
    """One reader as the booth knows them."""

    account_id: str
    reader_id: str
    place: str
    label: str
    picture_key: str
    invited_at: float
    has_consented: bool
    has_profile: bool


class Invitation(NamedTuple):
    """What becomes of one name on the administrator's list."""

    label: str
    place: str | None  # none: no place is left for them
    token: str | None  # none: they had been invited before


def invite(
    connection: Connection, protocol: Protocol, labels: Sequence[str], *, now: float, days: float
) -> tuple[Invitation, ...]:
    """Give each person a place, an account and a personal link; whoever was invited already stays as they are.

    A place that the protocol keeps for one of the dataset's raters goes to nobody else.
    """
    known = {row.label: row.place for row in connection.execute(select(READERS.c.label, READERS.c.place))}
    free = [slot for slot in protocol.slots if slot.name not in set(known.values())]
    made: list[Invitation] = []
    for label in dict.fromkeys(each.strip() for each in labels if each.strip()):
        if label in known:
            made.append(Invitation(label, known[label], None))
            continue
        slot = _slot_for(label, free, protocol.labellers)
        if slot is None:
            made.append(Invitation(label, None, None))
            continue
        free.remove(slot)
        account = make_account(connection, Role.READER, now=now)
        row = {
            "account_id": account.id,
            "reader_id": f"r-{secrets.token_hex(5)}",
            "place": slot.name,
            "label": label,
            "picture_key": secrets.token_hex(32),
            "invited_at": now,
        }
        connection.execute(insert(READERS).values(row))
        made.append(Invitation(label, slot.name, make_link(connection, account.id, now=now, days=days)))
    return tuple(made)


def _slot_for(label: str, free: Sequence[Slot], labellers: Sequence[str]) -> Slot | None:
    """Return a free place: who labelled a case of the study goes where it is not read, or nowhere."""
    own = next((rater for rater in labellers if rater.casefold() == label.casefold()), None)
    return next((slot for slot in free if slot.rater == own), None)


def reader_of(connection: Connection, account_id: str, *, alone: bool = False) -> Reader | None:
    """Return the reader of an account; `alone` keeps other answers of the same reader waiting until the end."""
    query = select(READERS).where(READERS.c.account_id == account_id)
    row = connection.execute(query.with_for_update() if alone else query).one_or_none()
    return None if row is None else _reader(row)


def readers_of(connection: Connection) -> tuple[Reader, ...]:
    """Return all readers in the order of their invitation."""
    return tuple(map(_reader, connection.execute(select(READERS).order_by(READERS.c.invited_at, READERS.c.label))))


def _reader(row: Row[tuple[object, ...]]) -> Reader:
    return Reader(
        account_id=row.account_id,
        reader_id=row.reader_id,
        place=row.place,
        label=row.label,
        picture_key=row.picture_key,
        invited_at=row.invited_at,
        has_consented=row.consented_at is not None,
        has_profile=row.training is not None,
    )


def consent(connection: Connection, account_id: str, *, sha256: str, now: float) -> None:
    """Keep that a reader consented, when, and to which words."""
    values = {"consented_at": now, "consent_sha256": sha256}
    connection.execute(update(READERS).where(READERS.c.account_id == account_id).values(values))


def keep_profile(connection: Connection, account_id: str, *, years: int, training: str, dermoscopy: str) -> None:
    """Keep what a reader tells of their experience."""
    values = {"years": years, "training": training, "dermoscopy": dermoscopy}
    connection.execute(update(READERS).where(READERS.c.account_id == account_id).values(values))


def withdraw(connection: Connection, account_id: str, *, now: float) -> None:
    """Erase a reader: answers, profile, place, links, sessions and account; that somebody left is all that stays."""
    theirs = ANSWERS.c.account_id == account_id
    had_begun = connection.execute(select(ANSWERS.c.number).where(theirs, ANSWERS.c.session > 0).limit(1)).first()
    connection.execute(delete(ANSWERS).where(theirs))
    connection.execute(delete(READERS).where(READERS.c.account_id == account_id))
    remove_account(connection, account_id)
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    connection.execute(insert(LEAVERS).values(day=day, had_begun=had_begun is not None))
