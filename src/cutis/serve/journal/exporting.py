"""The journal as lines of JSON, for whoever audits it elsewhere; hashes can be recomputed from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from cutis.serve.journal.entry import Kept
from cutis.serve.journal.reading import entries, opened
from cutis.serve.vault import Vault
from cutis.vocabulary.files import stamp


def exported(connection: Connection, vault: Vault | None = None) -> Iterator[str]:
    """Return the lines: a stamp, then an entry each, in their order.

    Args:
        connection: that reads.
        vault: opens what is sealed, where it is asked for; without it, a line holds what tells of nobody.
    """
    yield json.dumps(stamp("journal") | {"is_opened": vault is not None})
    if vault is None:
        for kept in entries(connection):
            yield json.dumps(_line(kept), ensure_ascii=False)
        return
    for kept, sealed in opened(connection, vault):
        yield json.dumps(_line(kept) | {"sealed": sealed, "is_erased": sealed is None}, ensure_ascii=False)


def _line(kept: Kept) -> dict[str, Any]:
    told = {
        "open": kept.content,
        "sealed_sha256": None if kept.sealed is None else hashlib.sha256(kept.sealed).hexdigest(),
        "time": datetime.fromtimestamp(kept.at, UTC).isoformat(),
    }
    return {name: value for name, value in kept._asdict().items() if name != "sealed"} | told
