"""An exported journal can be checked by anybody, with nothing of ours."""

import hashlib
import json

import pytest

from clinics import an_opened_record
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.journal.exporting import exported
from cutis.serve.record.cases import new_case


@pytest.mark.parametrize("is_opened", [True, False])
def test_the_chain_is_recomputed_from_the_lines_alone(tmp_path, database_url, is_opened):
    """As docs/journal.md describes it."""
    with an_opened_record(tmp_path / "clinic", database_url) as record:
        for number in range(3):
            with record.database.writing() as connection:
                case = new_case(connection, record.vault, now=1)
                entry = Entry(
                    kind=Kind.NOTE, by="ä", case_id=case.id, open={"b": number, "a": "é"}, sealed={"text": "secret"}
                )
                write(connection, record.vault, entry, now=1_800_000_000.123456)
        with record.database.reading() as connection:
            lines = list(map(json.loads, exported(connection, record.vault if is_opened else None)))

    previous = "0" * 64
    for line in lines[1:]:
        open_part = json.dumps(line["open"], sort_keys=True, separators=(",", ":"))
        fields = [line[name] for name in ("number", "at", "kind", "by", "case_id", "examination_id")]
        told = json.dumps([previous, *fields, open_part, line["sealed_sha256"]], separators=(",", ":"))
        assert hashlib.sha256(told.encode()).hexdigest() == line["hash"]
        assert line["previous"] == previous
        previous = line["hash"]
    assert [line.get("sealed", {}).get("text") for line in lines[1:]] == (["secret"] * 3 if is_opened else [None] * 3)
