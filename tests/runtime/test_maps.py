"""Maps of one forward pass: they add up to the logits, and all depths together say where."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cutis.runtime.maps import FUSED, Question, fused, in_pass_maps
from cutis.vocabulary.outputs import Outputs

SIDES = (32, 16, 8, 4, 4, 2, 2, 2)


def _outputs(*, kinds=4, sides=SIDES, pictures=2, seed=0):
    """What a network with an auxiliary classifier per stage leaves: the mean of each map is its logit."""
    random = np.random.default_rng(seed)
    maps = tuple(random.normal(size=(pictures, kinds, side, side)).astype(np.float32) for side in sides)
    *auxiliary, logits = (each.mean(axis=(2, 3)) for each in maps)
    return Outputs(logits=logits, auxiliary_logits=tuple(auxiliary), features=logits, maps=maps)


def _depths_that_speak_for(*places, sides=SIDES):
    """A map per depth that is 1 where the quarter of the picture it is given lies, and 0 elsewhere."""
    stack = []
    for side, (down, across) in zip(sides, places, strict=True):
        half, each = side // 2, np.zeros((side, side), np.float32)
        each[down * half : (down + 1) * half, across * half : (across + 1) * half] = 1
        stack.append(each)
    return stack


def test_every_map_adds_up_to_the_logit_of_its_classifier():
    """By name, shallow to deep, of the picture and the diagnosis asked for."""
    outputs = _outputs()

    maps = in_pass_maps(outputs, Question(3), row=1)

    logits = (*outputs.auxiliary_logits, outputs.logits)
    assert list(maps) == [*(f"stage_{number}" for number in range(1, 8)), "final", "fused"]
    for name, said in zip(maps, logits, strict=False):
        assert maps[name].mean() == pytest.approx(said[1, 3], abs=1e-6)
    assert maps["fused"].shape == (8, 8)


def _stack(outputs, question):
    """The maps of all depths, shallow to deep."""
    return [each for name, each in in_pass_maps(outputs, question).items() if name != FUSED]


def test_one_diagnosis_rather_than_another_is_the_difference_of_their_maps():
    """At every depth; asked the other way round, the same with the other sign."""
    outputs = _outputs()

    asked, other = (_stack(outputs, Question(kind)) for kind in (2, 0))
    for rather, one, rival in zip(_stack(outputs, Question(2, 0)), asked, other, strict=True):
        np.testing.assert_array_equal(rather, one - rival)
    turned = in_pass_maps(outputs, Question(0, 2))["final"]
    np.testing.assert_array_equal(turned, -in_pass_maps(outputs, Question(2, 0))["final"])


def test_a_network_without_auxiliary_classifiers_has_the_final_map_alone():
    """There is nothing to join."""
    assert list(in_pass_maps(_outputs(sides=(4,)), Question(0))) == ["final"]


def test_outputs_without_maps_are_refused():
    """They were kept for their logits."""
    outputs = _outputs()._replace(maps=None)

    with pytest.raises(ValueError, match="without their maps"):
        in_pass_maps(outputs, Question(0))


def test_the_fused_map_is_greatest_where_all_depths_agree():
    """What a single depth says elsewhere lifts no place above it, however loudly it says it."""
    stack = _depths_that_speak_for(*[(0, 0)] * 7, (1, 1))
    loud = [*stack[:-1], 1000 * stack[-1]]

    joined = fused(stack)

    assert joined[:4, :4].mean() > 3 * joined[4:, 4:].mean()
    assert joined[6, 6] > joined[1, 6]  # one depth for it, and none
    assert joined.min() >= 0
    np.testing.assert_allclose(fused(loud), joined, rtol=1e-4)


def test_an_early_depth_says_where_within_what_the_late_ones_point_at():
    """The coarse maps mark a quarter; a fine one marks one place in it."""
    stack = _depths_that_speak_for(*[(0, 0)] * 8)
    stack[2] = stack[2] + np.pad(np.full((1, 1), 5, np.float32), ((1, 6), (2, 5)))

    joined = fused(stack)

    assert np.unravel_index(joined.argmax(), joined.shape) == (1, 2)


def test_a_depth_that_says_the_same_of_every_place_changes_no_order():
    """Neither its height nor the rounding of its constant gets into the map."""
    stack = _depths_that_speak_for(*[(0, 1)] * 8)
    flat = np.full((2, 2), 0.1, np.float32)

    joined = fused([*stack, flat])

    np.testing.assert_allclose(joined / joined.max(), fused(stack) / fused(stack).max(), rtol=1e-5)


def test_what_is_added_to_every_diagnosis_does_not_change_the_fused_map():
    """It changes no probability either."""
    outputs = _outputs()
    raised = tuple(each + 7 * np.random.default_rng(1).normal(size=each[:, :1].shape) for each in outputs.maps)
    shifted = outputs._replace(maps=tuple(each.astype(np.float32) for each in raised))

    for question in (Question(1), Question(1, 3)):
        one, other = (in_pass_maps(each, question)["fused"] for each in (outputs, shifted))
        np.testing.assert_allclose(one, other, rtol=1e-3)


def test_maps_that_were_made_coarser_on_their_way_give_the_same_fused_map():
    """A release may hand out the two finest maps on the third one's grid."""
    stack = _stack(_outputs(), Question(0))
    pooled = [np.asarray(Image.fromarray(each).resize((8, 8), Image.Resampling.BOX)) for each in stack[:2]]

    np.testing.assert_allclose(fused([*pooled, *stack[2:]]), fused(stack), rtol=1e-4)
