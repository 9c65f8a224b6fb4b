"""A few facts of the site, kept in its database."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cutis.serve.tables import STATE


def fact(connection: Connection, name: str) -> Any:
    """Return a fact; None where it was never stated."""
    value = connection.execute(select(STATE.c.value).where(STATE.c.name == name)).scalar_one_or_none()
    return None if value is None else json.loads(value)


def state_fact(connection: Connection, name: str, value: Any) -> None:
    """Keep a fact, over what was said of it before."""
    told = json.dumps(value)
    if not connection.execute(update(STATE).where(STATE.c.name == name).values(value=told)).rowcount:
        connection.execute(insert(STATE).values(name=name, value=told))
