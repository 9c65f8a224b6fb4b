"""The record keeps answers on the disk, not in memory."""

import os
import subprocess
import sys
from itertools import pairwise

import pytest

KEPT = """
import sys
from pathlib import Path
from clinics import an_answer, an_opened_record
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.journal.anchors import anchored
from cutis.serve.record.cases import new_case
from cutis.serve.record.examinations import Part, keep_examination
from cutis.serve.record.history import examinations
def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000
folder = Path(sys.argv[1])
sizes = {Part.PICTURE: 100_000, Part.THUMBNAIL: 10_000, Part.MAPS: 50_000}
answer, parts = an_answer(), {part: [bytes(size)] for part, size in sizes.items()}
with an_opened_record(folder, sys.argv[2]) as record, anchored(record.database, record.vault, record.folder, seconds=1):
    for number in range(1, 6001):
        with record.database.writing() as connection:
            case = new_case(connection, record.vault, now=number)
            made = keep_examination(
                connection, record.vault, answer, case_id=case.id, by="clinician", silent=False, parts=parts, now=number
            )
            told = Entry(kind=Kind.ANSWER, by="clinician", case_id=case.id, examination_id=made.id,
                         sealed={"answer": answer.to_dict()})
            write(connection, record.vault, told, now=number)
        if number % 50 == 0:
            with record.database.reading() as connection:
                examinations(connection, record.vault)
        if number % 1000 == 0:
            print(held(), flush=True)
"""


@pytest.mark.slow
def test_five_thousand_answers_make_no_memory_grow(tmp_path, database_url):
    """At most 1 MB in a thousand, by the median thousand; the first one fills the caches."""
    done = subprocess.run(
        [sys.executable, "-c", KEPT, str(tmp_path), database_url],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},  # it finds what this process finds
    )

    held = list(map(float, done.stdout.split()))
    grown = [later - sooner for sooner, later in pairwise(held)]
    assert sorted(grown)[len(grown) // 2] <= 1, held
