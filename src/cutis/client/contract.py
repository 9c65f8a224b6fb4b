"""What a clinic's server sends to programs, as types: the server writes them, the client reads them.

The OpenAPI document is made of them. A client passes over fields that it does not know, so that a newer server may add
some.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NO_MELANOMA = "This answer does not exclude melanoma."
INVENTED = "This release learned from invented pictures: its answers mean nothing for a patient."
EXAMPLE_ID = "0f3c9b1e6a7d4c2f8b5e1d0a9c7f6e3b"
EXAMPLE_SHA256 = "5b1f" * 16


class Said(BaseModel):
    """What all of them share: plain data, read from frozen data of the same names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Finding(Said):
    """One diagnosis with its calibrated probability."""

    code: str = Field(examples=["nv"])
    name: str = Field(examples=["melanocytic nevus"])
    malignant: bool
    probability: float = Field(ge=0, le=1, examples=[0.83])


class Picture(Said):
    """One picture of the lesion, and whether it can be judged."""

    sha256: str = Field(description="of the bytes that came", examples=[EXAMPLE_SHA256])
    width: int = Field(description="pixels, upright", examples=[600])
    height: int = Field(examples=[450])
    verdict: str = Field(
        description="good; poor: judged with a remark; any other word says why it was not judged", examples=["good"]
    )
    marks: tuple[str, ...]
    sharpness: float
    brightness: float
    contrast: float
    distance: float | None = Field(description="to what the release learned from; none where nothing watches")


class Reason(Said):
    """One thing that stands against an answer, or why a picture was left out of it."""

    key: str = Field(examples=["uncertainty"])
    picture: int | None = Field(description="which one, from 0; none: all that were judged, together")
    beyond: float | None = Field(description="share of the clinic's own pictures that it goes beyond; 1: all of them")
    clusters: int | None = Field(description="patients or lesions that these pictures are of")


class Malignancy(Said):
    """What is summed as malignant, and what cannot be in the sum."""

    codes: tuple[str, ...] = Field(examples=[("bcc",)])
    probability: float = Field(ge=0, le=1, examples=[0.01])
    not_assessed: tuple[str, ...] = Field(
        description="malignant diagnoses that the release does not know", examples=[("melanoma",)]
    )
    may_say_malignant: bool = Field(description="it knows melanoma and squamous cell carcinoma")


class Neighbour(Said):
    """A confirmed case of the archive that the lesion is like."""

    case_id: str
    code: str
    similarity: float = Field(description="the cosine, at most 1")
    confirmed_by: str | None
    shared: float | None = Field(description="how often neighbours so near had the same diagnosis")
    shared_low: float | None = Field(description="its 95 % interval")
    shared_high: float | None
    perhaps_the_same_picture: bool = Field(
        description="the same file, or nearer than pictures of other patients lie", examples=[False]
    )


class SaidOfALesion(Said):
    """What a release says of a lesion. Only where the state is `answered` there are findings."""

    findings: tuple[Finding, ...] = Field(description="the most probable first")
    prediction_set: tuple[str, ...] = Field(description="codes; holds the truth as often as `coverage` says")
    coverage: float | None = Field(examples=[0.9])
    malignancy: Malignancy | None
    excludes_no_melanoma: bool = Field(description="a benign answer of a release that does not know melanoma")
    reasons: tuple[Reason, ...] = Field(description="why there is no answer, the weightiest first")
    pictures: tuple[Picture, ...]
    neighbours: tuple[Neighbour, ...] = Field(description="the most alike first")
    maps: tuple[str, ...] = Field(description="depths that a map can be asked for", examples=[("final", "fused")])
    cannot_say: tuple[str, ...] = Field(description="diagnoses that this release never gives", examples=[("melanoma",)])
    remarks: tuple[str, ...] = Field(description="keys of the warnings", examples=[("for_research",)])
    warnings: tuple[str, ...] = Field(description="to be shown beside the answer, whole")
    seconds: float = Field(description="from the bytes to the answer", examples=[0.31])


class Answering(Said):
    """Which release answered, and by what."""

    name: str = Field(examples=["pocket"])
    sha256: str = Field(description="of the release's manifest", examples=[EXAMPLE_SHA256])
    weights_sha256: str = Field(examples=[EXAMPLE_SHA256])
    answers_by: str = Field(description="engine and precision", examples=["onnxruntime-fp32"])
    invented: bool = Field(description="it learned from invented pictures")


class Examination(Said):
    """One question and what became of it; it is in the journal before it is sent."""

    id: str = Field(examples=[EXAMPLE_ID])
    case_id: str = Field(description="of the lesion; to be sent with its next pictures", examples=[EXAMPLE_ID])
    made_at: datetime
    state: Literal["answered", "unsure", "foreign", "unusable", "silent"] = Field(
        description="silent: the answer was kept and is not shown, until the site has passed its acceptance test"
    )
    notice: str | None = Field(
        description="what must stand beside anything that is shown of it; none where nothing must", examples=[INVENTED]
    )
    release: Answering
    answer: SaidOfALesion | None = Field(description="none where the state is silent")


class Diagnosis(Said):
    """One of the diagnoses that a release can give."""

    code: str = Field(examples=["nv"])
    name: str = Field(examples=["melanocytic nevus"])
    malignant: bool


class Release(Said):
    """What answers now."""

    name: str = Field(examples=["pocket"])
    sha256: str = Field(description="of the release's manifest", examples=[EXAMPLE_SHA256])
    weights_sha256: str = Field(examples=[EXAMPLE_SHA256])
    answers_by: str = Field(examples=["onnxruntime-fp32"])
    invented: bool
    notice: str | None = Field(examples=[INVENTED])
    is_shown: bool = Field(description="whether answers are shown; a new site keeps them, and shows none")
    taxonomy: str = Field(examples=["ham7"])
    diagnoses: tuple[Diagnosis, ...]
    cannot_say: tuple[str, ...] = Field(examples=[("squamous cell carcinoma",)])
    maps: tuple[str, ...] = Field(examples=[("final", "fused")])
    warnings: tuple[str, ...]
    pictures_of_a_lesion: int = Field(description="that may come in one question", examples=[6])
    picture_bytes: int = Field(description="that one of them may have", examples=[33_554_432])


class Readiness(Said):
    """Whether questions are answered now."""

    ready: bool


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str | None = Field(default=None, description="what to do about it", examples=["picture 2: no picture"])
    picture: int | None = Field(default=None, description="which picture is meant, from 1", examples=[2])
    reason: str | None = Field(default=None, description="one word for it", examples=["no picture"])
    fields: tuple[str, ...] | None = Field(default=None, description="which fields do not fit")
