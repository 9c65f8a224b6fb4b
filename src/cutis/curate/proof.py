"""The proof that a split leaks nothing, counted in the manifest as it was written."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from cutis.vocabulary.case import SPLITS, Case, Manifest
from cutis.vocabulary.errors import SafetyRefusal

SHARED = {
    "shared_patients": "patient_id",
    "shared_lesions": "lesion_id",
    "near_duplicates_across_splits": "duplicate_group",
    "shared_clusters": "cluster_id",
}
PARTS = ("split", "fold")


def prove(manifest: Manifest) -> dict[str, Any]:
    """Return what splits.json says of a manifest: what splits share (nothing), and what is in each.

    Raises:
        SafetyRefusal: two splits, or two folds, share a patient, a lesion, a picture or a cluster.
    """
    proofs = {part: {what: _shared(manifest, column, part) for what, column in SHARED.items()} for part in PARTS}
    for part, shared in proofs.items():
        if any(shared.values()):
            found = ", ".join(f"{what.replace('_', ' ')} {count}" for what, count in shared.items() if count)
            mend = "report this as a bug of cutis; nothing was written"
            raise SafetyRefusal(f"the {part}s leak: {found}", where="splits.json", mend=mend)
    return {
        "proof": proofs["split"],
        "proof_of_folds": proofs["fold"],
        "cluster_kind": manifest.cluster_kind,
        "splits": {
            name: _counted(manifest, [case for case in manifest.cases if case.split == name]) for name in SPLITS
        },
        "folds": _folds(manifest),
    }


def _shared(manifest: Manifest, column: str, part: str) -> int:
    """Count the values of a column that are in more than one split, or fold of the cases that have one."""
    parts: defaultdict[str, set[Any]] = defaultdict(set)
    for case in manifest.cases:
        value = getattr(case, column)
        if value is not None and getattr(case, part) is not None:
            parts[value].add(getattr(case, part))
    return sum(len(found) > 1 for found in parts.values())


def _counted(manifest: Manifest, cases: list[Case]) -> dict[str, Any]:
    settled = [case for case in cases if case.indeterminate is None]
    images = Counter(case.diagnosis for case in settled)
    clusters = Counter(code for code, _ in {(case.diagnosis, case.cluster_id) for case in settled})
    return {
        "images": len(settled),
        "clusters": len({case.cluster_id for case in settled}),
        "diagnoses": {code: {"images": images[code], "clusters": clusters[code]} for code in manifest.taxonomy.codes},
        "indeterminate": dict(sorted(Counter(case.indeterminate for case in cases if case.indeterminate).items())),
    }


def _folds(manifest: Manifest) -> dict[str, dict[str, int]]:
    by_fold: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for case in manifest.cases:
        if case.fold is not None and case.indeterminate is None:
            by_fold[case.fold][str(case.diagnosis)] += 1
    return {str(fold): {code: by_fold[fold][code] for code in manifest.taxonomy.codes} for fold in sorted(by_fold)}
