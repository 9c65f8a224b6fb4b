"""What was seen of a lesion and what the network said of it become the answer."""

from __future__ import annotations

import json

import numpy as np

from cutis.runtime.atlas import Atlas
from cutis.serve.answer import State, answer_from
from cutis.serve.answering.answer_of import Seen, answer_of
from cutis.serve.answering.looking import Glance
from cutis.vocabulary.case import Quality
from factories import a_bundle
from opened_releases import a_watchful_bundle, an_open_release, outputs_for

QUALITY = Quality(width=600, height=450, sharpness=0.5, brightness=0.6, contrast=0.1)


def seen(said, *, verdict="good", sha256="a" * 64):
    pixels = np.zeros((16, 16, 3), np.uint8)
    return Seen(Glance(sha256=sha256, quality=QUALITY, verdict=verdict, pixels=pixels, copy=pixels), said)


def answered(release, *pictures, **fields):
    return answer_of(release, pictures, **{"similar": True} | fields)


def an_atlas():
    random = np.random.default_rng(0)
    return Atlas(
        mean=np.zeros(3, np.float32),
        axes=np.eye(3, dtype=np.float32)[:, :2],
        features=random.normal(size=(40, 2)).astype(np.float32),
        places=random.normal(size=(40, 2)) * 10,
    )


def test_every_answer_names_what_gave_it():
    """Also one that is none."""
    release = an_open_release(name="pocket", answers_by="openvino-bf16")

    for answer in (answered(release, seen(outputs_for((1, 0, 0)))), answered(release, seen(None, verdict="dark"))):
        assert (answer.release, answer.release_sha256, answer.answers_by) == ("pocket", "1" * 64, "openvino-bf16")
        assert answer.weights_sha256 == release.weights_sha256
        assert answer_from(json.loads(json.dumps(answer.to_dict(), allow_nan=False))) == answer


def test_an_invented_release_says_so_in_every_answer():
    """Whatever becomes of the question."""
    release = an_open_release(a_bundle(invented=True))

    for answer in (answered(release, seen(outputs_for((1, 0, 0)))), answered(release, seen(None, verdict="dark"))):
        assert answer.invented
        assert answer.remarks[0] == "invented"
        assert "invented pictures" in answer.warnings[0]


def test_what_is_no_number_becomes_no_answer_and_no_error():
    """It can be written down, and nothing of it is shown."""
    nan = float("nan")
    release = an_open_release(a_watchful_bundle(), atlas=an_atlas())
    broken = (
        outputs_for((nan, 0, 0)),
        outputs_for((2, 0, 0), features=(nan, 0, 0)),
        outputs_for((nan,) * 3, features=(nan,) * 3),
    )

    for said in broken:
        answer = answered(release, seen(said))

        assert answer.state in {State.UNSURE, State.FOREIGN}
        json.dumps(answer.to_dict(), allow_nan=False)


def test_features_that_are_no_numbers_are_like_nothing():
    """Also where nothing watches, and the answer is given."""
    release = an_open_release(atlas=an_atlas())

    answer = answered(release, seen(outputs_for((2, 0, 0), features=(float("inf"), 0, 0))))

    assert answer.state is State.ANSWERED
    assert answer.place is None
    assert answer.neighbours == ()


def test_who_does_not_ask_what_it_is_like_is_not_told():
    """It saves some milliseconds."""
    release = an_open_release(atlas=an_atlas())

    assert answered(release, seen(outputs_for((2, 0, 0)))).place is not None
    assert answered(release, seen(outputs_for((2, 0, 0))), similar=False).place is None
