"""What two datasets share: diagnoses, which are wanted, and pictures, which would spoil the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cutis.vocabulary.case import Case, Manifest
from cutis.vocabulary.taxonomy import Disease, Taxonomy


@dataclass(frozen=True, kw_only=True)
class Independence:
    """Whether the pictures were held against those that a bundle learned from; what cannot be known is said too."""

    checked: bool
    compared_with: int  # pictures that it learned from
    in_home_test: int  # pictures that are also in the test of the bundle's own dataset
    said: str


def common_diagnoses(home: Taxonomy, other: Taxonomy) -> dict[str, str]:
    """Return the home code of each diagnosis of another taxonomy that is also one of ours, by its own code.

    The same code in any case is the same diagnosis, and else the same name in any case. Aliases do not count: what one
    taxonomy names beside a diagnosis may be only a part of it.
    """
    common: dict[str, str] = {}
    for spelling in (_code, _name):
        free = {spelling(disease): disease.code for disease in home.diseases if disease.code not in common.values()}
        for disease in other.diseases:
            if disease.code not in common and spelling(disease) in free:
                common[disease.code] = free.pop(spelling(disease))
    return {code: common[code] for code in other.codes if code in common}


def translated(cases: Manifest, common: dict[str, str], into: Taxonomy) -> Manifest:
    """Return the cases of common diagnoses in the words of another taxonomy."""
    kept = tuple(replace(case, diagnosis=common[case.diagnosis]) for case in cases.cases if case.diagnosis in common)
    return replace(cases, cases=kept, taxonomy=into)


def learned_pictures(home: Manifest) -> frozenset[str]:
    """Return the sha256 of every picture that was learned from: all but the test, and near duplicates of them."""
    learned = [case for case in home.cases if case.split != "test"]
    return frozenset(case.sha256 for case in _with_duplicates(home.cases, {case.sha256 for case in learned}))


def learned_among(cases: Sequence[Case], learned: frozenset[str]) -> list[Case]:
    """Return the cases whose picture, or a near duplicate of it, is one of these."""
    return list(_with_duplicates(cases, learned))


def _with_duplicates(cases: Sequence[Case], pictures: frozenset[str] | set[str]) -> Iterator[Case]:
    groups = {case.duplicate_group for case in cases if case.sha256 in pictures} - {None}
    return (case for case in cases if case.sha256 in pictures or case.duplicate_group in groups)


def _code(disease: Disease) -> str:
    return disease.code.casefold()


def _name(disease: Disease) -> str:
    return disease.name.casefold()
