"""What a person reads of an answer."""

from __future__ import annotations

from collections.abc import Iterator

from cutis.vocabulary.diagnosis import Diagnosis
from cutis.vocabulary.estimate import Estimate

SETTLED_BY = {"majority": "most of its raters", "single": "a single rater", "adjudicator": "an adjudicator"}


def lines_of(diagnosis: Diagnosis, *, top: int) -> Iterator[str]:
    """Yield an answer as the terminal shows it, with so many of its findings."""
    yield diagnosis.image
    if diagnosis.abstained:
        yield "  NOT ANSWERED: what follows is no diagnosis"
        yield from (f"  because {reason}" for reason in diagnosis.reasons)
    for rank, finding in enumerate(diagnosis.findings[:top], start=1):
        flag = "  malignant" if finding.malignant else ""
        yield f"  {rank:>2}  {finding.probability:.3f}  {finding.name} ({finding.code}){flag}"
    if diagnosis.coverage is not None and not diagnosis.abstained:
        promised = f"{100 * diagnosis.coverage:g}% of cases like this clinic's"
        yield f"  one of {', '.join(diagnosis.prediction_set)} in {promised}"
    yield from _similar_lines(diagnosis)
    yield from (f"  note: {warning}" for warning in diagnosis.warnings)


def _similar_lines(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.similar is None:
        return
    none = "  no similar training case: nothing is left to compare with"
    yield "  similar training cases:" if diagnosis.similar else none
    for rank, case in enumerate(diagnosis.similar, start=1):
        flag = "  malignant" if case.malignant else ""
        yield f"  {rank:>2}  {case.similarity:.3f}  {case.name} ({case.code}){flag}"
        yield f"             case {case.case_id}, {settled_by(case.confirmed_by)}"
        if case.perhaps_the_same_picture:
            yield "             perhaps the same picture"
        elif case.shared is not None and case.shared.value is not None:
            yield f"             of {case.code} cases so near to a picture, {_share(case.shared)} had its diagnosis"


def settled_by(confirmed_by: str | None) -> str:
    """Return in words what settled a diagnosis."""
    if confirmed_by is None:
        return "settled by what is not known"
    return f"settled by {SETTLED_BY.get(confirmed_by, confirmed_by.replace('_', ' '))}"


def _share(share: Estimate) -> str:
    ends = "" if share.low is None or share.high is None else f" ({share.low:.0%} to {share.high:.0%})"
    return f"{share.value:.0%}{ends}"
