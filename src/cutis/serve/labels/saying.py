"""Writing down what a rater says of the truth: blind where they are, aided where an answer was shown to them."""

from __future__ import annotations

from sqlalchemy import Connection

from cutis.serve.labels.truths import Said
from cutis.serve.record.examinations import Examination
from cutis.serve.record.words import NotBlindError, Says, Source, Truth, Word, note_truth, note_word
from cutis.serve.vault import Vault


def say(connection: Connection, vault: Vault, examination: Examination, said: Said, *, by: str, now: float) -> bool:
    """Keep a rater's diagnosis, and return whether it counts as blind.

    Raises:
        Erased: the case is no more.
    """
    truth = Truth(source=Source.BLIND, diagnosis=said.code, other=said.other, is_malignant=said.is_malignant)
    try:
        note_truth(connection, vault, truth, case_id=examination.case_id, examination_id=examination.id, by=by, now=now)
    except NotBlindError:
        word = Word(says=Says.OTHER, diagnosis=said.code, other=said.other, by_rater=True)
        note_word(connection, vault, examination, word, by=by, now=now)
        return False
    return True


def say_histology(
    connection: Connection,
    vault: Vault,
    examination: Examination,
    said: Said,
    *,
    day: str,
    report: str,
    by: str,
    now: float,
) -> None:
    """Keep what histology found; of the report's number only its keyed HMAC is kept.

    Args:
        connection: that writes.
        vault: seals it.
        examination: whose lesion was examined.
        said: what it is.
        day: of the report, as YYYY-MM-DD.
        report: its number; may be empty.
        by: who enters it.
        now: the time.

    Raises:
        Erased: the case is no more.
    """
    truth = Truth(
        source=Source.HISTOLOGY,
        diagnosis=said.code,
        other=said.other,
        is_malignant=said.is_malignant,
        day=day,
        report=vault.accession(report) if report.strip() else None,
    )
    note_truth(connection, vault, truth, case_id=examination.case_id, examination_id=examination.id, by=by, now=now)
