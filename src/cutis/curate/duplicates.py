"""The same picture twice, or nearly so: kept, named as a group, never in two splits, and of one diagnosis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from cutis.curate.screen import POOR, Candidate
from cutis.imaging.fingerprint import groups, near_duplicates
from cutis.vocabulary.case import Case

CONTRADICTING = "contradicting labels"


class Seen(NamedTuple):
    """Duplicates over a whole dataset."""

    groups: int
    images: int  # in all groups together
    largest: int
    crossing: int  # groups that hold several lesions (patients, where no lesion is known)
    share_crossing: float  # of the groups; 0 where there are none


def mark_duplicates(cases: Sequence[Case], candidates: Sequence[Candidate]) -> list[Case]:
    """Name the duplicate groups, and give each group one diagnosis or none.

    Where the settled diagnoses of a group contradict each other, histology decides, else the adjudicator, each only if
    it says one thing in the whole group; else all cases of the group are indeterminate.
    """
    pairs = near_duplicates([candidate.picture.fingerprint for candidate in candidates])
    marked = list(cases)
    for members in groups(pairs, len(cases)):
        name = min(cases[member].case_id for member in members)
        settled = _settle([cases[member] for member in members], [candidates[member] for member in members])
        for member, case in zip(members, settled, strict=True):
            marked[member] = replace(case, duplicate_group=name)
    return marked


def duplicates_seen(cases: Sequence[Case]) -> Seen:
    """Count the groups of a dataset."""
    by_group: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.duplicate_group:
            by_group[case.duplicate_group].append(case)
    sizes = [len(group) for group in by_group.values()]
    crossing = sum(len({_lesion(case) for case in group} - {None}) > 1 for group in by_group.values())
    return Seen(len(sizes), sum(sizes), max(sizes, default=0), crossing, crossing / max(len(sizes), 1))


def _lesion(case: Case) -> str | None:
    return case.lesion_id or case.patient_id


def _settle(group: Sequence[Case], candidates: Sequence[Candidate]) -> list[Case]:
    """Return the cases of one group with one diagnosis, where they have several."""
    if len({case.diagnosis for case in group} - {None}) <= 1:
        return list(group)
    for judge in ("histology", "adjudicator"):
        said = {getattr(candidate.verdict, judge) for candidate in candidates} - {None}
        if len(said) == 1:
            diagnosis = said.pop()
            return [
                replace(case, diagnosis=diagnosis, confirmed_by=judge, indeterminate=_poor(candidate))
                for case, candidate in zip(group, candidates, strict=True)
            ]
    return [replace(case, diagnosis=None, confirmed_by=None, indeterminate=CONTRADICTING) for case in group]


def _poor(candidate: Candidate) -> str | None:
    return POOR if candidate.picture.is_poor else None
