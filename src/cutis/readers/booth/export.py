"""From the booth's database to the files that the score reads."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from cutis.readers.booth.study import Study
from cutis.readers.booth.tables import ANSWERS, READERS
from cutis.readers.protocol import PRACTICE
from cutis.vocabulary.files import written_aside
from cutis.vocabulary.reading import Reading, write_readings

READINGS, PROFILES = "readings.parquet", "readers.csv"


class Exported(NamedTuple):
    """What was written."""

    readings: Path
    profiles: Path
    answers: int
    readers: int


def readings_of(connection: Connection, study: Study) -> tuple[Reading, ...]:
    """Return the answers that count, reader by reader in the order of reading; practice is none of them."""
    query = (
        select(READERS.c.reader_id, READERS.c.place, ANSWERS)
        .join(READERS, READERS.c.account_id == ANSWERS.c.account_id)
        .where(ANSWERS.c.session > PRACTICE)
        .order_by(READERS.c.reader_id, ANSWERS.c.session, ANSWERS.c.position)
    )
    before = {
        (slot.name, session): sum(
            len(study.orders[slot.name, each]) for each in study.protocol.sessions if each < session
        )
        for slot in study.protocol.slots
        for session in study.protocol.sessions
    }
    return tuple(
        Reading(
            reader_id=row.reader_id,
            case_id=row.case_id,
            occasion=row.occasion,
            position=before[row.place, row.session] + row.position,
            arm=row.arm,
            diagnosis=row.diagnosis,
            further=tuple(row.further),
            management=row.management,
            confidence=row.confidence,
            ratings=row.ratings or None,
            seconds=row.seconds,
            read_at=datetime.fromtimestamp(row.answered_at, UTC).isoformat(timespec="seconds"),
            protocol_sha256=row.protocol_sha256,
        )
        for row in connection.execute(query)
    )


def profiles_of(connection: Connection) -> str:
    """Return what readers told of themselves as CSV: a random name, years, training, dermoscopy; blank where untold."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    columns = ("reader_id", "years", "training", "dermoscopy")
    writer.writerow(columns)
    query = select(*(READERS.c[name] for name in columns)).order_by(READERS.c.reader_id)
    writer.writerows(["" if cell is None else cell for cell in row] for row in connection.execute(query))
    return text.getvalue()


def export(connection: Connection, study: Study) -> Exported:
    """Write ``readings.parquet`` and ``readers.csv`` beside the protocol; both take the place of those before."""
    readings = readings_of(connection, study)
    to, profiles = study.folder / READINGS, study.folder / PROFILES
    write_readings(to, readings, made_from={"plan": study.protocol.sha256})
    with written_aside(profiles) as aside:
        aside.write_text(profiles_of(connection), encoding="utf-8")
    return Exported(to, profiles, len(readings), len({reading.reader_id for reading in readings}))
