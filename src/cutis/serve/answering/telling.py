"""What an answer tells beside its ranking: what is malignant, what it cannot say, what it learned from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import Bundle
from cutis.runtime.predict import UNLIKE
from cutis.serve.answer import Malignancy
from cutis.vocabulary.diagnosis import Finding
from cutis.vocabulary.taxonomy import MELANOMA, PIGMENTED, SQUAMOUS, VASCULAR, Taxonomy

# Without these two nobody may say "malignant" or "benign" of a lesion: they are what it is feared to be.
FEARED = (MELANOMA, SQUAMOUS)
MISTAKEN = frozenset({PIGMENTED, VASCULAR})  # what a melanoma is mistaken for


def findings_of(taxonomy: Taxonomy, probabilities: NDArray[np.float64]) -> tuple[Finding, ...]:
    """Return the diagnoses with their probabilities (K,), the most probable first."""
    order = np.argsort(-probabilities, kind="stable").tolist()
    return tuple(
        Finding(code=disease.code, name=disease.name, malignant=disease.malignant, probability=float(chance))
        for disease, chance in ((taxonomy.diseases[kind], probabilities[kind]) for kind in order)
    )


def malignancy_of(taxonomy: Taxonomy, probabilities: NDArray[np.float64]) -> Malignancy:
    """Return the summed probability of the malignant diagnoses, and which feared ones are not among them."""
    missing = tuple(kind for kind in FEARED if not taxonomy.holds(kind))
    return Malignancy(
        codes=tuple(disease.code for disease in taxonomy.diseases if disease.malignant),
        probability=float(probabilities[np.array(taxonomy.malignant)].sum()),
        not_assessed=missing,
        may_say_malignant=not missing,
    )


def excludes_no_melanoma(taxonomy: Taxonomy, answered: Sequence[str]) -> bool:
    """Say whether a melanoma may hide behind an answer, since no diagnosis of the taxonomy is one.

    Args:
        taxonomy: of the release; where it does not say which diagnoses look like a melanoma, every one may.
        answered: codes of the first diagnosis and of the prediction set.
    """
    if taxonomy.holds(MELANOMA) or taxonomy[answered[0]].malignant:
        return False
    return not taxonomy.has_kinds or any(MISTAKEN.intersection(taxonomy[code].kinds) for code in answered)


def remarks_on(bundle: Bundle, *, is_unlike: bool) -> tuple[str, ...]:
    """Return the keys of what stands beside an answer, in the order of `warnings_of`."""
    said = {
        "invented": bundle.invented,
        "balanced": bool(bundle.balanced),
        "unwatched": bundle.acceptance is None,
        "too_few_compared": bool(bundle.acceptance and bundle.acceptance.warning),
        "cannot_say": bool(bundle.taxonomy.cannot_say),
        "for_research": True,
        "unlike": is_unlike,
    }
    return tuple(key for key, holds in said.items() if holds)


def warnings_of(bundle: Bundle, *, is_unlike: bool) -> tuple[str, ...]:
    """Return the same in the release's own English."""
    return (*bundle.warnings, *((UNLIKE,) * is_unlike))
