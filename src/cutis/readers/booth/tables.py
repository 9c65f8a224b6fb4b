"""The booth's tables, as queries name them; migrations make them. None of them has a place for the truth."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Double, Integer, MetaData, String, Table

BOOTH = MetaData()

READERS = Table(
    "booth_readers",
    BOOTH,
    Column("account_id", String(32), primary_key=True),
    Column("reader_id", String(16)),  # drawn at random: what stands in the readings
    Column("place", String(80)),  # the slot's name in the protocol
    Column("label", String(120)),  # what the administrator calls this person
    Column("picture_key", String(64)),  # from which the names of this reader's pictures follow
    Column("invited_at", Double),
    Column("consented_at", Double),
    Column("consent_sha256", String(64)),  # of the words that were consented to
    Column("years", Integer),  # in dermatology
    Column("training", String(20)),
    Column("dermoscopy", String(20)),
)
ANSWERS = Table(
    "booth_answers",
    BOOTH,
    Column("number", Integer, primary_key=True),
    Column("answer_id", String(40)),  # drawn by the browser: the same answer sent twice is one
    Column("account_id", String(32)),
    Column("session", Integer),  # 0 is practice
    Column("position", Integer),  # within the session, from 1
    Column("case_id", String(200)),
    Column("occasion", Integer),
    Column("arm", String(10)),
    Column("diagnosis", String(80)),
    Column("further", JSON),
    Column("management", String(20)),
    Column("confidence", Double),
    Column("ratings", JSON),
    Column("seconds", Double),
    Column("answered_at", Double),
    Column("received_at", Double),
    Column("protocol_sha256", String(64)),
)
LEAVERS = Table(
    "booth_leavers",
    BOOTH,
    Column("number", Integer, primary_key=True),
    Column("day", String(10)),  # when somebody left; nothing says who
    Column("had_begun", Boolean),
)
