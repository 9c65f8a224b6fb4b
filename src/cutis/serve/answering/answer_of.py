"""What was seen of a lesion and what the network said of it become the answer that is kept, shown and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cutis.runtime.batcher import Said
from cutis.serve.answer import Answer, Reason, SeenPicture, State
from cutis.serve.answering.judging import FOREIGN, Judgement, judge
from cutis.serve.answering.likeness import agreement, neighbours_of, place_of
from cutis.serve.answering.looking import Glance
from cutis.serve.answering.opened import OpenRelease
from cutis.serve.answering.telling import excludes_no_melanoma, findings_of, malignancy_of, remarks_on, warnings_of


class Seen(NamedTuple):
    """One picture, and what the network said of it."""

    glance: Glance
    said: Said | None  # N = 1; None: it was not asked, since the picture cannot be judged


def answer_of(release: OpenRelease, seen: Sequence[Seen], *, similar: bool) -> Answer:
    """Return the answer of a release to the pictures of one lesion; how long it took, says who asked.

    Args:
        release: that was asked.
        seen: its pictures, at least one.
        similar: whether confirmed cases and the place on the atlas are asked for.
    """
    said = {number: one.said for number, one in enumerate(seen) if one.said is not None}
    judged = judge(release.bundle, said) if said else None
    answer = _without_findings(release, seen, judged)
    if judged is None or not np.isfinite(judged.probabilities).all():
        return answer
    answer = _with_findings(release, answer, judged)
    counting = [number for number in said if answer.pictures[number].is_judged] or list(said)
    return _with_likeness(release, answer, {number: seen[number] for number in counting}) if similar else answer


def _without_findings(release: OpenRelease, seen: Sequence[Seen], judged: Judgement | None) -> Answer:
    """Return what can be said of every question, also of one whose pictures are of no use."""
    spoilt = tuple(Reason(key=one.glance.verdict, picture=n) for n, one in enumerate(seen) if one.said is None)
    bundle, is_unlike = release.bundle, judged is not None and judged.is_unlike
    return Answer(
        state=judged.state if judged else State.UNUSABLE,
        reasons=(*(judged.reasons if judged else ()), *spoilt),
        pictures=tuple(_seen_picture(one.glance, n, judged) for n, one in enumerate(seen)),
        findings=(),
        prediction_set=(),
        coverage=None,
        malignancy=None,
        excludes_no_melanoma=False,
        cannot_say=release.taxonomy.cannot_say,
        remarks=remarks_on(bundle, is_unlike=is_unlike),
        warnings=warnings_of(bundle, is_unlike=is_unlike),
        invented=bundle.invented,
        neighbours=(),
        neighbours_agree=None,
        place=None,
        maps=(),
        release=release.name,
        release_sha256=release.sha256,
        weights_sha256=release.weights_sha256,
        answers_by=release.answers_by,
    )


def _seen_picture(glance: Glance, number: int, judged: Judgement | None) -> SeenPicture:
    quality = glance.quality
    return SeenPicture(
        sha256=glance.sha256,
        width=quality.width,
        height=quality.height,
        marks=quality.marks,
        verdict=FOREIGN if judged and number in judged.foreign else glance.verdict,
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        contrast=quality.contrast,
        distance=judged.distances.get(number) if judged else None,
    )


def _with_findings(release: OpenRelease, answer: Answer, judged: Judgement) -> Answer:
    taxonomy, sets = release.taxonomy, release.bundle.sets
    findings = findings_of(taxonomy, judged.probabilities)
    members = {code for code, is_member in zip(taxonomy.codes, judged.members, strict=True) if is_member}
    prediction_set = tuple(finding.code for finding in findings if finding.code in members)
    return replace(
        answer,
        findings=findings,
        prediction_set=prediction_set,
        coverage=sets[0].level if sets else None,
        malignancy=malignancy_of(taxonomy, judged.probabilities),
        excludes_no_melanoma=excludes_no_melanoma(taxonomy, (findings[0].code, *prediction_set)),
        maps=release.maps,
    )


def _with_likeness(release: OpenRelease, answer: Answer, seen: dict[int, Seen]) -> Answer:
    """Say what the lesion is like; pictures whose features are no numbers are like nothing."""
    told = [(one.said, one.glance.sha256) for one in seen.values() if one.said is not None]
    told = [(said, sha256) for said, sha256 in told if np.isfinite(said.features).all()]
    if not told:
        return answer
    said = [each for each, _ in told]
    neighbours = neighbours_of(release, said, [sha256 for _, sha256 in told])
    return replace(
        answer,
        neighbours=neighbours,
        neighbours_agree=agreement(neighbours, answer.findings[0].code),
        place=place_of(release, said),
    )
