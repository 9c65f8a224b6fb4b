"""Candidates become cases: identifiers are replaced, days moved, the very old counted together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cutis.curate.screen import POOR, Candidate
from cutis.vocabulary.case import Case
from cutis.vocabulary.pseudonyms import Key

OLDEST_TOLD = 89  # years; whoever is older counts as 90, for the very old are few enough to be recognised


class Deidentified(NamedTuple):
    """Cases, and the candidate behind each, which is for our eyes only."""

    cases: list[Case]
    candidates: list[Candidate]


def deidentify(candidates: Sequence[Candidate], key: Key, folder: Path) -> Deidentified:
    """Return a case for each candidate, in an order that tells nothing, and give the pictures in `folder` their names.

    A case's name depends on the bytes of the clinic's file, not on its path, so that a file that was moved or
    relabelled keeps its name, and with it its split.
    """
    copies = Counter[str]()
    named = []
    for candidate in sorted(candidates, key=lambda one: one.row.file):
        source = candidate.picture.source_sha256
        copies[source] += 1
        case_id = key.pseudonym("case", source, str(copies[source]))
        written = candidate.picture.written
        image = written.rename(written.with_stem(case_id)).relative_to(folder).as_posix()
        named.append((_case(candidate, key, case_id, image=image), candidate))
    named.sort(key=lambda pair: pair[0].case_id)
    return Deidentified([case for case, _ in named], [candidate for _, candidate in named])


def _case(candidate: Candidate, key: Key, case_id: str, *, image: str) -> Case:
    row, verdict, picture = candidate.row, candidate.verdict, candidate.picture
    patient_id = key.pseudonym("patient", row.patient) if row.patient else None
    # Lesions may be numbered anew for each patient, so that a lesion is named together with its patient.
    lesion_id = key.pseudonym("lesion", row.patient or "", row.lesion) if row.lesion else None
    who = patient_id or lesion_id or case_id
    return Case(
        case_id=case_id,
        image=image,
        sha256=picture.sha256,
        cluster_id=who,
        patient_id=patient_id,
        lesion_id=lesion_id,
        diagnosis=verdict.diagnosis,
        votes=verdict.votes,
        confirmed_by=verdict.confirmed_by,
        indeterminate=verdict.indeterminate or (POOR if picture.is_poor else None),
        quality=picture.quality,
        age=row.age if row.age is None or row.age <= OLDEST_TOLD else OLDEST_TOLD + 1.0,
        sex=row.sex,
        site=row.site,
        skin_tone=row.skin_tone,
        device=row.device,
        date=(row.date + key.shift(who)).isoformat() if row.date else None,
    )
