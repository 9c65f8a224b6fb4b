"""The clinic's tables, as queries name them; migrations make them.

What tells of a patient lies in `CONTENTS`, in `EXAMINATIONS.gist` and in the sealed part of `JOURNAL`, encrypted by the
case's own key; with the key in `KEYS` goes all of it. The other columns tell of nobody.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, MetaData, String, Table, Text

CLINIC = MetaData()

CASES = Table(
    "clinic_cases",  # one lesion of one person, seen once or over years
    CLINIC,
    Column("id", String(32), primary_key=True),
    Column("made_at", Double),
    Column("erased_at", Double),  # none while its key is there
)
KEYS = Table(
    "clinic_keys",
    CLINIC,
    Column("case_id", String(32), primary_key=True),
    Column("wrapped", LargeBinary),  # by the master key
)
EXAMINATIONS = Table(
    "clinic_examinations",  # one question: one or more pictures of one lesion at one time
    CLINIC,
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32)),
    Column("made_at", Double),
    Column("made_by", String(32)),  # account or token
    Column("asked_as", String(64)),  # drawn by who asked: the same question sent twice is one examination
    Column("accession", String(64)),  # keyed HMAC of the number; none where none was given: each visit has its own
    Column("state", String(16)),  # of the answer
    Column("release_sha256", String(64)),
    Column("silent", Boolean),  # the answer was kept and not shown
    Column("device", String(80)),  # the dermatoscope, where it was told
    Column("seconds", Double),
    Column("gist", LargeBinary),  # sealed: what the history is searched by
)
CONTENTS = Table(
    "clinic_contents",
    CLINIC,
    Column("id", String(32), primary_key=True),
    Column("case_id", String(32)),
    Column("examination_id", String(32)),
    Column("kind", String(16)),  # "answer", "picture", "thumbnail", "maps", "note"
    Column("place", Integer),  # which of several
    Column("sealed", LargeBinary),
)
JOURNAL = Table(
    "clinic_journal",
    CLINIC,
    Column("number", Integer, primary_key=True),
    Column("at", Double),
    Column("kind", String(24)),
    Column("by", String(32)),
    Column("case_id", String(32)),
    Column("examination_id", String(32)),
    Column("open", Text),  # canonical JSON: what tells of nobody
    Column("sealed", LargeBinary),  # the rest, by the case's key; stays when the key goes
    Column("previous", String(64)),
    Column("hash", String(64)),
)
STATE = Table(
    "clinic_state",  # a few facts of the site, such as whether its answers are shown
    CLINIC,
    Column("name", String(40), primary_key=True),
    Column("value", Text),  # JSON
)
