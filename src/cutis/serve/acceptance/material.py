"""From the journal to what the acceptance test counts: the answers of one release, and the truth that came back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from cutis.runtime.bundle import Bundle
from cutis.serve.acceptance.figures import Scored
from cutis.serve.answer import Answer, State, answer_from
from cutis.serve.journal import Kind, entries, opened
from cutis.serve.labels.truths import Said, known_truths, settled
from cutis.serve.tables import JOURNAL
from cutis.serve.vault import Vault

OTHER = ""  # under which truths are counted that the release does not know


class Pair(NamedTuple):
    """One answer of the release, and its truth where it is known."""

    examination_id: str
    case_id: str
    answer: Answer
    truth: Said | None
    by: str | None  # what settled it


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a plan is: counts of truths alone, for a figure would tempt to stop when it looks good."""

    asked: int  # examinations
    with_truth: int  # of them
    by: dict[str, int]  # what settled it
    malignant: int
    of: dict[str, int]  # truths by code; under "" those that the release does not know


def pairs_of(
    connection: Connection,
    vault: Vault,
    *,
    release_sha256: str,
    since: float,
    histology_only: bool,
    raters: int,
) -> tuple[Pair, ...]:
    """Return the answers that a release gave after a moment, each with its truth as far as it counts as one.

    Lesions that it had answered for until then are left out: they decided before, or could be looked at.
    """
    known, before = known_truths(connection, vault), _answered_until(connection, since, release_sha256)
    pairs = []
    for kept, sealed in opened(connection, vault, JOURNAL.c.at > since, kinds=(Kind.ANSWER,)):
        if sealed is None or kept.content["release_sha256"] != release_sha256 or kept.case_id in before:
            continue
        one = known.get(str(kept.examination_id))
        truth = settled(one, histology_only=histology_only, raters=raters) if one else None
        said, by = truth or (None, None)
        answer = answer_from(sealed["answer"])
        pairs.append(Pair(str(kept.examination_id), str(kept.case_id), answer, said, by))
    return tuple(pairs)


def progress_of(pairs: tuple[Pair, ...], bundle: Bundle) -> Progress:
    """Count what is known; nothing here depends on what the release answered."""
    found = [pair.truth for pair in pairs if pair.truth is not None]
    return Progress(
        asked=len(pairs),
        with_truth=len(found),
        by=dict(Counter(pair.by for pair in pairs if pair.by)),
        malignant=sum(is_malignant(said, bundle) for said in found),
        of=dict(Counter(said.code or OTHER for said in found)),
    )


def scored_of(pairs: tuple[Pair, ...], bundle: Bundle) -> Scored:
    """Return the answered examinations with truth as arrays, beside all that were asked."""
    codes = bundle.taxonomy.codes
    counted = [pair for pair in pairs if pair.truth is not None and pair.answer.state is State.ANSWERED]
    truths = [pair.truth for pair in counted if pair.truth is not None]
    chances = [{finding.code: finding.probability for finding in pair.answer.findings} for pair in counted]
    return Scored(
        codes=codes,
        case_ids=tuple(pair.case_id for pair in counted),
        probabilities=np.array([[by_code[code] for code in codes] for by_code in chances]).reshape(-1, len(codes)),
        truth=np.array([_index(said, codes) for said in truths], dtype=np.int64),
        is_malignant=np.array([is_malignant(said, bundle) for said in truths], dtype=np.bool_),
        in_set=np.array([pair.truth.code in pair.answer.prediction_set for pair in counted if pair.truth], np.bool_),
        malignant=np.array(bundle.taxonomy.malignant, dtype=np.bool_),
        thresholds=np.array(bundle.thresholds.values, dtype=np.float64),
        malignant_threshold=bundle.thresholds.malignant,
        has_sets=bool(bundle.sets),
        asked_cases=tuple(pair.case_id for pair in pairs),
        unanswered=np.array([pair.answer.state is not State.ANSWERED for pair in pairs], dtype=np.bool_),
    )


def is_malignant(said: Said, bundle: Bundle) -> bool:
    """Say whether a truth is malignant: as the taxonomy says, or, of what it does not know, as the curator said."""
    codes = bundle.taxonomy.codes
    return bundle.taxonomy[said.code].malignant if said.code in codes and said.code else bool(said.is_malignant)


def _answered_until(connection: Connection, moment: float, release_sha256: str) -> set[str | None]:
    """Return the lesions for which a release had answered until a moment."""
    answers = entries(connection, JOURNAL.c.at <= moment, kinds=(Kind.ANSWER,))
    return {each.case_id for each in answers if each.content["release_sha256"] == release_sha256}


def _index(said: Said, codes: tuple[str, ...]) -> int:
    return codes.index(said.code) if said.code in codes else len(codes)
