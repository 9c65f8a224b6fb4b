"""Cases: one lesion of one person each. Nothing about the person is kept beside what was sealed by the case's key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from cutis.serve.tables import CASES, EXAMINATIONS, KEYS
from cutis.serve.vault import Vault


@dataclass(frozen=True)
class Case:
    """One lesion of one person, seen once or over years."""

    id: str
    made_at: float
    erased_at: float | None = None


def new_case(connection: Connection, vault: Vault, *, now: float) -> Case:
    """Open a case with a key of its own."""
    case = Case(id=secrets.token_hex(16), made_at=now)
    connection.execute(insert(CASES).values(id=case.id, made_at=now))
    connection.execute(insert(KEYS).values(case_id=case.id, wrapped=vault.new_key()))
    return case


def case_of(connection: Connection, case_id: str, *, alone: bool = False) -> Case | None:
    """Return a case; `alone` keeps others who change it waiting until the end of the block."""
    query = select(CASES).where(CASES.c.id == case_id)
    row = connection.execute(query.with_for_update() if alone else query).one_or_none()
    return Case(*row) if row else None


def cases_by_accession(connection: Connection, vault: Vault, number: str) -> tuple[Case, ...]:
    """Return the cases that have an examination under this number, the oldest first."""
    under_it = select(EXAMINATIONS.c.case_id).where(EXAMINATIONS.c.accession == vault.accession(number))
    query = select(CASES).where(CASES.c.id.in_(under_it)).order_by(CASES.c.made_at, CASES.c.id)
    return tuple(Case(*row) for row in connection.execute(query))


def key_of(connection: Connection, case_id: str) -> bytes | None:
    """Return a case's wrapped key; None where it was destroyed, or never was."""
    query = select(KEYS.c.wrapped).where(KEYS.c.case_id == case_id)
    found: bytes | None = connection.execute(query).scalar_one_or_none()
    return found
