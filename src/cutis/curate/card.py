"""The dataset's card: where it comes from, what is in it, what was lost on the way, and how far its raters agree."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cutis.curate.duplicates import duplicates_seen
from cutis.curate.intake import Archive
from cutis.curate.kappas import agreement
from cutis.curate.row import Rejection
from cutis.curate.screen import Candidate
from cutis.vocabulary.case import Case, Manifest

DESCRIBED = ("sex", "site", "skin_tone", "device")
KNOWN_OR_NOT = ("patient_id", "lesion_id", "age", *DESCRIBED, "date")


def describe_dataset(
    manifest: Manifest, archive: Archive, candidates: Sequence[Candidate], rejected: Sequence[Rejection]
) -> dict[str, Any]:
    """Return the content of card.json; every count is of what was written or rejected, none of what was planned."""
    cases = manifest.cases
    return {
        "name": archive.about.name,
        "source": manifest.source,
        "licence": manifest.licence,
        "invented": manifest.invented,
        "taxonomy": {"name": manifest.taxonomy.name, "codes": list(manifest.taxonomy.codes)},
        **count_rows(archive, len(cases), rejected),
        "images": len(cases),
        "clusters": _distinct(cases, "cluster_id"),
        "cluster_kind": manifest.cluster_kind,
        "patients": _distinct(cases, "patient_id"),
        "lesions": _distinct(cases, "lesion_id"),
        "diagnoses": _by_diagnosis(manifest),
        "indeterminate": _counts(case.indeterminate for case in cases),
        "confirmed_by": _counts(case.confirmed_by for case in cases),
        "votes": {
            "kept": sum(len(case.votes) for case in cases),
            "dropped": sum(candidate.verdict.dropped for candidate in candidates),
        },
        "agreement": agreement(manifest),
        "quality": _counts(mark for case in cases if case.quality for mark in case.quality.marks),
        "duplicates": duplicates_seen(cases)._asdict(),
        "metadata_stripped": {
            "files": sum(bool(candidate.picture.metadata) for candidate in candidates),
            "kinds": _counts(kind for candidate in candidates for kind in candidate.picture.metadata),
        },
        "age": _ages(cases),
        **{name: _counts(getattr(case, name) for case in cases) for name in DESCRIBED},
        "missing": {name: _missing(cases, name) for name in KNOWN_OR_NOT},
        "unreadable": dict(archive.unreadable),
        "days_from_first_to_last": _span([candidate.row.date for candidate in candidates if candidate.row.date]),
    }


def count_rows(archive: Archive, kept: int, rejected: Sequence[Rejection]) -> dict[str, Any]:
    """Return rows in = kept + rejected, and beside them the files that no row speaks of."""
    rows = [rejection for rejection in rejected if not rejection.is_stray]
    return {
        "rows": {"in": archive.rows_in, "kept": kept, "rejected": len(rows)},
        "rejected": _counts(rejection.reason for rejection in rows),
        "files_without_a_row": len(rejected) - len(rows),
    }


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(value for value in values if value).items()))


def _distinct(cases: Sequence[Case], name: str) -> int:
    return len({getattr(case, name) for case in cases} - {None})


def _by_diagnosis(manifest: Manifest) -> dict[str, dict[str, int]]:
    settled = [case for case in manifest.cases if case.indeterminate is None]
    by_code = {code: [case for case in settled if case.diagnosis == code] for code in manifest.taxonomy.codes}
    return {code: {"images": len(own), "clusters": _distinct(own, "cluster_id")} for code, own in by_code.items()}


def _ages(cases: Sequence[Case]) -> dict[str, float] | None:
    ages = [case.age for case in cases if case.age is not None]
    if not ages:
        return None
    quartiles = np.quantile(ages, [0, 0.25, 0.5, 0.75, 1])
    return dict(zip(("least", "lower_quartile", "median", "upper_quartile", "most"), quartiles.tolist(), strict=True))


def _missing(cases: Sequence[Case], name: str) -> float:
    return sum(getattr(case, name) is None for case in cases) / len(cases)


def _span(days: Sequence[dt.date]) -> int | None:
    return (max(days) - min(days)).days if days else None
