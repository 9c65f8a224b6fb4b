"""From the record to a folder of labels: everything that is known blind or by histology, and nothing that is aided."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from cutis.runtime.bundle import Bundle
from cutis.serve.beside import release_of
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.labels.folder import TABLE, Labelled, Written, forget, write_labels
from cutis.serve.labels.truths import Known, known_truths
from cutis.serve.opening import opened
from cutis.serve.record.examinations import Part, contents_of, examination_of
from cutis.serve.tables import CASES, CONTENTS
from cutis.serve.vault import Erased, Vault
from cutis.web.database import Database
from cutis.workspace import Finished, remove_abandoned

FOLDERS = "labels"  # in the folder of the clinic: what the page wrote
TERMINAL = "command line"  # who wants it, where nobody was signed in


def export_labels(database: Database, vault: Vault, bundle: Bundle, folder: Path, *, by: str, now: float) -> Written:
    """Write down that pictures leave the record, then write a folder that ``cutis curate`` reads.

    Args:
        database: of the clinic.
        vault: opens the pictures.
        bundle: whose taxonomy the diagnoses are of.
        folder: to be made.
        by: account that wants it.
        now: the time.

    Raises:
        UserError: the folder is there already, or nothing is labelled yet.
    """
    with database.reading() as connection:
        known = {name: each for name, each in known_truths(connection, vault).items() if each.is_told}
        raters = sorted({rater for each in known.values() for rater in each.votes})
        pictures = _pictures(connection, known)
    if pictures:
        told = {"what": "labels", "examinations": len(known), "pictures": pictures}
        with database.writing() as connection:
            write(connection, vault, Entry(kind=Kind.ACCESS, by=by, open=told), now=now)
    with database.reading() as connection:
        return write_labels(folder, _labelled(connection, vault, known), raters=raters, bundle=bundle)


def forget_erased(database: Database, folder: Path) -> int:
    """Take cases that were erased since out of the folders that the page wrote; return how many pictures that were.

    What a kill left unfinished there goes too, whosever it is, once nobody can be at it any more.
    What was written elsewhere, by the command line, or copied, is out of reach.

    Args:
        database: that knows which cases were erased.
        folder: of the clinic; the page's folders lie under ``labels`` in it.
    """
    remove_abandoned(folder / FOLDERS)
    written = sorted((folder / FOLDERS).glob(f"*/{TABLE}"))
    if not written:
        return 0
    with database.reading() as connection:
        erased = set(connection.execute(select(CASES.c.id).where(CASES.c.erased_at.is_not(None))).scalars())
    return sum(forget(table.parent, erased) for table in written)


def labels_of(to: Path, *, settings: Path | None = None, **flags: Any) -> Finished:
    """Do what `export_labels` does, for the clinic of these settings; its server may run meanwhile.

    Raises:
        UserError, SafetyRefusal: see `export_labels`, `opened` and `read_release`.
    """
    with opened(settings, **flags) as kept:
        bundle = release_of(kept.settings, kept.database).bundle
        written = export_labels(kept.database, kept.vault, bundle, to, by=TERMINAL, now=time.time())
    lines = (
        f"{written.examinations} examinations with {written.pictures} pictures",
        f"{written.by_histology} by histology, {written.raters} raters who had seen no answer",
        "not encrypted: keep it where only those who curate can read it",
    )
    facts = {name: value for name, value in written._asdict().items() if name != "folder"}
    return Finished(wrote=to, lines=lines, facts=facts, next_command=f"cutis curate {to}")


def _pictures(connection: Connection, known: Container[str]) -> int:
    """Return how many pictures these examinations have, without opening them."""
    names = connection.execute(select(CONTENTS.c.examination_id).where(CONTENTS.c.kind == Part.PICTURE.value))
    return sum(name in known for name in names.scalars())


def _labelled(connection: Connection, vault: Vault, known: dict[str, Known]) -> Iterator[Labelled]:
    for name, each in known.items():
        examination = examination_of(connection, name)
        if examination is None:
            continue
        try:
            pictures = contents_of(connection, vault, examination, Part.PICTURE)
        except Erased:  # since it was counted
            continue
        yield Labelled(known=each, pictures=pictures, device=examination.device, made_at=examination.made_at)
