"""A map that moves with its picture is stable; one that does not is not."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.sanity.stability import Shift, kept_under, noisy, shifted, shifts_of


def _pictures(size=24):
    return np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.uint8)


def _brightness(pictures):
    return pictures.mean(axis=3)


@pytest.mark.parametrize("shift", [Shift(2, 3), Shift(-3, 1), *shifts_of(64)])
def test_a_map_that_follows_its_picture_keeps_all_of_its_order(shift):
    """It is moved back to the pixel, whatever the direction."""
    pictures = _pictures()

    kept = kept_under(shift, _brightness(pictures), _brightness(shifted(pictures, shift)))

    np.testing.assert_allclose(kept, 1)


def test_a_map_that_stays_where_it_is_loses_its_order():
    """Single pixels of noise have nothing to do with their neighbours."""
    before = _brightness(_pictures())

    assert abs(kept_under(Shift(2, 2), before, before)).max() < 0.2


def test_the_noise_is_seen_by_nobody():
    """Two grey levels, and none of it beyond what a picture can hold."""
    pictures = np.full((1, 64, 64, 3), 128, np.uint8)

    changed = noisy(pictures, generator=np.random.default_rng(0)).astype(float) - pictures

    assert changed.std() == pytest.approx(2, abs=0.1)
    assert noisy(np.full_like(pictures, 255), generator=np.random.default_rng(0)).max() == 255
