"""From what is kept of a question to what is sent of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cutis.client.contract import (
    EXAMPLE_ID,
    EXAMPLE_SHA256,
    INVENTED,
    NO_MELANOMA,
    Answering,
    Examination,
    SaidOfALesion,
)
from cutis.serve.answer import Answer, State
from cutis.serve.record.examinations import Examination as Kept

SILENT = "silent"


def examination_said(kept: Kept, whole: Answer, shown: Answer | None) -> Examination:
    """Return what is sent of an examination.

    Args:
        kept: the examination.
        whole: its answer, of which only says here who gave it.
        shown: what of it may be shown; none where the site is silent.
    """
    return Examination(
        id=kept.id,
        case_id=kept.case_id,
        made_at=datetime.fromtimestamp(kept.made_at, UTC),
        state=shown.state.value if shown else SILENT,
        notice=_notice(whole, shown),
        release=Answering(
            name=whole.release,
            sha256=whole.release_sha256,
            weights_sha256=whole.weights_sha256,
            answers_by=whole.answers_by,
            invented=whole.invented,
        ),
        answer=SaidOfALesion.model_validate(shown.as_shown()) if shown else None,
    )


def _notice(whole: Answer, shown: Answer | None) -> str | None:
    """Return what must not be missing from a screen that shows any of it."""
    holds = {INVENTED: whole.invented, NO_MELANOMA: shown is not None and shown.as_shown().excludes_no_melanoma}
    return " ".join(text for text, is_said in holds.items() if is_said) or None


def an_example() -> dict[str, Any]:
    """Return an examination as it may be sent, for the document."""
    picture = {"sha256": EXAMPLE_SHA256, "width": 600, "height": 450, "verdict": "good", "marks": []}
    return {
        "id": EXAMPLE_ID,
        "case_id": EXAMPLE_ID[::-1],
        "made_at": "2027-01-15T08:00:00Z",
        "state": State.ANSWERED.value,
        "notice": None,
        "release": {
            "name": "pocket",
            "sha256": EXAMPLE_SHA256,
            "weights_sha256": EXAMPLE_SHA256,
            "answers_by": "onnxruntime-fp32",
            "invented": False,
        },
        "answer": {
            "findings": [
                {"code": "nv", "name": "melanocytic nevus", "malignant": False, "probability": 0.93},
                {"code": "mel", "name": "melanoma", "malignant": True, "probability": 0.04},
                {"code": "bkl", "name": "benign keratosis-like lesion", "malignant": False, "probability": 0.03},
            ],
            "prediction_set": ["nv"],
            "coverage": 0.9,
            "malignancy": {
                "codes": ["mel", "bcc"],
                "probability": 0.04,
                "not_assessed": ["squamous_cell_carcinoma"],
                "may_say_malignant": False,
            },
            "excludes_no_melanoma": False,
            "reasons": [],
            "pictures": [picture | {"sharpness": 212.0, "brightness": 0.62, "contrast": 0.17, "distance": 38.1}],
            "neighbours": [
                {
                    "case_id": "ISIC_0024306",
                    "code": "nv",
                    "similarity": 0.91,
                    "confirmed_by": "histopathology",
                    "shared": 0.88,
                    "shared_low": 0.81,
                    "shared_high": 0.93,
                    "perhaps_the_same_picture": False,
                }
            ],
            "maps": ["final", "fused"],
            "cannot_say": ["squamous cell carcinoma"],
            "remarks": ["for_research"],
            "warnings": ["For research. Not a medical device."],
            "seconds": 0.31,
        },
    }
