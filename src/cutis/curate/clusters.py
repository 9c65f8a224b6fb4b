"""Which cases are one person: joined by patient, by lesion, and by being the same picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cutis.imaging.fingerprint import groups
from cutis.vocabulary.case import Case

KNOWN_PATIENTS = 0.95  # from this share of cases on the cluster of a dataset is called a patient


def join_clusters(cases: Sequence[Case]) -> list[Case]:
    """Return the cases with one `cluster_id` for all that share a patient, a lesion or a duplicate group."""
    first: dict[str, int] = {}
    links = []
    for number, case in enumerate(cases):
        for name in {case.patient_id, case.lesion_id, case.duplicate_group} - {None}:
            earlier = first.setdefault(str(name), number)
            if earlier != number:
                links.append((earlier, number))
    joined = list(cases)
    for members in groups(links, len(cases)):
        cluster_id = min(_own_cluster(cases[member]) for member in members)[1]
        for member in members:
            joined[member] = replace(cases[member], cluster_id=cluster_id)
    return joined


def cluster_kind(cases: Sequence[Case]) -> str:
    """Return what the clusters of a dataset are: "patient", or "lesion" where too many patients are unknown."""
    known = sum(case.patient_id is not None for case in cases)
    return "patient" if known >= KNOWN_PATIENTS * len(cases) else "lesion"


def _own_cluster(case: Case) -> tuple[int, str]:
    """Return the name that a case gives to its cluster, after how much the name says."""
    if case.patient_id:
        return 0, case.patient_id
    return (1, case.lesion_id) if case.lesion_id else (2, case.case_id)
