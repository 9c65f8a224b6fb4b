"""Which cases are examined, and what the network is asked of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from cutis.explain.evaluated import Evaluated
from cutis.explain.sanity.asking import PICTURES_AT_ONCE, Asked
from cutis.explain.sanity.examined import PerCase, Subject
from cutis.explain.sanity.findings import ClusterIds
from cutis.explain.sanity.masks import DETAILS, SIGNS, Mask, Masks
from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import engine_of
from cutis.runtime.maps import Question
from cutis.runtime.predict import probabilities
from cutis.vocabulary.case import Case
from cutis.vocabulary.chance import seed_of
from cutis.vocabulary.errors import UserError

FEWEST_CASES = 10  # on fewer no interval holds


class Chosen(NamedTuple):
    """What is examined, and whose it is."""

    subject: Subject
    clusters: ClusterIds


def choose_subject(evaluated: Evaluated, network: nn.Module, *, most: int, masks: Masks | None) -> Chosen:
    """Choose test cases by chance, those with a mask first, and read their pictures.

    Asked is what speaks for the diagnosis that was answered. The signs of a toy clinic are those of the true diagnosis,
    and count where it is the answer.

    Raises:
        UserError: too few cases, a picture that was changed, or a mask that does not fit its picture.
    """
    cases, answers = _drawn(evaluated, most=most, masks=masks)
    if len(cases) < FEWEST_CASES:
        what = f"{len(cases)} cases are too few to examine maps on, which takes {FEWEST_CASES}"
        raise UserError(what, where="--cases, or the test split", mend="examine more cases")
    pictures = [evaluated.picture(case) for case in cases]
    codes = evaluated.bundle.taxonomy.codes
    known = [
        _known_of(case, picture, masks, is_right=codes[answer] == case.diagnosis)
        for case, picture, answer in zip(cases, pictures, answers, strict=True)
    ]
    subject = subject_of(
        evaluated.bundle, network, pictures, answers, keys=[case.sha256 for case in cases], masks=known
    )
    return Chosen(
        subject, ClusterIds(ids=tuple(case.cluster_id for case in cases), kind=evaluated.manifest.cluster_kind)
    )


def subject_of(
    bundle: Bundle,
    network: nn.Module,
    pictures: Sequence[Image.Image],
    answers: Sequence[int],
    *,
    keys: Sequence[str],
    masks: Sequence[dict[str, Mask]],
) -> Subject:
    """Return pictures, upright as `decode` gives them, with what is asked and known of each.

    How probable an answer is, is what the bundle says of one view of the picture, calibrated.
    """
    asked = Asked(
        pictures=np.stack([prepare(picture, bundle.preparation) for picture in pictures]),
        questions=tuple(Question(int(answer)) for answer in answers),
        preparation=bundle.preparation,
    )
    return Subject(
        asked=asked,
        believed=_believed_by(bundle, network),
        keys=tuple(keys),
        sizes=tuple(picture.size for picture in pictures),
        masks=tuple(masks),
    )


def _drawn(evaluated: Evaluated, *, most: int, masks: Masks | None) -> tuple[list[Case], list[int]]:
    predictions = evaluated.predictions
    by_id = {case.case_id: case for case in evaluated.manifest.cases}
    rows = range(len(predictions))
    has_mask = masks.by_case if masks else {}
    turns = sorted(
        rows,
        key=lambda row: (predictions.case_ids[row] not in has_mask, seed_of(by_id[predictions.case_ids[row]].sha256)),
    )
    taken = turns[:most]
    answers = predictions.probabilities.argmax(axis=1)
    return [by_id[predictions.case_ids[row]] for row in taken], answers[taken].tolist()


def _known_of(case: Case, picture: Image.Image, masks: Masks | None, *, is_right: bool) -> dict[str, Mask]:
    if masks is None or case.case_id not in masks.by_case:
        return {}
    found = masks.of(case, size=picture.size)
    return {name: mask for name, mask in found.items() if is_right or name not in {SIGNS, DETAILS}}


def _believed_by(bundle: Bundle, network: nn.Module) -> Callable[[NDArray[np.uint8], int], PerCase]:
    engine = engine_of(network)

    def believed(pictures: NDArray[np.uint8], diagnosis: int) -> PerCase:
        batches = [
            engine(normalise(pictures[start : start + PICTURES_AT_ONCE], bundle.preparation))
            for start in range(0, len(pictures), PICTURES_AT_ONCE)
        ]
        return np.concatenate([probabilities(bundle, outputs)[:, diagnosis] for outputs in batches])

    return believed
