"""The worst errors, where the network looks, and how it groups the cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cutis.report.atlas import atlas_section
from cutis.report.figures import Inline, inline_picture
from cutis.report.material import Explanation
from cutis.report.sanity import sanity_section
from cutis.vocabulary.taxonomy import Taxonomy

ASKED_FOR = "asked for"


class Look(NamedTuple):
    """One case with its maps."""

    picture: Inline
    case: Mapping[str, Any]
    truth: str  # in words
    answer: str
    is_missed: bool  # malignant, and called benign
    label: str  # what is wrong with the answer, and why the case is shown; "" where it is right
    of_what: str  # whom the maps are of, and whom it is compared with


def explanation_section(explanation: Explanation, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the gallery, the worst errors first, and the atlas."""
    looks = [_look(explanation, case, taxonomy) for case in explanation.saliency["cases"]]
    wrong = [look for look in looks if look.case["truth"] and look.case["truth"] != look.case["answer"]]
    return {
        "worst": sorted(wrong, key=lambda look: (not look.is_missed, -look.case["probability"])),
        "others": [look for look in looks if look not in wrong],
        "methods": explanation.saliency["methods"],
        "atlas": atlas_section(explanation),
        "sanity": sanity_section(explanation),
    }


def _look(explanation: Explanation, case: Mapping[str, Any], taxonomy: Taxonomy) -> Look:
    answer = taxonomy[case["answer"]]
    truth = taxonomy[case["truth"]] if case["truth"] else None
    is_missed = bool(truth and truth.malignant and not answer.malignant)
    of_what = _of_what(case, taxonomy)
    alt = f"Case {case['case_id']}: the picture, and where what speaks for {of_what} lies, by every depth"
    return Look(
        picture=inline_picture(explanation.folder / case["file"], alt=alt),
        case=case,
        truth=truth.name if truth else f"not settled ({case['indeterminate']})",
        answer=answer.name,
        is_missed=is_missed,
        label=_label(case, is_missed=is_missed),
        of_what=of_what,
    )


def _of_what(case: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    """Return the question of the maps in words; an earlier version asked for the answer alone, and did not say so."""
    diagnosis, other = case.get("maps_of", case["answer"]), case.get("rather_than")
    return taxonomy[diagnosis].name + (f" rather than {taxonomy[other].name}" if other else "")


def _label(case: Mapping[str, Any], *, is_missed: bool) -> str:
    if not case["truth"] or case["truth"] == case["answer"]:
        return ""
    why = str(case["why"])
    if why != ASKED_FOR:
        return why[:1].upper() + why[1:]
    return f"Malignant called benign, {why}" if is_missed else f"Wrong, {why}"
