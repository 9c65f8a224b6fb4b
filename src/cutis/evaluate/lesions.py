"""The same figures per lesion: pictures of one lesion are answered together, as the clinic's page does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cutis.vocabulary.case import Manifest
from cutis.vocabulary.predictions import Predictions

RULE = "the mean of the calibrated probabilities of its pictures"


def by_lesion(predictions: Predictions, cases: Manifest) -> Predictions | None:
    """Return one answer for each lesion, by `RULE`; None where every lesion has one picture, or none is known.

    A picture whose lesion is not known is a lesion of its own. A lesion whose pictures have several diagnoses, as where
    it was taken out in parts, is as many lesions.

    Args:
        predictions: with truth.
        cases: what is recorded of the same cases, in the same order.
    """
    truth = np.asarray(predictions.truth)
    lesions = [case.lesion_id or case.case_id for case in cases.cases]
    names = [f"{lesion}/{predictions.codes[kind]}" for lesion, kind in zip(lesions, truth, strict=True)]
    _, first, of_case = np.unique(names, return_index=True, return_inverse=True)
    if len(first) == len(names):
        return None
    sums = np.zeros((len(first), len(predictions.codes)))
    np.add.at(sums, of_case, predictions.probabilities)
    return replace(
        predictions,
        case_ids=_taken(lesions, first),
        cluster_ids=_taken(predictions.cluster_ids, first),
        truth=truth[first],
        probabilities=sums / np.bincount(of_case)[:, None],
    )


def _taken(names: Sequence[str], at: np.ndarray) -> tuple[str, ...]:
    return tuple(names[place] for place in at)
