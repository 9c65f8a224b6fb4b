"""What the clinic is told of one lesion, as it is kept, shown and sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cutis.serve.answer import Answer, Malignancy, Neighbour, Reason, SeenPicture, State, answer_from
from cutis.vocabulary.diagnosis import Finding

PICTURE = SeenPicture(
    sha256="a" * 64,
    width=600,
    height=450,
    marks=("small",),
    verdict="poor",
    sharpness=0.5,
    brightness=0.6,
    contrast=0.1,
    distance=12.5,
)
NEIGHBOUR = Neighbour(
    case_id="case0001",
    code="nv",
    similarity=0.9,
    confirmed_by="histology",
    shared=0.7,
    shared_low=0.6,
    shared_high=0.8,
    perhaps_the_same_picture=False,
)
ANSWER = Answer(
    state=State.ANSWERED,
    reasons=(Reason(key="foreign", picture=1), Reason(key="distance", beyond=0.99, clusters=80)),
    pictures=(PICTURE, replace(PICTURE, verdict="foreign")),
    findings=(Finding(code="nv", name="melanocytic nevus", malignant=False, probability=0.9),),
    prediction_set=("nv",),
    coverage=0.95,
    malignancy=Malignancy(codes=("mel",), probability=0.1, not_assessed=(), may_say_malignant=True),
    excludes_no_melanoma=True,
    cannot_say=("actinic keratosis",),
    remarks=("for_research",),
    warnings=("For research. Not a medical device.",),
    invented=False,
    neighbours=(NEIGHBOUR,),
    neighbours_agree=1.0,
    place=(1.5, -2.0),
    maps=("fused",),
    release="pocket",
    release_sha256="b" * 64,
    weights_sha256="c" * 64,
    answers_by="onnxruntime-fp32",
    seconds=0.2,
)


@pytest.mark.parametrize("answer", [ANSWER, replace(ANSWER, malignancy=None, place=None, neighbours=(), coverage=None)])
def test_an_answer_comes_back_from_json_as_it_was(answer):
    """Whatever it lacks."""
    assert answer_from(json.loads(json.dumps(answer.to_dict()))) == answer


@pytest.mark.parametrize("state", [State.UNSURE, State.FOREIGN, State.UNUSABLE])
def test_what_is_no_answer_shows_nothing_that_ranks_diagnoses(state):
    """No name of a diagnosis is left, but of those that it cannot say; why is still there."""
    shown = replace(ANSWER, state=state).as_shown()

    said = json.dumps(shown.to_dict())
    assert '"nv"' in json.dumps(ANSWER.to_dict())
    assert '"nv"' not in said
    assert '"mel"' not in said
    assert shown.reasons == ANSWER.reasons
    assert shown.pictures == ANSWER.pictures


def test_an_answer_is_shown_whole():
    """There is nothing to hide."""
    assert ANSWER.as_shown() is ANSWER
    assert [picture.is_judged for picture in ANSWER.pictures] == [True, False]
