"""What was acknowledged is there, whatever happens to the process or the disk (must show 3; threat 5)."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from sqlalchemy import select

from asked_servers import Asking, a_served_clinic, asked
from clinics import a_jpeg, an_opened_record
from cutis.serve.journal import Kind, entries
from cutis.serve.journal.verifying import verify
from cutis.serve.record.examinations import Part, answer_of, contents_of, examination_of
from cutis.serve.tables import EXAMINATIONS
from factories import a_running_release
from sites import free_port

KILLS = 3
FULL = """
import resource, signal, sys
from pathlib import Path
from clinics import an_answer, an_opened_record
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.record.cases import new_case
from cutis.serve.record.examinations import Part, keep_examination
folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with an_opened_record(folder, f"sqlite:///{folder / 'clinic.sqlite'}") as record:
    def keep(number):
        with record.database.writing() as connection:
            case = new_case(connection, record.vault, now=number)
            made = keep_examination(
                connection, record.vault, an_answer(), case_id=case.id, by="clinician", silent=False,
                parts={Part.PICTURE: [bytes(50_000)]}, now=number,
            )
            entry = Entry(kind=Kind.ANSWER, by="clinician", case_id=case.id, examination_id=made.id, sealed={"a": 1})
            write(connection, record.vault, entry, now=number)
        print(made.id, flush=True)
    keep(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    refused = 0
    for number in range(1, 200):
        try:
            keep(number)
        except Exception as error:
            refused += 1
    print("refused", refused, file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    keep(1000)
"""


@pytest.mark.slow
def test_a_server_that_is_killed_under_load_has_written_down_every_answer_that_it_showed(tmp_path, database_url):
    """Killed three times: each answer that was shown is in the journal, whole and once, also where one asked again."""
    release, picture = a_running_release(tmp_path / "release"), a_jpeg()
    told, untold = {}, set()
    for number in range(KILLS):
        with a_served_clinic(tmp_path / "clinic", database_url, release=release, port=free_port()) as (process, origin):
            for key in sorted(untold):  # what a browser does whose line was cut
                told.setdefault(key, []).append(asked(origin, picture, key=key))
            untold.clear()
            with Asking(origin, picture) as asking:
                asking.until(12 + 9 * number)
                process.kill()
        told |= asking.told
        untold |= asking.untold

    with an_opened_record(tmp_path / "clinic", database_url) as record, record.database.reading() as connection:
        ids = {each for found in told.values() for each in found}
        answers = Counter(each.examination_id for each in entries(connection, kinds=[Kind.ANSWER]))
        shown = Counter(each.examination_id for each in entries(connection, kinds=[Kind.SHOWN]))
        for each in ids:
            made = examination_of(connection, each)
            assert answer_of(connection, record.vault, made).findings
            assert len(contents_of(connection, record.vault, made, Part.PICTURE)) == 1
        kept = set(connection.execute(select(EXAMINATIONS.c.id)).scalars())
        verdict = verify(connection, [], record.vault.public)
    assert len(ids) == len(told) >= 12 + 21 + 30
    assert all(answers[each] == 1 and shown[each] >= 1 for each in ids)
    assert kept == set(answers)
    assert len(kept) <= len(told) + len(untold)
    assert verdict.broken is None or "their file is missing" in verdict.broken.why


def test_on_a_full_disk_no_acknowledged_entry_is_lost(tmp_path):
    """What cannot be written is refused and not acknowledged; what was stays, and it goes on when there is room."""
    words = [sys.executable, "-c", FULL, str(tmp_path)]
    where = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # it finds what this process finds
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=where)
    told = done.stdout.split()

    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split()[-1]) > 100
    url = f"sqlite:///{tmp_path / 'clinic.sqlite'}"
    with an_opened_record(tmp_path, url) as record, record.database.reading() as connection:
        assert [each.examination_id for each in entries(connection, kinds=[Kind.ANSWER])] == told
        assert set(connection.execute(select(EXAMINATIONS.c.id)).scalars()) == set(told)
        for each in told:
            made = examination_of(connection, each)
            assert contents_of(connection, record.vault, made, Part.PICTURE) == (bytes(50_000),)
        assert verify(connection, [], record.vault.public).broken is None
    assert len(told) > 10
