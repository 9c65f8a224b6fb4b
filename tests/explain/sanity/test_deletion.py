"""What an answer rests on takes it along."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.sanity.deletion import area, curves, elsewhere, order_of


def _chance():
    return np.random.default_rng(0)


def _corner(size=20, side=10):
    """A map that shows the upper left quarter."""
    saliency = np.zeros((size, size), np.float32)
    saliency[:side, :side] = 1
    return saliency


@pytest.fixture
def picture():
    """A dark picture with a bright upper left quarter."""
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[:10, :10] = 200
    return picture


def _believed(pictures):
    """An answer that rests on the brightness of the upper left quarter alone, 1 where it is as it was."""
    return pictures[:, :10, :10].mean(axis=(1, 2, 3)) / 200


def test_the_areas_are_those_by_hand(picture):
    """The right quarter first: the answer falls in the first quarter of the way to the mean colour, and rises alike."""
    drawn = curves(picture, order_of(_corner(), generator=_chance()), _believed, steps=4)

    rest = 0.25  # the mean colour is 50 of 200
    np.testing.assert_allclose(drawn.deletion, [1, rest, rest, rest, rest])
    np.testing.assert_allclose(drawn.insertion[1:], 1)
    assert drawn.insertion[0] < 1
    assert area(drawn.deletion) == pytest.approx((0.625 + 3 * rest) / 4)
    assert area(np.array([[0.0, 1.0, 1.0]])) == pytest.approx([0.75])


def test_the_right_places_beat_the_same_map_elsewhere(picture):
    """Less is left in deletion, and more is there in insertion."""
    saliency = _corner()
    moved = elsewhere(saliency, generator=_chance())

    right, wrong = (
        curves(picture, order_of(each, generator=_chance()), _believed, steps=8) for each in (saliency, moved)
    )

    assert area(right.deletion) < area(wrong.deletion)
    assert area(right.insertion) > area(wrong.insertion)


def test_an_order_names_every_pixel_once_the_greatest_first():
    """Ties are drawn, so that a flat map has no favourite corner."""
    order = order_of(_corner(), generator=_chance())

    assert sorted(order.ravel()) == list(range(400))
    assert order[:10, :10].max() < 100
    flat = order_of(np.zeros((20, 20)), generator=_chance())
    assert abs(flat[:10].mean() - flat[10:].mean()) < 40


def test_elsewhere_has_the_same_values_and_is_far():
    """Only the place differs."""
    saliency = np.random.default_rng(1).normal(size=(16, 16))

    moved = elsewhere(saliency, generator=_chance())

    assert sorted(moved.ravel()) == sorted(saliency.ravel())
    assert not np.array_equal(moved, saliency)
