"""What the clinic is told of one lesion, as it is kept, shown and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from cutis.vocabulary.diagnosis import Finding


class State(StrEnum):
    """What became of a question; only the first one carries a ranking that may be shown."""

    ANSWERED = "answered"
    UNSURE = "unsure"  # the release abstains
    FOREIGN = "foreign"  # unlike everything that was learned from: perhaps no dermoscopy
    UNUSABLE = "unusable"  # no picture of it is good enough to judge


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing that stands against an answer; pages say it in words by its key."""

    key: str  # "uncertainty", "disagreement" or "distance" of the release; "no_number"; or a picture's verdict
    picture: int | None = None  # which one, from 0; None: all that were judged, together
    beyond: float | None = None  # share of the clinic's own pictures that it goes beyond, 1: all; None: not measured so
    clusters: int | None = None  # patients or lesions that these pictures are of


@dataclass(frozen=True, kw_only=True)
class SeenPicture:
    """One picture of the lesion, and whether it can be judged."""

    sha256: str  # of the bytes that came
    width: int  # pixels, upright
    height: int
    marks: tuple[str, ...]  # of `cutis.imaging.quality`
    verdict: str  # "good", "poor": judged with a remark; or "blurred", "dark", "bright", "black", "tiny", "foreign"
    sharpness: float
    brightness: float
    contrast: float
    distance: float | None  # to what was learned from, in the release's own unit; None where nothing watches

    @property
    def is_judged(self) -> bool:
        """Whether the answer rests on it too."""
        return self.verdict in {"good", "poor"}


@dataclass(frozen=True, kw_only=True)
class Malignancy:
    """The summed probability of the malignant diagnoses that the release knows, and of what it does not know."""

    codes: tuple[str, ...]  # that are summed
    probability: float
    not_assessed: tuple[str, ...]  # "melanoma", "squamous_cell_carcinoma": those that the taxonomy lacks
    may_say_malignant: bool  # the taxonomy holds melanoma and squamous cell carcinoma


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A confirmed case of the archive that the lesion is like."""

    case_id: str
    code: str
    similarity: float
    confirmed_by: str | None
    shared: float | None  # how often neighbours so near had the picture's diagnosis; None where too few can tell
    shared_low: float | None  # its 95 % interval
    shared_high: float | None
    perhaps_the_same_picture: bool


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a release says of one lesion by one or more pictures, with everything that qualifies it."""

    state: State
    reasons: tuple[
        Reason, ...
    ]  # why there is no ranking, the weightiest first; of pictures left out where there is one
    pictures: tuple[SeenPicture, ...]
    findings: tuple[Finding, ...]  # the most probable first; the mean over the pictures that were judged
    prediction_set: tuple[str, ...]
    coverage: float | None
    malignancy: Malignancy | None
    excludes_no_melanoma: bool  # a benign pigmented or vascular answer of a taxonomy without melanoma
    cannot_say: tuple[str, ...]
    remarks: tuple[str, ...]  # keys of what stands beside it: "invented", "balanced", "unwatched", "unlike", …
    warnings: tuple[str, ...]  # the same in the release's own English
    invented: bool  # the release learned from invented pictures
    neighbours: tuple[Neighbour, ...]  # the most alike first
    neighbours_agree: float | None  # share of them that have the answer's diagnosis; None where none were asked for
    place: tuple[float, float] | None  # on the atlas of the release
    maps: tuple[str, ...]  # names of the maps that were kept and passed their examination
    release: str  # name
    release_sha256: str  # of its manifest
    weights_sha256: str
    answers_by: str  # engine and precision
    seconds: float = 0.0  # from the bytes to this, as the answerer measures it

    def as_shown(self) -> Answer:
        """Return what may be shown of it: nothing that ranks diagnoses, unless it is an answer."""
        if self.state is State.ANSWERED:
            return self
        return replace(
            self,
            findings=(),
            prediction_set=(),
            coverage=None,
            malignancy=None,
            excludes_no_melanoma=False,
            neighbours=(),
            neighbours_agree=None,
            place=None,
            maps=(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `answer_from` reads back."""
        return asdict(self) | {"state": self.state.value}


def answer_from(content: Mapping[str, Any]) -> Answer:
    """Read what `Answer.to_dict` gave.

    Raises:
        KeyError, TypeError: it is none.
    """
    plain = {
        field.name: tuple(content[field.name]) if isinstance(content[field.name], list) else content[field.name]
        for field in fields(Answer)
    }
    malignancy = content["malignancy"]
    parts = {
        "state": State(content["state"]),
        "reasons": tuple(Reason(**each) for each in content["reasons"]),
        "pictures": tuple(_with_tuples(SeenPicture, each) for each in content["pictures"]),
        "findings": tuple(Finding(**each) for each in content["findings"]),
        "neighbours": tuple(Neighbour(**each) for each in content["neighbours"]),
        "malignancy": _with_tuples(Malignancy, malignancy) if malignancy else None,
    }
    return Answer(**plain | parts)


def _with_tuples(kind: Any, content: Mapping[str, Any]) -> Any:
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in content.items()})
