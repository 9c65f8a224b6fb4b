"""Which confirmed cases a lesion is like, and where it belongs on the atlas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cutis.runtime.atlas import place
from cutis.runtime.batcher import Said
from cutis.runtime.neighbours import Search, similar_cases
from cutis.serve.answer import Neighbour
from cutis.serve.answering.opened import OpenRelease
from cutis.vocabulary.diagnosis import SimilarCase

SIMILAR = 5


def neighbours_of(release: OpenRelease, said: Sequence[Said], sha256s: Sequence[str]) -> tuple[Neighbour, ...]:
    """Return the training cases that any of P pictures is most like, the most alike first; none where it carries none.

    Each is as near as it is to the picture that it is nearest to: what nearness means was measured on single pictures.
    """
    likeness, index = release.bundle.likeness, release.index
    if likeness is None or index is None:
        return ()
    search, taxonomy = Search(SIMILAR), release.taxonomy
    found = [
        case
        for one, sha256 in zip(said, sha256s, strict=True)
        for case in similar_cases(index, likeness, one.features, search=search, taxonomy=taxonomy, sha256=sha256)
    ]
    nearest = {case.case_id: case for case in sorted(found, key=lambda case: case.similarity)}  # the last one stays
    ranked = sorted(nearest.values(), key=lambda case: -case.similarity)[:SIMILAR]
    return tuple(_neighbour(case) for case in ranked)


def agreement(neighbours: Sequence[Neighbour], code: str) -> float | None:
    """Return which share of the neighbours has a diagnosis; None without neighbours."""
    return sum(case.code == code for case in neighbours) / len(neighbours) if neighbours else None


def place_of(release: OpenRelease, said: Sequence[Said]) -> tuple[float, float] | None:
    """Return where the mean of P pictures' features belongs on the release's atlas; None where it carries none."""
    if release.atlas is None:
        return None
    across, down = place(release.atlas, np.mean([one.features for one in said], axis=0)).places[0].tolist()
    return across, down


def _neighbour(case: SimilarCase) -> Neighbour:
    return Neighbour(
        case_id=case.case_id,
        code=case.code,
        similarity=case.similarity,
        confirmed_by=case.confirmed_by,
        shared=case.shared.value if case.shared else None,
        shared_low=case.shared.low if case.shared else None,
        shared_high=case.shared.high if case.shared else None,
        perhaps_the_same_picture=case.perhaps_the_same_picture,
    )
