"""Lines are drawn where they are asked for, as wide as they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.imaging.strokes import Stroke, curve, drawn_strokes


def test_a_line_is_as_wide_as_it_says_and_nowhere_else():
    """Ten pixels across the middle of a field of sixty rows."""
    line = Stroke(np.array([[0.0, 30.0], [100.0, 30.0]]), width=10)

    drawn = np.asarray(drawn_strokes((100, 60), [line]))

    assert drawn.shape == (60, 100)
    assert (drawn[:, 50] > 127).sum() == pytest.approx(10, abs=1)
    assert drawn[:20].max() == drawn[41:].max() == 0


def test_a_line_narrows_to_its_taper_and_is_as_strong_as_its_ink():
    """Half as wide at its end, half as dark everywhere."""
    line = Stroke(np.stack([np.linspace(0, 100, 13), np.full(13, 30.0)], axis=1), width=12, taper=0.5, ink=0.5)

    drawn = np.asarray(drawn_strokes((100, 60), [line]))

    assert drawn[:, 4].sum() / drawn[:, 95].sum() == pytest.approx(2, abs=0.3)
    assert drawn.max() == 127


def test_a_curve_without_bend_or_bow_is_straight():
    """Thirteen points, as long as it is asked to be, in its heading."""
    path = curve(np.random.default_rng(0), np.array([[5.0, 5.0]]), heading=0.0, length=24, bend=0.0)

    np.testing.assert_allclose(path, np.stack([np.linspace(5, 29, 13), np.full(13, 5.0)], axis=1))


def test_no_lines_leave_the_field_empty():
    assert np.asarray(drawn_strokes((8, 6), [])).max() == 0
