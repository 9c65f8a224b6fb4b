"""What the clinic's raters, histology and adjudicator say → one diagnosis, or why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import NamedTuple, NoReturn

from cutis.curate.intake import Archive
from cutis.curate.row import Rejection, Row
from cutis.vocabulary.case import Vote
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.taxonomy import Taxonomy

UNRESOLVED = "unresolved votes"
UNKNOWN = "unknown diagnosis"
FEW_UNKNOWN = 3  # labels that the taxonomy does not know may be slips of the pen;
UNKNOWN_SHARE = 0.1  # beyond both limits the taxonomy is the wrong one

CodeOf = Callable[[str | None], str | None]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of one picture's diagnosis, in the taxonomy's codes."""

    diagnosis: str | None
    confirmed_by: str | None
    votes: tuple[Vote, ...] = ()
    dropped: int = 0  # votes for what the taxonomy does not know, or what is left out
    histology: str | None = None
    adjudicator: str | None = None
    indeterminate: str | None = None

    @property
    def said(self) -> frozenset[str]:
        """The diagnosis, or where none is settled all that were voted for."""
        return frozenset([self.diagnosis] if self.diagnosis else [vote.code for vote in self.votes])


@dataclass(frozen=True, kw_only=True)
class Diagnosed:
    """Rows with their verdicts, those rejected, and the taxonomy without what is left out."""

    rows: tuple[tuple[Row, Verdict], ...]
    rejected: tuple[Rejection, ...]
    taxonomy: Taxonomy


def agree_on_diagnoses(archive: Archive) -> Diagnosed:
    """Settle every row: histology, else more than half of the votes cast, else the adjudicator, else unresolved.

    A vote for what the taxonomy does not know is dropped, yet counts as cast: two dermatologists who say what the
    taxonomy lacks are not outvoted by the third.

    Raises:
        UserError: `labels` name an unknown diagnosis, `leave_out` one that neither taxonomy nor table know, two
            `labels` are one word, too many rows name unknown diagnoses, or too little is left.
    """
    code_of, left_out = _reader_of_labels(archive)
    settled, rejected, foreign = [], [], []
    for row in archive.rows:
        verdict = _verdict(row, code_of)
        if verdict is None:
            words = [word for word in _words(row) if code_of(word) is None]
            foreign += [words] if words else []
            detail = f"{_quoted(words)}; known are {_codes(archive)}" if words else "the row has no label"
            rejected.append(Rejection(row=row.number, file=row.file, reason=UNKNOWN, detail=detail))
        elif verdict.said <= left_out:
            detail = f"{', '.join(sorted(verdict.said))} is left out by clinic.toml"
            rejected.append(Rejection(row=row.number, file=row.file, reason="left out", detail=detail))
        else:
            settled.append((row, _without(verdict, left_out)))
    _refuse_foreign(archive, foreign)
    return Diagnosed(rows=tuple(settled), rejected=tuple(rejected), taxonomy=_narrowed(archive, left_out))


class _Deciding(NamedTuple):
    word: str
    by: str


def _verdict(row: Row, code_of: CodeOf) -> Verdict | None:
    """Return what is said of a row; None where the word that decides is none of the taxonomy's."""
    cast = [(f"rater_{number}", label) for number, label in enumerate(row.labels, 1) if label]
    votes = tuple(Vote(rater=rater, code=code) for rater, label in cast if (code := code_of(label)))
    deciding = _deciding(row, code_of)
    diagnosis = code_of(deciding.word) if deciding else None
    if diagnosis is None and (deciding or not votes):
        return None
    return Verdict(
        diagnosis=diagnosis,
        confirmed_by=(row.confirmed_by or deciding.by) if deciding else None,
        votes=votes,
        dropped=len(cast) - len(votes),
        histology=code_of(row.histology),
        adjudicator=code_of(row.adjudicator),
        indeterminate=None if deciding else UNRESOLVED,
    )


def _deciding(row: Row, code_of: CodeOf) -> _Deciding | None:
    """Return the word that decides, and whose it is; None for a tie that waits."""
    cast = [label for label in row.labels if label]
    meanings = [code_of(label) or label.casefold() for label in cast]
    majority = [label for label, meaning in zip(cast, meanings, strict=True) if 2 * meanings.count(meaning) > len(cast)]
    if row.histology:
        return _Deciding(row.histology, "histology")
    if row.diagnosis:
        return _Deciding(row.diagnosis, "single")
    if majority:
        return _Deciding(majority[0], "majority" if len(cast) > 1 else "single")
    return _Deciding(row.adjudicator, "adjudicator") if row.adjudicator else None


class _Reader(NamedTuple):
    """What a label means, and which meanings are left out; a word that only `leave_out` knows means itself."""

    code_of: CodeOf
    left_out: frozenset[str]


def _reader_of_labels(archive: Archive) -> _Reader:
    """Return label → code: the clinic's own words first, then the taxonomy's."""
    own = _own_words(archive)
    in_table = {_folded(word) for row in archive.rows for word in _words(row)}
    left_out = set()
    for word in archive.about.leave_out:
        code = own.get(_folded(word)) or archive.taxonomy.find(word)
        if code is None and _folded(word) in in_table:
            code = own[_folded(word)] = _folded(word)
        left_out.add(code or _refuse_unknown(word, archive, "leave_out"))

    @cache
    def code_of(label: str | None) -> str | None:
        return (own.get(_folded(label)) or archive.taxonomy.find(label)) if label else None

    return _Reader(code_of, frozenset(left_out))


def _own_words(archive: Archive) -> dict[str, str]:
    own: dict[str, str] = {}
    for word, meant in archive.about.labels.items():
        code = archive.taxonomy.find(meant) or _refuse_unknown(meant, archive, "labels")
        if own.setdefault(_folded(word), code) != code:
            mend = "give each word one code; capitals make no difference"
            raise UserError(f"{word!r} means two diagnoses", where="labels in clinic.toml", mend=mend)
    return own


def _folded(word: str) -> str:
    return word.strip().casefold()


def _refuse_unknown(word: str, archive: Archive, key: str) -> NoReturn:
    mend = f"use one of: {_codes(archive)}"
    raise UserError(f"unknown diagnosis {word!r}", where=f"{key} in clinic.toml", mend=mend)


def _without(verdict: Verdict, left_out: Collection[str]) -> Verdict:
    votes = tuple(vote for vote in verdict.votes if vote.code not in left_out)
    return replace(
        verdict,
        votes=votes,
        dropped=verdict.dropped + len(verdict.votes) - len(votes),
        adjudicator=None if verdict.adjudicator in left_out else verdict.adjudicator,
    )


def _narrowed(archive: Archive, left_out: Collection[str]) -> Taxonomy:
    taxonomy = archive.taxonomy
    kept = tuple(disease for disease in taxonomy.diseases if disease.code not in left_out)
    if len(kept) < 2:  # noqa: PLR2004  one diagnosis is no question
        raise UserError("fewer than two diagnoses are left", where="leave_out in clinic.toml", mend="leave out fewer")
    gone = tuple(disease.name for disease in taxonomy.diseases if disease.code in left_out)
    return replace(taxonomy, diseases=kept, cannot_say=(*taxonomy.cannot_say, *gone))


def _words(row: Row) -> list[str]:
    said = (row.histology, row.diagnosis, *row.labels, row.adjudicator)
    return list(dict.fromkeys(word for word in said if word))


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(map(repr, words))


def _codes(archive: Archive) -> str:
    return ", ".join(archive.taxonomy.codes)


def _refuse_foreign(archive: Archive, foreign: Sequence[list[str]]) -> None:
    """Stop where so many rows have unknown words that the taxonomy, not the table, is wrong."""
    total = len(archive.rows)
    if len(foreign) == total or len(foreign) > max(FEW_UNKNOWN, UNKNOWN_SHARE * total):
        examples = _quoted(word for word, _ in Counter(chain(*foreign)).most_common(5))
        mend = f"use one of: {_codes(archive)}; map the clinic's words under [labels] in clinic.toml"
        raise UserError(
            f"unknown diagnosis in {len(foreign)} of {total} rows, such as {examples}",
            where=str(archive.table or archive.about.name),
            mend=f"{mend}, or leave them out by leave_out there; or give another --taxonomy",
        )
