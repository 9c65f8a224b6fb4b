"""What a release says of several pictures of one lesion together, and whether it stands by it."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.runtime.predict import answers_of
from cutis.serve.answer import Reason, State
from cutis.serve.answering.judging import judge
from cutis.stats.calibration import softmax
from cutis.stats.conformal import OWN, SetThresholds
from factories import a_bundle
from opened_releases import a_watchful_bundle, outputs_for

LIKE, UNLIKE = (0.0, 0.0, 1.0), (9.0, -9.0, 0.0)


def thresholds(value):
    return SetThresholds(method="LAC", level=0.9, values=(value,) * 3, basis=(OWN,) * 3, clusters=(90,) * 3)


def test_one_picture_is_answered_as_the_release_answers_it():
    """To the bit: probabilities, set, abstention."""
    bundle, said = a_watchful_bundle(sets=(thresholds(0.7),)), outputs_for((2.0, 1.5, -1.0))
    alone = answers_of(bundle, said)

    found = judge(bundle, {0: said})

    np.testing.assert_array_equal(found.probabilities, alone.probabilities[0])
    np.testing.assert_array_equal(found.members, alone.sets[0][0])
    assert (found.state is State.UNSURE) == alone.abstained[0]
    assert found.distances == {0: alone.signals.distance[0]}


def test_several_pictures_are_the_mean_of_their_calibrated_probabilities():
    """As evaluation does it per lesion; the set is made of the mean by the same thresholds."""
    bundle = a_bundle(temperatures=(1.7,), sets=(thresholds(0.55),))
    first, second = outputs_for((3.0, 0.0, 0.0)), outputs_for((0.0, 2.0, 0.0))
    mean = (softmax(first.logits, 1.7) + softmax(second.logits, 1.7))[0] / 2

    found = judge(bundle, {0: first, 1: second})

    np.testing.assert_allclose(found.probabilities, mean, rtol=1e-12)
    np.testing.assert_array_equal(found.members, 1 - mean <= 0.55)


def test_a_distance_that_is_no_number_is_left_out():
    """A record can hold none such; the answer is an abstention, and not an error of ours."""
    nan = float("nan")

    found = judge(a_watchful_bundle(), {0: outputs_for((nan, nan, nan), features=(nan, nan, nan))})

    assert (found.state, found.reasons[0].key, found.distances) == (State.UNSURE, "no_number", {})


def test_what_the_release_does_not_know_what_to_say_of_is_unsure():
    """The reason says which signal it was, and how many of the clinic's own pictures it goes beyond."""
    found = judge(a_watchful_bundle(), {0: outputs_for((0.01, 0.0, 0.0), features=LIKE)})

    assert found.state is State.UNSURE
    assert found.reasons[0].key == "uncertainty"
    assert found.reasons[0].picture is None
    assert 0.98 < found.reasons[0].beyond <= 1
    assert found.reasons[0].clusters == 400


def test_what_is_farther_than_the_clinics_own_pictures_is_foreign():
    """However sure the network is of it."""
    found = judge(a_watchful_bundle(), {0: outputs_for((9.0, 0.0, 0.0), features=UNLIKE)})

    assert found.state is State.FOREIGN
    assert found.foreign == {0}
    assert found.reasons == (Reason(key="distance", beyond=1.0, clusters=400),)


def test_a_foreign_picture_among_others_is_named_and_left_out():
    """The others are answered as if it had not come."""
    bundle, lesion = a_watchful_bundle(), outputs_for((4.0, 0.0, 0.0), features=LIKE)
    wall = outputs_for((0.0, 9.0, 0.0), features=UNLIKE)

    found = judge(bundle, {1: lesion, 4: wall})

    assert found.state is State.ANSWERED
    assert found.reasons == (Reason(key="foreign", picture=4),)
    np.testing.assert_array_equal(found.probabilities, judge(bundle, {1: lesion}).probabilities)
    assert found.distances.keys() == {1, 4}


def test_where_all_pictures_are_foreign_nothing_is_answered():
    """Nothing is left that could be."""
    wall = outputs_for((0.0, 9.0, 0.0), features=UNLIKE)

    assert judge(a_watchful_bundle(), {0: wall, 1: wall}).state is State.FOREIGN


def test_a_release_that_nothing_watches_over_answers():
    """It warns of that beside every answer."""
    found = judge(a_bundle(), {0: outputs_for((0.0, 0.0, 0.0), features=UNLIKE)})

    assert found.state is State.ANSWERED
    assert found.distances == {}


@pytest.mark.parametrize("bundle", [a_bundle(), a_watchful_bundle()])
def test_what_is_no_number_is_no_answer(bundle):
    """Whether or not anything watches over the release."""
    found = judge(bundle, {0: outputs_for((np.nan, 0.0, 0.0))})

    assert found.state is State.UNSURE
    assert found.reasons[0].key == "no_number"
